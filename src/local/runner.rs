//! One poller with its file, polled once or until it is stopped.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{once, replays::Replays, report::Report, state::FileCheckpointStore};
use crate::{
    fleet::{self, Begin, Instance, Observer, Poller, TellingStore},
    poll::{CheckpointStore as _, End, Held, Outcome},
};

/// One poller, its file, and where its lines go.
pub(super) struct Runner {
    poller: Poller,
    store: TellingStore<FileCheckpointStore>,
    reporter: Reporter,
}

impl Runner {
    /// A runner of the poller that `report` calls `label`.
    pub(super) fn new(
        label: String,
        poller: Poller,
        store: FileCheckpointStore,
        replays: Replays,
        report: Arc<Report>,
    ) -> Self {
        let (told, of) = (Arc::clone(&report), label.clone());
        let store = TellingStore::new(store, move |progress| told.progressed(&of, progress));
        let reporter = Reporter {
            label,
            report,
            instance: Arc::clone(poller.instance()),
            replays,
        };
        Self {
            poller,
            store,
            reporter,
        }
    }

    /// Polls once, and again while that may settle what is open; returns whether all is settled.
    pub(super) async fn settle(mut self, patience: Duration, stop: &CancellationToken) -> bool {
        let mut checkpoint = None;
        let poll = async || {
            let mut outcome = self.poll(checkpoint.take(), stop).await;
            self.reporter.tell(&outcome);
            checkpoint = outcome.checkpoint.take();
            while let Some(held) = comparing(&outcome, &mut checkpoint) {
                outcome = self.poll(Some(held), stop).await;
                self.reporter.tell(&outcome);
                checkpoint = outcome.checkpoint.take();
            }
            while let Some(held) = self.replaying(&outcome, &mut checkpoint) {
                outcome = self.poller.replay(held, &mut self.store, stop).await;
                let is_over = !self.poller.goes_on_replaying(&outcome);
                self.reporter.tell_of_replay(&outcome, is_over);
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
        // Somebody has just started this, and looks on.
        let begin = Begin::AtOnce;
        fleet::run(self.poller, self.store, self.reporter, begin, poke, stop).await;
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
    /// The poller's name in the report.
    label: String,
    report: Arc<Report>,
    instance: Arc<Instance>,
    replays: Replays,
}

impl Reporter {
    fn tell(&mut self, outcome: &Outcome) {
        let is_held = self.instance.is_held();
        self.report.polled(&self.label, outcome, is_held);
        self.tell_of_end(outcome);
    }

    fn tell_of_replay(&mut self, outcome: &Outcome, is_over: bool) {
        let is_held = self.instance.is_held();
        self.report.replayed(&self.label, outcome, is_over, is_held);
        self.tell_of_end(outcome);
    }

    fn tell_of_end(&mut self, outcome: &Outcome) {
        if let Some(id) = self.replays.ended(outcome) {
            self.report.replay_is_over(&self.label, &id);
        }
    }
}

impl Observer for Reporter {
    async fn polled(&mut self, outcome: &Outcome) {
        self.tell(outcome);
    }

    async fn replayed(&mut self, outcome: &Outcome, is_over: bool) {
        self.tell_of_replay(outcome, is_over);
    }

    async fn waiting(&mut self, reason: &str) {
        self.report.waiting(&self.label, reason);
    }
}
