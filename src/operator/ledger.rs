//! What is recorded of one poller: the checkpoint of its polls and its conditions, by one writer.

mod segments;

use std::{
    sync::{
        Arc, Mutex as StdMutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use kube::Client;
use tokio::{sync::Mutex, time::Instant};

use self::segments::SegmentObjects;
use super::{
    budget::{Write, WriteBudget},
    cache::PollerItem,
    notices::{Notice, of_change},
    status::{
        OpenError, Refusal, StatusWriter, WriteError,
        conditions::{READY, Standing, status_of, unswept},
    },
};
use crate::{
    api::{
        Checkpoint, DeletesStatus, PollerResource, PollerResourceStatus, Reconcile,
        WHOLE_CHECKPOINT_VERSION,
    },
    clock::Clock,
    fleet::Stored,
    poll::{CheckpointStore, Progress, Segment, SegmentName, StoreError},
};

/// Fingerprints in one checkpoint: some thirty segments.
const WINDOW_CAPACITY: usize = 1_000_000;

/// Ids of one poller that are compared with the provider's: some megabytes beside its status.
const KNOWN_CAPACITY: usize = 100_000;

/// A write that the budget has no room for is put off until the next one, but no longer than this.
const LONGEST_PUT_OFF: Duration = Duration::from_secs(10);

/// The record of one poller.
pub(super) struct Ledger {
    writer: StatusWriter<PollerResource>,
    reopen: Reopen,
    clock: Clock,
    budget: WriteBudget,
    generation: i64,
    /// Events of the running poll that the stored status counts already.
    counted: u64,
    /// What a poll has settled and the budget had no room for.
    put_off: Option<Box<(Checkpoint, Progress)>>,
    written_at: Option<Instant>,
    /// Whether what the writer holds is what was read last, so that a poll can begin from it.
    fresh: bool,
    refused: Refused,
    stored: Stored,
    segments: SegmentObjects,
}

/// A checkpoint that the server refused, seen by the worker without waiting for a write.
#[derive(Clone, Debug, Default)]
pub(super) struct Refused(Arc<(AtomicBool, StdMutex<Option<Box<RefusedWrite>>>)>);

#[derive(Clone, Debug)]
struct RefusedWrite {
    refusal: Refusal,
    status: PollerResourceStatus,
}

#[derive(Clone)]
struct Reopen {
    client: Client,
    namespace: String,
    name: String,
    uid: String,
}

impl Refused {
    /// The refusal, while it lasts.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        self.0
            .0
            .load(Ordering::SeqCst)
            .then(|| self.held())?
            .map(|held| held.refusal)
    }

    fn held(&self) -> Option<Box<RefusedWrite>> {
        self.0
            .1
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, held: Option<Box<RefusedWrite>>) {
        self.0.0.store(held.is_some(), Ordering::SeqCst);
        *self.0.1.lock().unwrap_or_else(PoisonError::into_inner) = held;
    }
}

impl Ledger {
    /// Opens the record of a poller by reading what is stored.
    pub(super) async fn open(
        client: Client,
        budget: WriteBudget,
        clock: Clock,
        item: &PollerItem,
    ) -> Result<Self, OpenError> {
        let key = &item.key;
        let segments = SegmentObjects::new(client.clone(), budget.clone(), key, &item.uid);
        let reopen = Reopen {
            client,
            namespace: key.namespace.clone(),
            name: key.name.clone(),
            uid: item.uid.clone(),
        };
        let writer = reopen.open(budget.clone()).await?;
        let stored = Stored::of(writer.status().checkpoint.as_ref());
        Ok(Self {
            writer,
            reopen,
            clock,
            budget,
            generation: item.generation,
            counted: 0,
            put_off: None,
            written_at: None,
            fresh: true,
            refused: Refused::default(),
            stored,
            segments,
        })
    }

    /// The status as it is stored.
    pub(super) const fn status(&self) -> &PollerResourceStatus {
        self.writer.status()
    }

    pub(super) fn refused(&self) -> Refused {
        self.refused.clone()
    }

    pub(super) fn stored(&self) -> Stored {
        self.stored.clone()
    }

    /// From here on the record speaks of this generation.
    pub(super) fn observe(&mut self, generation: i64) {
        self.generation = generation;
    }

    /// Writes the conditions, and what was put off with them; answers with what is worth telling.
    pub(super) async fn report(
        &mut self,
        standing: Option<&Standing>,
    ) -> Result<Vec<Notice>, WriteError> {
        let mut next = self.status().clone();
        let what = if self.put_off.is_some() {
            Write::Checkpoint
        } else {
            Write::Condition
        };
        if let Some((checkpoint, progress)) = self.put_off.as_deref() {
            self.enter(&mut next, checkpoint, progress);
        }
        if let Some(standing) = standing {
            standing.apply(&mut next.conditions, self.generation, self.clock.now());
            next.observed_generation = Some(self.generation);
        }
        let notices = of_change(&self.status().conditions, &next.conditions);
        self.write(next, what).await?;
        if let Some(put_off) = self.put_off.take() {
            self.counted = put_off.1.events();
        }
        Ok(notices)
    }

    /// Begins to poll this generation, from what is stored. Says so where nothing good was said of
    /// the poller yet and the budget has room: a first look must not delay the first poll.
    pub(super) async fn begin(&mut self, generation: i64) -> Result<(), WriteError> {
        self.generation = generation;
        self.write_put_off().await?;
        let conditions = &self.status().conditions;
        let is_telling = matches!(status_of(conditions, READY), None | Some("False"));
        // What has not come to an end for long is no better for a restart.
        let is_lasting = unswept(conditions, generation).is_some_and(|of| of.status == "False");
        if is_telling && !is_lasting && self.budget.try_acquire(Write::Condition) {
            let mut next = self.status().clone();
            let standing = Standing::progressing("waiting for the first poll");
            standing.apply(&mut next.conditions, generation, self.clock.now());
            self.writer.write_granted(next).await?;
        }
        Ok(())
    }

    /// Stores what an earlier task had settled and could put off: this one begins from what is stored,
    /// and would deliver it again.
    async fn write_put_off(&mut self) -> Result<(), WriteError> {
        let Some((checkpoint, progress)) = self.put_off.take().map(|put_off| *put_off) else {
            return Ok(());
        };
        let mut next = self.status().clone();
        self.enter(&mut next, &checkpoint, &progress);
        self.counted = 0;
        self.write(next, Write::Checkpoint).await
    }

    /// Ends a poll: the next one's events are counted from none.
    pub(super) fn end_poll(&mut self) {
        self.counted = 0;
    }

    /// Records that the command in the poll-requested-at annotation was acted on.
    pub(super) async fn handled(&mut self, request: &str) -> Result<(), WriteError> {
        let mut next = self.status().clone();
        next.last_handled_poll_request = Some(request.to_owned());
        self.write(next, Write::Condition).await
    }

    /// Tries the refused write again; `true` when nothing is refused any more.
    pub(super) async fn retry_refused(&mut self) -> bool {
        let Some(held) = self.refused.held() else {
            return true;
        };
        let mut next = held.status;
        next.conditions.clone_from(&self.status().conditions);
        if next != *self.status() {
            self.budget.acquire(Write::Checkpoint).await;
            if self.store(&next).await.is_err() {
                return false;
            }
        }
        self.refused.set(None);
        self.stored.note(self.writer.status().checkpoint.as_ref());
        true
    }

    async fn save(
        &mut self,
        checkpoint: &Checkpoint,
        segments: &[Segment],
        progress: &Progress,
    ) -> Result<(), StoreError> {
        self.segments.add(segments);
        let may_be_put_off = self.may_be_put_off();
        if may_be_put_off && !self.budget.try_acquire(Write::Checkpoint) {
            self.put_off = Some(Box::new((checkpoint.clone(), progress.clone())));
            return Ok(());
        }
        let mut next = self.status().clone();
        self.enter(&mut next, checkpoint, progress);
        if next == *self.status() {
            return Ok(());
        }
        if !may_be_put_off {
            self.budget.acquire(Write::Checkpoint).await;
        }
        let stored = self.store(&next).await;
        self.settle(&stored, next);
        if stored.is_ok() {
            self.counted = progress.events();
            self.put_off = None;
            self.written_at = Some(Instant::now());
        }
        Ok(stored?)
    }

    async fn write(&mut self, next: PollerResourceStatus, what: Write) -> Result<(), WriteError> {
        let stored = if next == *self.status() {
            Ok(())
        } else {
            self.budget.acquire(what).await;
            self.store(&next).await
        };
        self.settle(&stored, next);
        stored
    }

    /// Stores a status, which the budget has granted, in its order: the segments that its checkpoint
    /// names, itself, and then the removal of those that it no longer names.
    async fn store(&mut self, next: &PollerResourceStatus) -> Result<(), WriteError> {
        if next.checkpoint == self.status().checkpoint {
            return self.writer.write_granted(next.clone()).await;
        }
        let mut checkpoints = self.status().checkpoint.iter().chain(&next.checkpoint);
        if checkpoints.any(may_have_segments) {
            self.segments.look().await;
        }
        self.segments.create(next.checkpoint.as_ref()).await?;
        self.writer.write_granted(next.clone()).await?;
        self.segments.remove_unnamed(next.checkpoint.as_ref()).await;
        Ok(())
    }

    fn settle(&mut self, stored: &Result<(), WriteError>, status: PollerResourceStatus) {
        self.fresh = false;
        self.stored.note(self.writer.status().checkpoint.as_ref());
        if let Err(WriteError::Refused(refusal)) = stored {
            self.refused.set(Some(Box::new(RefusedWrite {
                refusal: refusal.clone(),
                status,
            })));
        }
    }

    /// A first checkpoint is never put off: before it is stored, nothing may be delivered.
    fn may_be_put_off(&self) -> bool {
        self.status().checkpoint.is_some()
            && self
                .written_at
                .is_some_and(|at| at.elapsed() < LONGEST_PUT_OFF)
    }

    fn enter(
        &self,
        status: &mut PollerResourceStatus,
        checkpoint: &Checkpoint,
        progress: &Progress,
    ) {
        let now = self.clock.now();
        let events =
            i64::try_from(progress.events().saturating_sub(self.counted)).unwrap_or(i64::MAX);
        let held = checkpoint.reconcile.as_ref().and_then(Reconcile::held);
        status.deletes = held.map(|held| DeletesStatus { held: Some(held) });
        status.checkpoint = Some(checkpoint.clone());
        status.last_settled = Some(settled_by(checkpoint, now));
        status.last_event = progress.last_event.or(status.last_event);
        status.events = Some(status.events.unwrap_or_default().saturating_add(events));
    }

    async fn load(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        if !std::mem::take(&mut self.fresh) {
            self.writer =
                self.reopen
                    .open(self.budget.clone())
                    .await
                    .map_err(|error| match error {
                        OpenError::Unavailable(message) => StoreError::Unavailable(message),
                        OpenError::Gone => StoreError::ClaimLost("the object is gone".to_owned()),
                        OpenError::CheckpointTooNew(_)
                        | OpenError::UnknownField(_)
                        | OpenError::Unreadable(_) => StoreError::ClaimLost(
                            "a newer release has written its status".to_owned(),
                        ),
                    })?;
            self.put_off = None;
            self.segments.forget_unstored();
            self.stored.note(self.writer.status().checkpoint.as_ref());
        }
        Ok(self.status().checkpoint.clone())
    }
}

/// Whether a checkpoint has segments, or took the place of one that had.
const fn may_have_segments(checkpoint: &Checkpoint) -> bool {
    checkpoint.version > WHOLE_CHECKPOINT_VERSION
}

/// The watermark, never later than now: a date column shows a later one as invalid.
fn settled_by(checkpoint: &Checkpoint, now: DateTime<Utc>) -> DateTime<Utc> {
    checkpoint.records.watermark.min(now)
}

impl Reopen {
    async fn open(&self, budget: WriteBudget) -> Result<StatusWriter<PollerResource>, OpenError> {
        StatusWriter::open(
            self.client.clone(),
            budget,
            &self.namespace,
            &self.name,
            &self.uid,
        )
        .await
    }
}

/// A poller's checkpoint in its status.
pub(super) struct KubeCheckpointStore(pub(super) Arc<Mutex<Ledger>>);

impl CheckpointStore for KubeCheckpointStore {
    fn window_capacity(&self) -> usize {
        WINDOW_CAPACITY
    }

    fn known_capacity(&self) -> usize {
        KNOWN_CAPACITY
    }

    async fn load(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        self.0.lock().await.load().await
    }

    async fn load_segment(&mut self, name: &SegmentName) -> Result<Option<Bytes>, StoreError> {
        let segments = self.0.lock().await.segments.reader();
        segments.read(name).await
    }

    async fn save(
        &mut self,
        checkpoint: &Checkpoint,
        segments: &[Segment],
        progress: &Progress,
    ) -> Result<(), StoreError> {
        let mut ledger = self.0.lock().await;
        ledger.save(checkpoint, segments, progress).await
    }
}

#[cfg(test)]
mod tests;
