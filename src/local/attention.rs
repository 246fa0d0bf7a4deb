//! How a poll ended, in words for a person who must do something about it.

use std::{fmt, time::Duration};

use crate::{
    api::{HeldDeletes, annotations::CONFIRM_DELETES},
    category::Category,
    poll::{DELETES_UNAVAILABLE, End, Outcome, Progress, StoreError, told_of_block},
};

/// Something that needs attention, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attention {
    severity: Severity,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Severity {
    Warning,
    /// A warning that the poller does not poll.
    Waiting,
    Error,
}

impl Attention {
    /// Something that does not stop the poller.
    pub(super) const fn warning(text: String) -> Self {
        Self {
            severity: Severity::Warning,
            text,
        }
    }

    /// Why the poller waits instead of polling.
    pub(super) fn waiting(reason: &str) -> Self {
        Self {
            severity: Severity::Waiting,
            text: format!("waits: {reason}"),
        }
    }

    const fn error(text: String) -> Self {
        Self {
            severity: Severity::Error,
            text,
        }
    }

    pub(super) const fn is_error(&self) -> bool {
        matches!(self.severity, Severity::Error)
    }

    /// Whether it keeps the poller from its work, so that its end is worth a line.
    pub(super) const fn is_trouble(&self) -> bool {
        !matches!(self.severity, Severity::Warning)
    }

    /// What a poll's end asks for; `None` when all is well.
    pub(super) fn of(outcome: &Outcome) -> Option<Self> {
        match &outcome.end {
            End::Complete | End::Stopped => Self::of_findings(None, outcome),
            End::Unfinished(reason) => {
                Self::of_findings(Some(format!("{reason}; the next poll goes on from there")), outcome)
            }
            End::ProviderFailed(error) => {
                Some(Self::error(format!("provider: {error}{}", provider_advice(error.category))))
            }
            End::Blocked { object_id, rejection, dead_letter } => {
                Some(Self::error(told_of_block(object_id, rejection, dead_letter.as_ref())))
            }
            End::CallbackUnavailable(unavailable) => Some(Self::error(format!("callback: {}", unavailable.message))),
            End::CallbackGone => Some(Self::error(
                "the callback answered 410 Gone, or webhook-delivery: disable, and gets nothing more: set spec.events.callback.url to a receiver that \
                 takes events, or the instance's annotation pollen.dev/resume-delivery to a new value, and start again"
                    .into(),
            )),
            End::StoreFailed(error) => Some(Self::error(format!("checkpoint: {error}"))),
            End::Unusable(text) | End::WindowTooLarge(text) => Some(Self::error(format!("checkpoint: {text}"))),
        }
    }

    /// What a poll that did not fail found nonetheless, behind what remains to be done.
    fn of_findings(remains: Option<String>, outcome: &Outcome) -> Option<Self> {
        let mut findings = Vec::from_iter(remains);
        findings.extend(outcome.held_deletes().as_ref().map(held));
        findings.extend(bad_records(&outcome.progress));
        let remarks = outcome.progress.remarks.iter();
        findings.extend(remarks.map(|remark| remark.text.clone()));
        findings.extend(outcome.findings.iter().cloned());
        findings.extend(outcome.progress.notes.iter().cloned());
        findings.extend(outcome.progress.unordered.clone());
        findings.extend(deletes_unavailable(&outcome.progress));
        (!findings.is_empty()).then(|| Self::warning(findings.join("; ")))
    }
}

fn deletes_unavailable(progress: &Progress) -> Option<String> {
    let why = progress.deletes_unavailable.as_ref()?;
    Some(format!("{DELETES_UNAVAILABLE}: {why}"))
}

fn held(held: &HeldDeletes) -> String {
    format!(
        "{} records are gone at once, too many to be believed: if they are deleted indeed, add the annotation \
         {CONFIRM_DELETES}: {:?} to the poller's manifest and start again; until then their deletions wait",
        held.count, held.id
    )
}

fn bad_records(progress: &Progress) -> Option<String> {
    let noun = if progress.bad_records == 1 {
        "record has"
    } else {
        "records have"
    };
    (progress.bad_records > 0).then(|| {
        format!(
            "{} {noun} no event ({}): look at spec.idField and spec.datesConfiguration",
            progress.bad_records,
            progress.bad_samples.join(", ")
        )
    })
}

impl fmt::Display for Attention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Warning | Severity::Waiting => "warning",
            Severity::Error => "error",
        };
        write!(f, "{severity}: {}", self.text)
    }
}

const fn provider_advice(category: Category) -> &'static str {
    match category {
        Category::Authentication => {
            "; the entries of spec.authentication.secretRef may be out of date"
        }
        Category::Permission => "; give the account the right to read this resource",
        Category::Configuration => "; correct the manifest and start again",
        _ => "",
    }
}

/// Whether polling again may help without a person, and how long to leave the other side alone.
///
/// A callback that is unavailable has been tried again for as long as its policy says.
pub(super) const fn retry(end: &End) -> Option<Option<Duration>> {
    match end {
        End::ProviderFailed(error) => match error.category {
            Category::RateLimited | Category::Provider | Category::Internal => {
                Some(error.retry_after)
            }
            _ => None,
        },
        End::Unfinished(_) | End::StoreFailed(StoreError::Unavailable(_)) => Some(None),
        _ => None,
    }
}
