//! Conditions as kstatus and `kubectl wait` understand them.

use chrono::{DateTime, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::operator::{
    instants::to_time,
    vocabulary::{conditions, reasons},
};

/// What an object's `Ready`, `Reconciling` and `Stalled` should say.
///
/// The constructors are the only combinations there are: `Stalled` and `Reconciling` never stand
/// beside `Ready=True`, and `Stalled` means that a person must act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::operator) struct Standing {
    ready: Ready,
    abnormal: Option<&'static str>,
    reason: &'static str,
    message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ready {
    True,
    False,
    Unknown,
    /// As it was, or Unknown where it was never said.
    Kept,
}

impl Standing {
    fn new(
        ready: Ready,
        abnormal: Option<&'static str>,
        reason: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            ready,
            abnormal,
            reason,
            message: message.into(),
        }
    }

    /// All is well, or at rest as its user asked.
    pub(in crate::operator) fn ready(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Ready::True, None, reason, message)
    }

    /// Not ready until something else changes, which may happen by itself.
    pub(in crate::operator) fn waiting(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Ready::False, None, reason, message)
    }

    /// Not ready until a person acts.
    pub(in crate::operator) fn stalled(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Ready::False, Some(conditions::STALLED), reason, message)
    }

    /// On the way to a first result.
    pub(in crate::operator) fn progressing(message: impl Into<String>) -> Self {
        Self::new(
            Ready::Unknown,
            Some(conditions::RECONCILING),
            reasons::PROGRESSING,
            message,
        )
    }

    /// A failure that is not old enough to change `Ready`.
    pub(in crate::operator) fn transient(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Ready::Kept, None, reason, message)
    }

    /// Whether `Ready` becomes or stays True by it.
    pub(in crate::operator) fn is_ready(&self) -> bool {
        self.ready == Ready::True
    }

    /// Writes the standing into `all`.
    pub(in crate::operator) fn apply(
        &self,
        all: &mut Vec<Condition>,
        generation: i64,
        now: DateTime<Utc>,
    ) {
        let kept = status_of(all, conditions::READY)
            .unwrap_or("Unknown")
            .to_owned();
        let status = match self.ready {
            Ready::True => "True",
            Ready::False => "False",
            Ready::Unknown => "Unknown",
            Ready::Kept => &kept,
        };
        set(
            all,
            conditions::READY,
            status,
            self.reason,
            &self.message,
            generation,
            now,
        );
        for abnormal in [conditions::RECONCILING, conditions::STALLED] {
            if self.abnormal == Some(abnormal) {
                set(
                    all,
                    abnormal,
                    "True",
                    self.reason,
                    &self.message,
                    generation,
                    now,
                );
            } else {
                remove(all, abnormal);
            }
        }
    }
}

/// The status of the condition of this type.
pub(in crate::operator) fn status_of<'a>(all: &'a [Condition], type_: &str) -> Option<&'a str> {
    all.iter()
        .find(|condition| condition.type_ == type_)
        .map(|condition| condition.status.as_str())
}

/// Sets one condition; an equal one stays untouched, `lastTransitionTime` moves with the status alone.
pub(in crate::operator) fn set(
    all: &mut Vec<Condition>,
    type_: &str,
    status: &str,
    reason: &str,
    message: &str,
    generation: i64,
    now: DateTime<Utc>,
) {
    let existing = all.iter_mut().find(|condition| condition.type_ == type_);
    let since = existing
        .as_ref()
        .filter(|condition| condition.status == status)
        .map_or_else(
            || to_time(now),
            |condition| condition.last_transition_time.clone(),
        );
    let next = Condition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: bounded(message),
        observed_generation: Some(generation),
        last_transition_time: since,
    };
    match existing {
        Some(condition) => *condition = next,
        None => all.push(next),
    }
}

/// Takes the condition of this type away.
pub(in crate::operator) fn remove(all: &mut Vec<Condition>, type_: &str) {
    all.retain(|condition| condition.type_ != type_);
}

/// A condition's message may have 32,768 characters; a person reads far fewer.
fn bounded(message: &str) -> String {
    message.chars().take(1_024).collect()
}

#[cfg(test)]
mod tests;
