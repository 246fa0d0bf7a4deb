//! What a poll's outcome or an instance's state means for conditions: no client required.

mod aspects;
mod unfinished;

pub(super) use self::{
    aspects::{Circumstances, set_aspects},
    unfinished::Unfinished,
};
use chrono::{DateTime, TimeDelta, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::{
    item::Key,
    status::conditions::{READY, Standing},
};
use crate::{
    api::{
        HeldCallback,
        annotations::CONFIRM_DELETES,
        conditions::{Aspect, find},
        reasons::{self, Reason},
    },
    callback::{Rejection, Unavailable},
    category::{Category, ConfigurationError, Subject},
    fleet::{CallbackFailure, InstanceState},
    poll::{DELETES_UNAVAILABLE, End, Outcome, StoreError, Topic, told_of_block},
};

/// Intervals after which a failure is no longer transient.
pub(super) const MISSED: u32 = 3;

/// Deferrals shorter than this are not worth a write.
const SHORTEST_STORED_DEFERRAL: TimeDelta = TimeDelta::seconds(60);

/// What a poll's end says of its poller; `None` where it says nothing. `overdue`: what it says has
/// lasted for three intervals.
pub(super) fn of_poll(outcome: &Outcome, overdue: bool) -> Option<Standing> {
    let standing = match &outcome.end {
        End::Complete => complete(outcome).swept(true),
        End::Unfinished(why) => {
            unfinished(why, outcome.progress.unordered.as_deref(), overdue).swept(false)
        }
        End::ProviderFailed(error) => provider_failed(error.category, &error.message, overdue),
        End::Blocked {
            object_id,
            rejection,
            dead_letter,
        } => blocked(object_id, rejection, dead_letter.as_ref()),
        End::CallbackUnavailable(unavailable) => {
            late(overdue, reasons::CALLBACK_UNAVAILABLE, &unavailable.message)
        }
        End::CallbackGone => Standing::waiting(reasons::CALLBACK_GONE, CALLBACK_GONE),
        End::StoreFailed(StoreError::Unavailable(message)) => {
            late(overdue, reasons::INTERNAL_ERROR, message)
        }
        End::Unusable(why) => Standing::stalled(reasons::CHECKPOINT_DAMAGED, why.as_str()),
        End::WindowTooLarge(why) => Standing::stalled(reasons::WINDOW_TOO_LARGE, why.as_str()),
        // The store itself reports a refusal, and whoever took the claim reports the poller.
        End::Stopped | End::StoreFailed(_) => return None,
    };
    Some(standing)
}

/// What a complete poll says of its poller while deletions wait for a person.
pub(super) fn of_held(outcome: &Outcome, poller: &Key) -> Option<Standing> {
    let held = outcome
        .held_deletes()
        .filter(|_| outcome.end == End::Complete)?;
    let Key { namespace, name } = poller;
    let mut told = vec![format!(
        "too many records are gone at once to be believed: if they are deleted indeed, run kubectl annotate poller {name} \
         -n {namespace} --overwrite {CONFIRM_DELETES}={}; else give the account its right to them back. Until then \
         status.deletes.held counts them, and their deletions wait",
        held.id
    )];
    told.extend(outcome.findings.iter().cloned());
    told.extend(outcome.progress.notes.iter().cloned());
    Some(Standing::ready(reasons::DELETES_HELD, told.join("; ")).swept(true))
}

/// What a poller's wait for its instance says of it. `failing` is what its own last poll failed of:
/// a probe that fails again and again must not be written as two conditions in turn.
pub(super) fn of_wait(reason: &str, failing: Option<&Standing>, overdue: bool) -> Standing {
    match failing {
        Some(standing) if overdue => standing.clone().lasting(),
        Some(standing) => standing.clone(),
        None => late(overdue, reasons::INSTANCE_NOT_READY, reason),
    }
}

/// What a spec that cannot be built says of its object. A Secret may come, or be completed, by
/// itself; anything else a person must mend.
pub(super) fn of_configuration(error: &ConfigurationError) -> Standing {
    let message = error.to_string();
    match error.subject {
        Subject::Secret => Standing::waiting(reasons::SECRET_NOT_FOUND, message),
        Subject::Connector => Standing::stalled(reasons::UNKNOWN_CONNECTOR, message),
        Subject::Address => Standing::stalled(reasons::ADDRESS_REFUSED, message),
        Subject::Field => Standing::stalled(reasons::INVALID_SPEC, message),
    }
}

/// A dead letter that was not taken may be taken later, without a person.
fn blocked(id: &str, rejection: &Rejection, dead_letter: Option<&Unavailable>) -> Standing {
    let told = told_of_block(id, rejection, dead_letter);
    match dead_letter {
        Some(_) => Standing::waiting(reasons::CALLBACK_REJECTED, told),
        None => Standing::stalled(reasons::CALLBACK_REJECTED, told),
    }
}

const CALLBACK_GONE: &str = "the callback answered 410 Gone, or webhook-delivery: disable: nothing is sent until spec.events.callback changes or the \
                             instance is annotated with a new value of pollen.dev/resume-delivery";

/// All that is to be told stands in the message; the reason is the gravest's.
fn complete(outcome: &Outcome) -> Standing {
    let progress = &outcome.progress;
    let bad = (progress.bad_records > 0).then(|| {
        let samples = progress.bad_samples.join("; ");
        format!("records that cannot be read are left out: {samples}")
    });
    let remarks = progress.remarks.iter();
    let remarks = remarks.map(|remark| (of_topic(remark.topic), remark.text.clone()));
    let found = outcome.findings.iter().chain(&progress.notes).cloned();
    let unavailable = progress.deletes_unavailable.as_ref();
    let unavailable = unavailable.map(|why| format!("{DELETES_UNAVAILABLE}: {why}"));
    let graver = [
        (reasons::BAD_RECORDS, bad),
        (reasons::QUERY_UNORDERED, progress.unordered.clone()),
    ];
    let told: Vec<_> = graver
        .into_iter()
        .filter_map(|(reason, text)| Some((reason, text?)))
        .chain(remarks)
        // What lasts does not hide what is told once.
        .chain(unavailable.map(|text| (reasons::DELETES_UNAVAILABLE, text)))
        .chain(found.map(|text| (reasons::FINDINGS, text)))
        .collect();
    let Some((reason, _)) = told.first() else {
        let message = "polled, and everything found is settled";
        return Standing::ready(reasons::SUCCEEDED, message);
    };
    let texts: Vec<_> = told.iter().map(|(_, text)| text.as_str()).collect();
    Standing::ready(*reason, texts.join("; "))
}

/// Why pages remain; where the provider contradicted the query, that is the cause.
fn unfinished(why: &str, unordered: Option<&str>, overdue: bool) -> Standing {
    let why = if overdue {
        format!("for three intervals no poll has come to the end of the list: {why}")
    } else {
        why.to_owned()
    };
    match unordered {
        Some(cause) => late(
            overdue,
            reasons::QUERY_UNORDERED,
            &format!("{cause}; {why}"),
        ),
        None => late(overdue, reasons::SWEEP_UNFINISHED, &why),
    }
}

const fn of_topic(topic: Topic) -> Reason {
    match topic {
        Topic::Query => reasons::QUERY_EDITED,
        Topic::StartFrom => reasons::START_FROM_IGNORED,
        Topic::Replay => reasons::REPLAYING,
    }
}

fn provider_failed(category: Category, message: &str, overdue: bool) -> Standing {
    match category {
        Category::Configuration => Standing::stalled(reasons::INVALID_SPEC, message),
        Category::Permission => Standing::stalled(reasons::PERMISSION_DENIED, message),
        // The instance is what a person must mend.
        Category::Authentication => Standing::waiting(reasons::AUTHENTICATION_FAILED, message),
        Category::RateLimited => late(overdue, reasons::RATE_LIMITED, message),
        Category::Provider => late(overdue, reasons::PROVIDER_UNAVAILABLE, message),
        Category::Callback => late(overdue, reasons::CALLBACK_UNAVAILABLE, message),
        Category::Internal => late(overdue, reasons::INTERNAL_ERROR, message),
    }
}

/// A failure that may pass by itself changes `Ready` only when it has lasted.
fn late(overdue: bool, reason: Reason, message: &str) -> Standing {
    if overdue {
        Standing::waiting(reason, message)
    } else {
        Standing::transient(reason, message)
    }
}

/// What has become of a running instance so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Past {
    /// A poll of it has ended.
    pub(super) has_answered: bool,
    /// What fails has failed for three intervals.
    pub(super) is_overdue: bool,
    /// Its callback has taken events as the spec is now, so that a failure may be one that passes.
    pub(super) has_accepted: bool,
}

/// Whether the conditions stored of an instance show that its callback has taken events, as the spec
/// is in this generation: they say so, or that what fails counted as transient so far.
pub(super) fn has_accepted(all: &[Condition], generation: i64) -> bool {
    let is_now = |condition: &&Condition| {
        condition.status == "True" && condition.observed_generation == Some(generation)
    };
    let accepting = find(all, Aspect::CallbackAccepting.as_str()).filter(is_now);
    let ready = find(all, READY).filter(is_now);
    accepting.is_some()
        || ready.is_some_and(|ready| {
            [reasons::CALLBACK_UNAVAILABLE, reasons::CALLBACK_REJECTED]
                .iter()
                .any(|reason| reason.as_str() == ready.reason)
        })
}

/// What a running instance's state says of it.
pub(super) fn of_instance(state: &InstanceState, past: Past) -> Standing {
    if state.callback_gone {
        return Standing::stalled(reasons::CALLBACK_GONE, CALLBACK_GONE);
    }
    if let Some(Err(failure)) = &state.authenticated {
        return if needs_a_person(failure.category) {
            Standing::stalled(reasons::AUTHENTICATION_FAILED, failure.message.as_str())
        } else {
            late(
                past.is_overdue,
                reasons::PROVIDER_UNAVAILABLE,
                &failure.message,
            )
        };
    }
    if let Some(message) = &state.unreached {
        return late(past.is_overdue, reasons::PROVIDER_UNAVAILABLE, message);
    }
    if let Some(Err(failure)) = &state.callback {
        // What never worked does not pass by itself.
        let lasts = past.is_overdue || !past.has_accepted;
        return late(lasts, of_callback_failure(failure), failure.message());
    }
    if state.deferred_until.is_some() {
        let message = "the provider asked to be left alone for a while";
        return late(past.is_overdue, reasons::RATE_LIMITED, message);
    }
    if past.has_answered || state.authenticated.is_some() {
        Standing::ready(reasons::SUCCEEDED, "its pollers poll")
    } else {
        Standing::progressing("waiting for the first poll")
    }
}

const fn of_callback_failure(failure: &CallbackFailure) -> Reason {
    match failure {
        CallbackFailure::Unavailable(_) => reasons::CALLBACK_UNAVAILABLE,
        CallbackFailure::Rejects(_) => reasons::CALLBACK_REJECTED,
    }
}

/// Whether a running instance has said nothing yet, so that what is stored of it still stands.
pub(super) fn is_silent(state: &InstanceState, answered: bool) -> bool {
    !answered && *state == InstanceState::default()
}

const fn needs_a_person(category: Category) -> bool {
    matches!(
        category,
        Category::Authentication | Category::Configuration | Category::Permission
    )
}

/// What to store of a deferral: nothing of a short one, and an earlier one as long as it says the
/// same to within a few seconds.
pub(super) fn stored_deferral(
    stored: Option<DateTime<Utc>>,
    deferred_until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let Some(until) = deferred_until.filter(|until| *until - now >= SHORTEST_STORED_DEFERRAL)
    else {
        return stored.filter(|stored| *stored > now && deferred_until.is_some());
    };
    let close = |stored: &DateTime<Utc>| (until - *stored).abs() < TimeDelta::seconds(10);
    stored.filter(close).or(Some(until))
}

/// What to store of a callback that is left alone: that it is, at once, as its condition is stored
/// then too; and how long, where that is a minute or more.
pub(super) fn stored_hold(
    stored: Option<HeldCallback>,
    held: Option<HeldCallback>,
    now: DateTime<Utc>,
) -> Option<HeldCallback> {
    let held = held?;
    let is_short = held.until - now < SHORTEST_STORED_DEFERRAL;
    let says_the_same = |stored: &HeldCallback| {
        let is_close = (held.until - stored.until).abs() < TimeDelta::seconds(10);
        stored.callback == held.callback && (is_short || is_close)
    };
    Some(stored.filter(says_the_same).unwrap_or(held))
}

#[cfg(test)]
mod tests;
