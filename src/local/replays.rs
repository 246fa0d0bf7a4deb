//! Which replays are over, so that each end is told once.

use crate::{api::Checkpoint, poll::Outcome};

/// The replays of one poller that were over when somebody last looked.
#[derive(Debug, Default)]
pub(super) struct Replays(Vec<String>);

impl Replays {
    /// Those that `stored` shows.
    pub(super) fn of(stored: Option<&Checkpoint>) -> Self {
        Self(stored.map(done).unwrap_or_default().to_vec())
    }

    /// The replay that has come to its end since, if `outcome` shows one.
    pub(super) fn ended(&mut self, outcome: &Outcome) -> Option<String> {
        let done = done(&outcome.checkpoint.as_ref()?.checkpoint);
        let ended = done.iter().find(|id| !self.0.contains(id)).cloned()?;
        self.0 = done.to_vec();
        Some(ended)
    }
}

fn done(checkpoint: &Checkpoint) -> &[String] {
    let progress = checkpoint.replay.as_ref();
    progress.map_or(&[], |progress| &progress.done)
}
