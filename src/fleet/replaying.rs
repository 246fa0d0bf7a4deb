//! Replays of one poller, between its polls.

use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{Poller, holds::fails_instance, poller::Errand};
use crate::poll::{self, CheckpointStore, End, Held, Outcome, Progress};

impl Poller {
    /// Whether a replay is to go on behind a poll that left `held`; one that is hindered waits for the
    /// next poll.
    #[must_use]
    pub fn is_replaying(&self, held: &Held) -> bool {
        self.remarks.hindrance().is_none() && self.has_replay(held)
    }

    /// Whether a replay is to go on behind a stretch of it.
    #[must_use]
    pub fn goes_on_replaying(&self, stretch: &Outcome) -> bool {
        let held = stretch.checkpoint.as_ref();
        stretch.end == End::Complete && held.is_some_and(|held| self.is_replaying(held))
    }

    /// How the last stretch of a replay ended, where something hinders the replay alone.
    #[must_use]
    pub fn hindrance(&self) -> Option<End> {
        self.remarks.hindrance()
    }

    fn has_replay(&self, held: &Held) -> bool {
        !held.is_unwritten() && poll::is_replaying(&self.plan, held)
    }

    /// Reads the next stretch of a replay. Never beside a poll of the same poller.
    pub async fn replay<S: CheckpointStore>(
        &self,
        held: Held,
        store: &mut S,
        stop: &CancellationToken,
    ) -> Outcome {
        let polled = Progress::default();
        let stretch = self.stretch(held, &polled, store, stop);
        let mut outcome = stretch.instrument(self.span()).await;
        outcome.findings = self.findings();
        self.remarks.make(&mut outcome, &self.plan);
        outcome
    }

    /// Begins a replay, or goes on with it, right behind a poll that is complete: both are told as
    /// one, or what hinders a replay would be told and taken back with every poll. The end is the poll's.
    pub(super) async fn begin_replay<S: CheckpointStore>(
        &self,
        mut polled: Outcome,
        store: &mut S,
        stop: &CancellationToken,
    ) -> Outcome {
        let is_complete = polled.end == End::Complete;
        let held = polled
            .checkpoint
            .take_if(|held| is_complete && self.has_replay(held));
        let Some(held) = held else {
            return polled;
        };
        self.stretch(held, &polled.progress, store, stop).await
    }

    async fn stretch<S: CheckpointStore>(
        &self,
        held: Held,
        polled: &Progress,
        store: &mut S,
        stop: &CancellationToken,
    ) -> Outcome {
        let mut held = Some(held);
        let errand = Errand::Replay(Box::new(polled.clone()));
        let swept = self.sweep(&mut held, errand, store, stop).await;
        let mut outcome = swept.unwrap_or_else(|end| Outcome {
            checkpoint: held,
            ..Outcome::of(end)
        });
        // What could not begin counted nothing, not even what the poll had done.
        if outcome.progress.requests < polled.requests {
            outcome.progress = polled.clone();
        }
        log(&outcome, polled);
        let hindered = hinders_the_replay_alone(&outcome.end);
        let hindrance = hindered.then(|| std::mem::replace(&mut outcome.end, End::Complete));
        self.remarks.hinder(hindrance);
        outcome
    }
}

/// Whether polls may go on behind a stretch that ended so: what holds the instance, or the store, holds
/// them too.
fn hinders_the_replay_alone(end: &End) -> bool {
    let is_shared = matches!(
        end,
        End::Complete | End::Stopped | End::CallbackGone | End::StoreFailed(_)
    );
    !is_shared && !fails_instance(end)
}

/// Writes the stretch's line, with what it did beyond the poll before it.
fn log(outcome: &Outcome, polled: &Progress) {
    let progress = &outcome.progress;
    tracing::debug!(
        target: "pollen::poll",
        result = outcome.end.result(),
        requests = progress.requests - polled.requests,
        read = progress.read - polled.read,
        created = progress.created - polled.created,
        updated = progress.updated - polled.updated,
        "replayed"
    );
}
