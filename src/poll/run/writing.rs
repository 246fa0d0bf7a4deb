//! When a poll writes its checkpoint, and what it enters there.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::{Poll, WINDOW_CUT, reading::Pace};
use crate::{
    api::MAX_CHILDREN,
    callback::{Callback, Rejection},
    poll::{
        CheckpointStore, End, How, Outcome, SetAside, StoreError, Track, change::Change,
        delivering::Settle, reconcile::UnreadIds, segment::LoadError, stream::FEW,
        unusable::Unusable,
    },
    provider::PageSource,
};

/// Least time between two writes of a checkpoint within a poll, while its window is small.
const WRITE_INTERVAL: Duration = Duration::from_secs(1);
/// The same for a window of more than [`FEW`] fingerprints, which costs more to write.
const LARGE_WRITE_INTERVAL: Duration = Duration::from_secs(10);

impl<S: PageSource, C: Callback, K: CheckpointStore> Poll<'_, S, C, K> {
    pub(super) async fn write(&mut self) -> Result<(), End> {
        let now = self.clock.now();
        let room = self.state.known.make_room(self.edges.store, now).await;
        room.map_err(unread)?;
        let capacity = self.edges.store.window_capacity();
        let since = self.kept_since();
        let checkpoint = self.state.checkpoint(self.plan, since, capacity)?;
        let segments = self.state.unstored(&checkpoint);
        self.edges
            .store
            .save(&checkpoint, &segments, &self.progress)
            .await
            .map_err(End::StoreFailed)?;
        self.state.stored(checkpoint);
        self.written = Some(Instant::now());
        Ok(())
    }

    /// Stores what is settled, however the sweep ended.
    pub(in crate::poll) async fn finish(mut self, swept: Result<(), End>) -> Outcome {
        let mut end = swept.err().unwrap_or(End::Complete);
        let lost = matches!(end, End::StoreFailed(StoreError::ClaimLost(_)));
        if !lost
            && self.state.is_due()
            && let Err(failed) = self.write().await
        {
            end = failed;
        }
        if self.state.records.is_cut {
            self.progress.notes.push(WINDOW_CUT.to_owned());
        }
        if self.state.children.is_full {
            self.progress.notes.push(too_many_children());
        }
        let lost = matches!(end, End::StoreFailed(StoreError::ClaimLost(_)));
        let capacity = self.edges.store.window_capacity();
        let since = self.kept_since();
        let trail = Some(self.trail.end(&self.state));
        let checkpoint = (!lost).then(|| self.state.into_held(self.plan, since, capacity));
        Outcome {
            checkpoint,
            progress: self.progress,
            end,
            findings: Vec::new(),
            trail,
        }
    }
}

impl<S: PageSource, C: Callback, K: CheckpointStore> Settle for Poll<'_, S, C, K> {
    fn settle(&mut self, change: &Change) {
        self.state.settle(self.plan, change);
        self.progress.last_event = Some(self.clock.now());
        self.progress.count(change.kind);
    }

    fn set_aside(&mut self, change: &Change, how: How, rejection: &Rejection) {
        self.state.settle(self.plan, change);
        let event = SetAside {
            object_id: change.id.clone(),
            how,
            status: rejection.status,
            message: rejection.message.clone(),
        };
        event.log(change, &self.plan.origin);
        self.progress.set_aside(event);
    }

    fn settled_until(&mut self, track: Track, date: DateTime<Utc>) {
        let &mut Pace { clock, follows } = self.pace(track);
        if follows {
            self.state.advance(track, date.min(clock));
        }
    }

    async fn write_due(&mut self) -> Result<(), End> {
        match self.next_write() {
            Some(due) if due <= Instant::now() => self.write().await,
            _ => Ok(()),
        }
    }

    fn next_write(&self) -> Option<Instant> {
        let interval = if self.state.records.window.len() > FEW {
            LARGE_WRITE_INTERVAL
        } else {
            WRITE_INTERVAL
        };
        let after = self
            .written
            .map_or_else(Instant::now, |written| written + interval);
        self.state.is_due().then_some(after)
    }
}

fn too_many_children() -> String {
    format!(
        "more than {MAX_CHILDREN} pollers take a class of this one's records, or did: what comes from \
         the others comes from this poller too, so twice; delete pollers of single classes"
    )
}

/// Ids that the checkpoint names and nobody can read: nothing is read as empty.
pub(super) fn unread(error: UnreadIds) -> End {
    match error {
        UnreadIds::Segment(LoadError::Store(error)) => End::StoreFailed(error),
        UnreadIds::Segment(LoadError::Damaged(damage)) => Unusable::Segment(damage).into(),
        UnreadIds::Damaged(damage) => Unusable::Damaged(damage.to_string()).into(),
    }
}
