//! Edges of a poll that cost nothing, so that what is measured is Pollen.

use std::collections::HashMap;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::HeaderValue;
use pollen::{
    api::Checkpoint,
    callback::{Callback, Delivery},
    event::{Notification, Origin},
    poll::{CheckpointStore, Progress, Segment, SegmentName, StoreError},
    provider::{FetchError, auth::Authorize},
};

/// A token that never expires.
pub(crate) struct Token;

impl Authorize for Token {
    fn authorization(&self) -> BoxFuture<'_, Result<HeaderValue, FetchError>> {
        Box::pin(async { Ok(HeaderValue::from_static("Bearer of-the-bench")) })
    }

    fn refused<'a>(&'a self, _: &'a HeaderValue) -> BoxFuture<'a, Result<(), FetchError>> {
        Box::pin(async { Ok(()) })
    }
}

/// A callback that costs nothing.
pub(crate) struct Acknowledging;

impl Callback for Acknowledging {
    async fn deliver(&self, _: &Origin, _: &Notification) -> Delivery {
        Delivery::Acknowledged
    }
}

/// A store that forgets checkpoints, as who polls keeps what each poll hands back, and keeps the
/// segments that these name.
#[derive(Default)]
pub(crate) struct Memory(HashMap<SegmentName, Bytes>);

impl CheckpointStore for Memory {
    fn window_capacity(&self) -> usize {
        1_000_000
    }

    fn known_capacity(&self) -> usize {
        0
    }

    async fn load(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        Ok(None)
    }

    async fn load_segment(&mut self, name: &SegmentName) -> Result<Option<Bytes>, StoreError> {
        Ok(self.0.get(name).cloned())
    }

    async fn save(
        &mut self,
        _: &Checkpoint,
        segments: &[Segment],
        _: &Progress,
    ) -> Result<(), StoreError> {
        let named = |segment: &Segment| (segment.name().clone(), segment.content().clone());
        self.0.extend(segments.iter().map(named));
        Ok(())
    }
}
