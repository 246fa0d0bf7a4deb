//! Replays of one poller, between its polls.

use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{Poller, poller::Errand};
use crate::poll::{self, CheckpointStore, End, Held, Outcome, Progress};

impl Poller {
    /// Whether a replay is to go on behind a poll that left `held`.
    #[must_use]
    pub fn is_replaying(&self, held: &Held) -> bool {
        !held.is_unwritten() && poll::is_replaying(&self.plan, held)
    }

    /// Reads the next stretch of a replay. Never beside a poll of the same poller.
    pub async fn replay<S: CheckpointStore>(
        &self,
        held: Held,
        store: &mut S,
        stop: &CancellationToken,
    ) -> Outcome {
        let stretch = self.stretch(held, Progress::default(), store, stop);
        let mut outcome = stretch.instrument(self.span()).await;
        outcome.findings = self.findings();
        self.remarks.make(&mut outcome, &self.plan);
        outcome
    }

    /// Begins a replay, or goes on with it, right behind a poll that is complete: both are told as
    /// one, or what hinders a replay would be told and taken back with every poll.
    pub(super) async fn begin_replay<S: CheckpointStore>(
        &self,
        mut polled: Outcome,
        store: &mut S,
        stop: &CancellationToken,
    ) -> Outcome {
        let is_complete = polled.end == End::Complete;
        let held = polled
            .checkpoint
            .take_if(|held| is_complete && self.is_replaying(held));
        let Some(held) = held else {
            return polled;
        };
        self.stretch(held, polled.progress, store, stop).await
    }

    async fn stretch<S: CheckpointStore>(
        &self,
        held: Held,
        polled: Progress,
        store: &mut S,
        stop: &CancellationToken,
    ) -> Outcome {
        let mut held = Some(held);
        let errand = Errand::Replay(Box::new(polled.clone()));
        let swept = self.sweep(&mut held, errand, store, stop).await;
        let outcome = swept.unwrap_or_else(|end| Outcome {
            checkpoint: held,
            progress: polled,
            ..Outcome::of(end)
        });
        outcome.log();
        outcome
    }
}
