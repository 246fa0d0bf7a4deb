//! Edges of a poll that cost nothing, so that what is measured is Pollen.

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

/// A store that forgets: who polls keeps the checkpoint that each poll hands back.
pub(crate) struct Memory;

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

    async fn load_segment(&mut self, _: &SegmentName) -> Result<Option<Bytes>, StoreError> {
        Ok(None)
    }

    async fn save(
        &mut self,
        _: &Checkpoint,
        _: &[Segment],
        _: &Progress,
    ) -> Result<(), StoreError> {
        Ok(())
    }
}
