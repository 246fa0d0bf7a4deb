//! One poller with its file, polled once or until it is stopped.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{once, report::Report, state::FileCheckpointStore};
use crate::{
    fleet::{self, Begin, Observer, Poller},
    poll::{CheckpointStore as _, End, Held, Outcome},
};

/// One poller, its file, and where its lines go.
pub(super) struct Runner {
    /// The poller's name in the report.
    pub(super) label: String,
    pub(super) poller: Poller,
    pub(super) store: FileCheckpointStore,
    pub(super) report: Arc<Report>,
}

impl Runner {
    /// Polls once, and again while that may settle what is open; returns whether all is settled.
    pub(super) async fn settle(mut self, patience: Duration, stop: &CancellationToken) -> bool {
        let mut checkpoint = None;
        let poll = async || {
            let mut outcome = self.poll(checkpoint.take(), stop).await;
            self.report.polled(&self.label, &outcome);
            checkpoint = outcome.checkpoint.take();
            while let Some(held) = comparing(&outcome, &mut checkpoint) {
                outcome = self.poll(Some(held), stop).await;
                self.report.polled(&self.label, &outcome);
                checkpoint = outcome.checkpoint.take();
            }
            while let Some(held) = self.replaying(&outcome, &mut checkpoint) {
                outcome = self.poller.replay(held, &mut self.store, stop).await;
                let is_over = !self.poller.goes_on_replaying(&outcome);
                self.report.replayed(&self.label, &outcome, is_over);
                checkpoint = outcome.checkpoint.take();
            }
            if outcome.end == End::Complete {
                outcome.end = self.poller.hindrance().unwrap_or(End::Complete);
            }
            outcome
        };
        once::settle(poll, patience, stop).await
    }

    /// What a replay goes on from behind a poll, or a stretch of the replay, that ended so.
    fn replaying(&self, outcome: &Outcome, held: &mut Option<Held>) -> Option<Held> {
        let goes_on = outcome.end == End::Complete;
        held.take_if(|held| goes_on && self.poller.is_replaying(held))
    }

    async fn poll(&mut self, known: Option<Held>, stop: &CancellationToken) -> Outcome {
        let stored = match known {
            Some(held) => Ok(Some(held)),
            None => self.store.load().await.map(|stored| stored.map(Held::from)),
        };
        match stored {
            Ok(held) => {
                self.poller
                    .poll_unless_held(held, &mut self.store, stop)
                    .await
            }
            Err(error) => Outcome::of(End::StoreFailed(error)),
        }
    }

    /// Polls at the poller's interval until `stop`.
    pub(super) async fn keep_polling(self, poke: watch::Receiver<u64>, stop: CancellationToken) {
        let observer = Reporter {
            label: self.label,
            report: self.report,
        };
        // Somebody has just started this, and looks on.
        let begin = Begin::AtOnce;
        fleet::run(self.poller, self.store, observer, begin, poke, stop).await;
    }
}

/// What a comparison of ids goes on from that the last poll left under way.
fn comparing(outcome: &Outcome, checkpoint: &mut Option<Held>) -> Option<Held> {
    if outcome.end != End::Complete {
        return None;
    }
    checkpoint.take_if(|held| held.is_comparing())
}

/// Makes lines of what a poller does.
struct Reporter {
    label: String,
    report: Arc<Report>,
}

impl Observer for Reporter {
    async fn polled(&mut self, outcome: &Outcome) {
        self.report.polled(&self.label, outcome);
    }

    async fn replayed(&mut self, outcome: &Outcome, is_over: bool) {
        self.report.replayed(&self.label, outcome, is_over);
    }

    async fn waiting(&mut self, reason: &str) {
        self.report.waiting(&self.label, reason);
    }
}
