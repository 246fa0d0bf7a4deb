//! One poller with its file, polled once or until it is stopped.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{once, report::Report, state::FileCheckpointStore};
use crate::{
    api::Checkpoint,
    fleet::{self, Observer, Poller},
    poll::Outcome,
};

/// One poller, its checkpoint, and where its lines go.
pub(super) struct Runner {
    /// The poller's name in the report.
    pub(super) label: String,
    pub(super) poller: Poller,
    pub(super) checkpoint: Option<Checkpoint>,
    pub(super) store: FileCheckpointStore,
    pub(super) report: Arc<Report>,
}

impl Runner {
    /// Polls once, and again while that may settle what is open; returns whether all is settled.
    pub(super) async fn settle(mut self, patience: Duration, stop: &CancellationToken) -> bool {
        let poll = async || {
            let outcome = self
                .poller
                .poll(self.checkpoint.clone(), &mut self.store, stop)
                .await;
            self.report.polled(&self.label, &outcome);
            if outcome.checkpoint.is_some() {
                self.checkpoint.clone_from(&outcome.checkpoint);
            }
            outcome
        };
        once::settle(poll, patience, stop).await
    }

    /// Polls at the poller's interval until `stop`.
    pub(super) async fn keep_polling(self, poke: watch::Receiver<u64>, stop: CancellationToken) {
        let observer = Reporter {
            label: self.label,
            report: self.report,
        };
        fleet::run(
            self.poller,
            self.checkpoint,
            self.store,
            observer,
            poke,
            stop,
        )
        .await;
    }
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

    async fn waiting(&mut self, reason: &str) {
        self.report.waiting(&self.label, reason);
    }
}
