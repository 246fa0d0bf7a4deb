//! One request with a password that may be wrong, and what becomes of it.

use std::sync::Arc;

use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMutexGuard},
};

use super::{Known, Lockout, TriedPassword};

/// Whose turn it is to be tried among the passwords of one instance: what becomes of one is stored before
/// the next looks into the store.
pub(in crate::provider::auth) type Turn = Arc<Mutex<()>>;

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
    Trying(Trying),
    Ended,
}

/// A trial whose record replaced `before`.
pub(super) struct Trying {
    pub(super) known: OwnedMutexGuard<Known>,
    pub(super) turn: OwnedMutexGuard<()>,
    pub(super) before: Option<TriedPassword>,
    pub(super) is_recorded: bool,
    /// Somebody may send it by now.
    pub(super) is_claimed: bool,
}

impl Trial {
    pub(super) fn new(lockout: &Arc<Lockout>, standing: Standing) -> Self {
        Self {
            lockout: Arc::clone(lockout),
            standing,
        }
    }

    /// The same, in the hands of whoever sends it.
    pub(super) fn claimed(mut self) -> Self {
        if let Standing::Trying(trying) = &mut self.standing {
            trying.is_claimed = true;
        }
        self
    }

    /// Whether what is sent may be wrong.
    pub(in crate::provider::auth) const fn is_under_way(&self) -> bool {
        matches!(self.standing, Standing::Trying(_))
    }

    /// Takes what has become of it.
    pub(in crate::provider) async fn end(mut self, verdict: Verdict) {
        let lockout = Arc::clone(&self.lockout);
        match std::mem::replace(&mut self.standing, Standing::Ended) {
            Standing::Trying(trying) => lockout.end_trial(trying, verdict).await,
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
        let standing = std::mem::replace(&mut self.standing, Standing::Ended);
        let Standing::Trying(mut trying) = standing else {
            return;
        };
        if trying.is_claimed {
            let last = trying.known.last.take();
            trying.known.last = last.map(|last| last.unanswered(trying.before.as_ref()));
        } else if let Ok(runtime) = Handle::try_current() {
            let lockout = Arc::clone(&self.lockout);
            runtime.spawn(lockout.end_trial(trying, Verdict::Unlooked));
        }
    }
}
