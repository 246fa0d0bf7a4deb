//! One request with a password that may be wrong, and what becomes of it.

use std::sync::Arc;

use tokio::sync::OwnedMutexGuard;

use super::{Known, Lockout, TriedPassword};

/// What an answer says of the password that was sent.
#[derive(Debug)]
pub(in crate::provider) enum Verdict {
    Accepted,
    /// Refused, in these words.
    Refused(String),
    /// The answer is lost.
    Unanswered,
    /// Nobody has looked at it.
    Unlooked,
    /// Nothing, and the next answer may say nothing either.
    Open,
}

/// Leave to send the password once. Dropped without a [verdict](Verdict), its answer is lost.
pub(in crate::provider) struct Trial {
    lockout: Arc<Lockout>,
    standing: Standing,
}

pub(super) enum Standing {
    /// It was accepted before.
    Accepted(u64),
    /// Nobody else sends it meanwhile.
    Trying {
        known: OwnedMutexGuard<Known>,
        before: Option<TriedPassword>,
        is_recorded: bool,
    },
    Ended,
}

impl Trial {
    pub(super) fn new(lockout: &Arc<Lockout>, standing: Standing) -> Self {
        Self {
            lockout: Arc::clone(lockout),
            standing,
        }
    }

    /// Takes what has become of it.
    pub(in crate::provider) async fn end(mut self, verdict: Verdict) {
        let lockout = Arc::clone(&self.lockout);
        match std::mem::replace(&mut self.standing, Standing::Ended) {
            Standing::Trying {
                mut known,
                before,
                is_recorded,
            } => lockout.end(&mut known, before, is_recorded, verdict).await,
            Standing::Accepted(accepted) => {
                if let Verdict::Refused(answer) = verdict {
                    lockout.end_acceptance(accepted, answer).await;
                }
            }
            Standing::Ended => {}
        }
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if let Standing::Trying { known, before, .. } = &mut self.standing {
            let last = known.last.take();
            known.last = last.map(|last| last.unanswered(before.as_ref()));
        }
    }
}
