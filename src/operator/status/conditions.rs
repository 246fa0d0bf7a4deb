//! What an object's `Ready`, `Reconciling` and `Stalled` should say.

use chrono::{DateTime, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::api::{
    conditions::{Aspect, Conditions, Status, find},
    reasons::{self, Reason},
};

/// The type of the condition that every object has.
pub(in crate::operator) const READY: &str = "Ready";

/// The standing of an object, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::operator) struct Standing {
    ready: Ready,
    reason: Reason,
    message: String,
    /// Whether a sweep has read everything, where one has come to an end.
    is_swept: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ready {
    True,
    False,
    Stalled,
    Unknown,
    /// As it was, or Unknown where it was never said.
    Kept,
}

impl Standing {
    fn new(ready: Ready, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            ready,
            reason,
            message: message.into(),
            is_swept: None,
        }
    }

    /// The same of a poller whose sweep has read everything, or has not.
    pub(in crate::operator) const fn swept(mut self, is_swept: bool) -> Self {
        self.is_swept = Some(is_swept);
        self
    }

    /// All is well, or at rest as its user asked.
    pub(in crate::operator) fn ready(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Ready::True, reason, message)
    }

    /// Not ready until something else changes, which may happen by itself.
    pub(in crate::operator) fn waiting(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Ready::False, reason, message)
    }

    /// Not ready until a person acts.
    pub(in crate::operator) fn stalled(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Ready::Stalled, reason, message)
    }

    /// On the way to a first result.
    pub(in crate::operator) fn progressing(message: impl Into<String>) -> Self {
        Self::new(Ready::Unknown, reasons::PROGRESSING, message)
    }

    /// A failure that is not old enough to change `Ready`.
    pub(in crate::operator) fn transient(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Ready::Kept, reason, message)
    }

    /// Whether `Ready` becomes True by it.
    pub(in crate::operator) fn is_ready(&self) -> bool {
        self.ready == Ready::True
    }

    /// Whether it says the same as `other`, in whatever words.
    pub(in crate::operator) fn is_alike(&self, other: &Self) -> bool {
        self.reason == other.reason
    }

    /// Why it stands so: the reason, and what a person should know.
    pub(in crate::operator) fn why(&self) -> (&'static str, &str) {
        (self.reason.as_str(), &self.message)
    }

    /// The same, once it has lasted too long to be transient.
    pub(in crate::operator) fn lasting(mut self) -> Self {
        if self.ready == Ready::Kept {
            self.ready = Ready::False;
        }
        self
    }

    /// Writes the standing into `all`.
    pub(in crate::operator) fn apply(
        &self,
        all: &mut Vec<Condition>,
        generation: i64,
        now: DateTime<Utc>,
    ) {
        let ready = match self.ready {
            Ready::Kept => said_before(all),
            ready => ready,
        };
        let is_edited = unswept(all, generation).is_none();
        let mut conditions = Conditions::new(std::mem::take(all), Some(generation), now);
        match ready {
            Ready::True => conditions.ready(self.reason, &self.message),
            Ready::False => conditions.failing(self.reason, &self.message),
            Ready::Stalled => conditions.stalled(self.reason, &self.message),
            Ready::Unknown | Ready::Kept => conditions.reconciling(self.reason, &self.message),
        }
        self.tell_of_sweep(&mut conditions, is_edited);
        *all = conditions.into_vec();
    }

    /// What an edit may have mended is unfinished from now on, and not since before.
    fn tell_of_sweep(&self, conditions: &mut Conditions, is_edited: bool) {
        let Some(is_swept) = self.is_swept else {
            return;
        };
        if is_swept || is_edited {
            conditions.clear(Aspect::SweepComplete);
        }
        if !is_swept {
            let status = match self.ready {
                Ready::False => Status::False,
                _ => Status::Unknown,
            };
            conditions.set(Aspect::SweepComplete, status, self.reason, &self.message);
        }
    }
}

/// The condition of a poller that has not read everything since its spec is as it is in this generation.
pub(in crate::operator) fn unswept(all: &[Condition], generation: i64) -> Option<&Condition> {
    find(all, Aspect::SweepComplete.as_str())
        .filter(|condition| condition.observed_generation == Some(generation))
}

/// What `Ready` says; something that stalled has moved again.
fn said_before(all: &[Condition]) -> Ready {
    match status_of(all, READY) {
        Some("True") => Ready::True,
        Some("False") => Ready::False,
        _ => Ready::Unknown,
    }
}

/// The status of the condition of this type.
pub(in crate::operator) fn status_of<'a>(all: &'a [Condition], kind: &str) -> Option<&'a str> {
    find(all, kind).map(|condition| condition.status.as_str())
}

#[cfg(test)]
mod tests;
