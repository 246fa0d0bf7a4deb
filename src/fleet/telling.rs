//! Telling of refused events while the poll that settles them goes on.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::{
    api::Checkpoint,
    poll::{CheckpointStore, Progress, Segment, SegmentName, SetAside, StoreError},
};

/// How long a person is left alone between two tellings within a poll.
const PAUSE: Duration = Duration::from_secs(60);

/// Which of the events set aside in the poll under way a person has heard of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heard {
    named: usize,
    at: Option<Instant>,
}

impl Heard {
    /// Those to be told while the poll goes on: the first at once, others no sooner than a minute later.
    pub fn more<'a>(&mut self, progress: &'a Progress) -> &'a [SetAside] {
        let more = progress.set_aside.get(self.named..).unwrap_or_default();
        let rests = self.at.is_some_and(|at| at.elapsed() < PAUSE);
        if more.is_empty() || rests {
            return &[];
        }
        self.named = progress.set_aside.len();
        self.at = Some(Instant::now());
        more
    }

    /// Those left to be told at the poll's end.
    pub fn rest<'a>(&mut self, progress: &'a Progress) -> &'a [SetAside] {
        let named = std::mem::take(&mut self.named);
        progress.set_aside.get(named..).unwrap_or_default()
    }
}

/// A store that tells what a poll has done so far, behind each checkpoint that settles it.
///
/// A delivery may go on for hours, and its poll's end is told only then.
pub struct TellingStore<S> {
    store: S,
    tell: Box<dyn Fn(&Progress) + Send + Sync>,
}

impl<S> TellingStore<S> {
    /// `store`, of which `tell` hears.
    pub fn new(store: S, tell: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        let tell = Box::new(tell);
        Self { store, tell }
    }
}

impl<S: CheckpointStore> CheckpointStore for TellingStore<S> {
    fn window_capacity(&self) -> usize {
        self.store.window_capacity()
    }

    fn known_capacity(&self) -> usize {
        self.store.known_capacity()
    }

    async fn load(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        self.store.load().await
    }

    async fn load_segment(&mut self, name: &SegmentName) -> Result<Option<Bytes>, StoreError> {
        self.store.load_segment(name).await
    }

    async fn save(
        &mut self,
        checkpoint: &Checkpoint,
        segments: &[Segment],
        progress: &Progress,
    ) -> Result<(), StoreError> {
        self.store.save(checkpoint, segments, progress).await?;
        (self.tell)(progress);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poll::How;

    fn progress(refused: usize) -> Progress {
        let event = |id: usize| SetAside {
            object_id: id.to_string(),
            how: How::Skipped,
            status: 422,
            message: "422".to_owned(),
        };
        Progress {
            set_aside: (0..refused).map(event).collect(),
            ..Progress::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_refused_event_is_told_at_once_and_others_after_a_minute_or_at_the_end() {
        let mut heard = Heard::default();
        assert_eq!(heard.more(&progress(0)).len(), 0);
        assert_eq!(heard.more(&progress(1)).len(), 1);
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(heard.more(&progress(3)).len(), 0);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(heard.more(&progress(3)).len(), 2);
        assert_eq!(heard.rest(&progress(5)).len(), 2);
        assert_eq!(heard.rest(&progress(2)).len(), 2, "of the next poll");
    }
}
