//! Taking up a checkpoint, and what becomes of it under another plan.

use chrono::{DateTime, Utc};

use super::State;
use crate::{
    api::{CHECKPOINT_VERSION, Checkpoint, RunningReplay, WHOLE_CHECKPOINT_VERSION},
    poll::{
        CheckpointStore, End, Plan, Track,
        children::{Bounds, Children},
        fingerprint::Fingerprints,
        held::{Due, Held},
        intact,
        reconcile::Known,
        replay::Replaying,
        stream::Stream,
        unusable::Unusable,
    },
};

impl State {
    /// The checkpoint of a poller that starts at `started_at` and is made at `now`, both by the
    /// provider's clock.
    pub(in crate::poll) fn starting(
        plan: &Plan,
        started_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Checkpoint {
        let deletes = plan.deletions.as_ref().map(|deletions| {
            let from = if deletions.from_start {
                started_at
            } else {
                now
            };
            Stream::starting(from)
        });
        Checkpoint {
            version: WHOLE_CHECKPOINT_VERSION,
            uid: plan.uid.clone(),
            query_fingerprint: plan.query_fingerprint.clone(),
            started_at,
            start_from: Some(plan.start_from),
            asked_since: None,
            swept_at: None,
            records: Stream::starting(started_at),
            deletes,
            reconcile: None,
            replay: None,
            children: Vec::new(),
        }
    }

    /// Takes up a checkpoint, reading from the store what this process doesn't hold.
    pub(in crate::poll) async fn resume<K: CheckpointStore>(
        plan: &Plan,
        held: Held,
        store: &mut K,
    ) -> Result<Self, End> {
        let Held {
            checkpoint,
            records,
            deletes,
            replayed,
            reconciling,
            refusal,
            fresh,
            due,
            is_naming_in_doubt,
            written,
        } = held;
        check(plan, &checkpoint)?;
        let mut records = match records {
            Some(records) => *records,
            None => Stream::resume(Track::Records, &checkpoint.records, store).await?,
        };
        if let Some(key) = key_of_replay(&checkpoint).filter(|_| records.window.len() == 0) {
            records.rename(key);
        }
        let known = Known::resume(
            checkpoint.reconcile.as_ref(),
            plan.reconcile.as_ref(),
            fresh,
        )?;
        let least_version = match due {
            Due::Nothing => checkpoint.least_version(),
            // It is not stored, and was made with regard to what is.
            _ => checkpoint.version,
        };
        let is_dropped = known.part().is_none() && checkpoint.reconcile.is_some();
        let due = if is_dropped { Due::Settled } else { due };
        let listed = checkpoint
            .deletes
            .as_ref()
            .filter(|_| plan.deletions.is_some());
        let deletes = match (listed, deletes) {
            (Some(_), Some(deletes)) => Some(*deletes),
            (Some(stored), None) => Some(Stream::resume(Track::Deletions, stored, store).await?),
            (None, _) => None,
        };
        let is_given_up = deletes.is_none() && checkpoint.deletes.is_some();
        let ignored = &checkpoint.records.content_ignored;
        let mut state = Self {
            records,
            replaying: None,
            replayed,
            deletes,
            children: Children::resume(&checkpoint.children),
            known,
            reconciling,
            refusal,
            swept_at: checkpoint.swept_at,
            content_ignored: ignored.is_some() && *ignored == plan.content,
            is_naming_in_doubt,
            due: if is_given_up { Due::Settled } else { due },
            least_version,
            written,
            stored: checkpoint,
        };
        if state.stored.query_fingerprint != plan.query_fingerprint {
            state.ask_otherwise(plan);
        }
        state.meet_children(plan);
        Ok(state)
    }

    /// Takes note of who takes which class by now. The class of a poller that is gone is read again
    /// from where that one stopped (polling rule 17).
    fn meet_children(&mut self, plan: &Plan) {
        let deletes = self.deletes.as_ref();
        let settled = Bounds {
            records: self.records.settled_before(plan),
            deletions: deletes.map(|deletes| deletes.settled_before(plan)),
        };
        let met = self.children.meet(plan, settled);
        if let Some(instant) = met.read_again {
            self.records.take_back(instant.max(self.started_at()));
        }
        if let Some((deletes, instant)) = self.deletes.as_mut().zip(met.deletions_again) {
            deletes.take_back(instant);
        }
        self.due = self.due.max(met.due);
    }

    /// After an edit of what is asked, the next bound reads back to where the old question was
    /// last answered, whatever the window covers (polling rules 22 and 23).
    fn ask_otherwise(&mut self, plan: &Plan) {
        // A start in the future lies behind the clock at which the sweeps before it began.
        let answered = self.swept_at.map(|swept| swept.max(self.started_at()));
        self.records.read_back(answered, plan.reach);
        if let Some(answered) = answered {
            self.children.read_back(answered - plan.reach);
        }
        self.stored
            .query_fingerprint
            .clone_from(&plan.query_fingerprint);
        self.stored.asked_since = Some(self.records.watermark);
        self.due = Due::Settled;
    }

    /// Reads a replay from here on, as far as it is settled, and leaves the poller's own stream as it
    /// is but for what is delivered inside its reach: from `since` on, where the next poll begins.
    pub(in crate::poll) async fn replay<K: CheckpointStore>(
        &mut self,
        plan: &Plan,
        replay: &RunningReplay,
        since: DateTime<Utc>,
        store: &mut K,
    ) -> Result<(), End> {
        let running = self.stored.running_replay();
        let is_held = running.is_some_and(|running| running.id == replay.id);
        let mut records = match self.replayed.take().filter(|_| is_held) {
            Some(replayed) => *replayed,
            None => Stream::resume(Track::Records, &replay.records, store).await?,
        };
        records.rename(self.records.fingerprints);
        let own = std::mem::replace(&mut self.records, records);
        self.children.renew();
        self.replaying = Some(Replaying::new(plan, replay, own, since));
        // The position is stored however the stretch ends.
        self.due = Due::Settled;
        Ok(())
    }
}

/// What a running replay names versions with: a window without one must name them alike, or what the
/// replay delivers could not enter it.
fn key_of_replay(checkpoint: &Checkpoint) -> Option<Fingerprints> {
    let window = checkpoint.running_replay()?.records.window.as_ref()?;
    Fingerprints::from_encoded(&window.key)
}

/// Whether a poll of this plan may go on from `checkpoint`.
fn check(plan: &Plan, checkpoint: &Checkpoint) -> Result<(), Unusable> {
    let version = checkpoint.version;
    if version > CHECKPOINT_VERSION {
        return Err(Unusable::TooNew(version));
    }
    if version < 1 {
        return Err(Unusable::Damaged(format!("its version is {version}")));
    }
    if checkpoint.uid != plan.uid {
        return Err(Unusable::Foreign(checkpoint.uid.clone()));
    }
    intact::check(checkpoint).map_err(Unusable::Damaged)
}
