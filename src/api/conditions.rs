//! Conditions by the rules of kstatus, which `kubectl wait`, Flux and Argo CD read.
//!
//! `Ready` is always there. `Reconciling` and `Stalled` are there only while true, never both, and
//! never beside `Ready=True`; so each is set by one call that sets the other two along with it.

use std::fmt;

use chrono::{DateTime, SubsecRound as _, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::{reasons::Reason, time};

/// The longest message, in characters; a longer one is cut.
pub const MESSAGE_LIMIT: usize = 1024;

const READY: &str = "Ready";
const RECONCILING: &str = "Reconciling";
const STALLED: &str = "Stalled";

/// The aspects of an object that have conditions of their own, beside the three of kstatus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aspect {
    /// Whether the provider accepts the credentials.
    Authenticated,
    /// Whether the callback accepts events.
    CallbackAccepting,
    /// Whether a poller's last sweep read everything: there only while it did not, so that a restart
    /// does not begin to count anew. Unknown while that may pass by itself, False where it has lasted.
    SweepComplete,
}

impl Aspect {
    /// The condition's type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authenticated => "Authenticated",
            Self::CallbackAccepting => "CallbackAccepting",
            Self::SweepComplete => "SweepComplete",
        }
    }
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It does.
    True,
    /// It does not.
    False,
    /// Not known yet.
    Unknown,
}

impl Status {
    /// The word as it stands in a condition.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The conditions of one object while they are brought up to date.
///
/// Messages say what failed, where, and what to do; they hold no secret, and no count or time, for
/// each change is a write to the API server.
#[derive(Clone, Debug)]
pub struct Conditions {
    conditions: Vec<Condition>,
    generation: Option<i64>,
    now: DateTime<Utc>,
    changed: bool,
}

impl Conditions {
    /// Begins with what the object's status holds; `generation` is the `metadata.generation` that
    /// was looked at, `now` the moment of any transition.
    #[must_use]
    pub fn new(stored: Vec<Condition>, generation: Option<i64>, now: DateTime<Utc>) -> Self {
        Self {
            conditions: stored,
            generation,
            now,
            changed: false,
        }
    }

    /// All is well, or rests as its user wants: suspended, events off.
    pub fn ready(&mut self, reason: Reason, message: &str) {
        self.remove(RECONCILING);
        self.remove(STALLED);
        self.put(READY, Status::True, reason, message);
    }

    /// Work is under way, and nothing is known to be wrong: at first sight and after an edit.
    pub fn reconciling(&mut self, reason: Reason, message: &str) {
        self.remove(STALLED);
        self.put(READY, Status::Unknown, reason, message);
        self.put(RECONCILING, Status::True, reason, message);
    }

    /// Something is wrong that may pass by itself: it is tried again.
    pub fn failing(&mut self, reason: Reason, message: &str) {
        self.remove(RECONCILING);
        self.remove(STALLED);
        self.put(READY, Status::False, reason, message);
    }

    /// Something is wrong that a person must mend.
    pub fn stalled(&mut self, reason: Reason, message: &str) {
        self.remove(RECONCILING);
        self.put(READY, Status::False, reason, message);
        self.put(STALLED, Status::True, reason, message);
    }

    /// Sets one of an object's own aspects.
    pub fn set(&mut self, aspect: Aspect, status: Status, reason: Reason, message: &str) {
        self.put(aspect.as_str(), status, reason, message);
    }

    /// Takes an aspect away that no longer has a meaning: a callback that was removed.
    pub fn clear(&mut self, aspect: Aspect) {
        self.remove(aspect.as_str());
    }

    /// Whether anything differs from what was stored, and so whether a write is due.
    #[must_use]
    pub const fn changed(&self) -> bool {
        self.changed
    }

    /// The conditions as they are to be stored.
    #[must_use]
    pub fn into_vec(self) -> Vec<Condition> {
        self.conditions
    }

    fn put(&mut self, kind: &str, status: Status, reason: Reason, message: &str) {
        let mut condition = Condition {
            last_transition_time: time::to_kube(self.now.trunc_subsecs(0)),
            message: bounded(message),
            observed_generation: self.generation,
            reason: reason.as_str().to_owned(),
            status: status.as_str().to_owned(),
            type_: kind.to_owned(),
        };
        let Some(stored) = self
            .conditions
            .iter_mut()
            .find(|stored| stored.type_ == kind)
        else {
            self.conditions.push(condition);
            self.changed = true;
            return;
        };
        if stored.status == condition.status {
            condition.last_transition_time = stored.last_transition_time.clone();
        }
        if *stored != condition {
            *stored = condition;
            self.changed = true;
        }
    }

    fn remove(&mut self, kind: &str) {
        let before = self.conditions.len();
        self.conditions.retain(|condition| condition.type_ != kind);
        self.changed |= self.conditions.len() != before;
    }
}

/// The condition called `kind`, such as `Ready`.
#[must_use]
pub fn find<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == kind)
}

/// One line of at most [`MESSAGE_LIMIT`] characters: what a provider said may be of any form.
fn bounded(message: &str) -> String {
    let line = message
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c });
    if message.chars().nth(MESSAGE_LIMIT).is_none() {
        return line.collect();
    }
    line.take(MESSAGE_LIMIT - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
