//! What a poll leaves in the log: why an event was sent, or was not.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::{
    End, Outcome, Plan, SetAside,
    change::{Change, Comparison, Verdict},
    state::State,
};
use crate::{
    event::Origin,
    provider::{Bound, Row},
};

/// What a poll went by.
#[derive(Clone, Debug, PartialEq)]
pub struct Trail {
    /// The bound of its first request, as it was rendered.
    pub bound: String,
    /// How far behind the watermark it read again.
    pub reach: TimeDelta,
    /// The watermark when it began, and when it ended.
    pub watermark_before: DateTime<Utc>,
    pub watermark: DateTime<Utc>,
    /// The provider's clock at its first answer, which the watermark never passes.
    pub provider_clock: Option<DateTime<Utc>>,
    /// Settled versions in the window when it ended.
    pub window: usize,
}

impl Trail {
    /// The trail of a poll that goes on from `state` and asks from `bound` on.
    pub(super) fn begin(plan: &Plan, state: &State, bound: Bound) -> Self {
        let watermark = state.records.watermark;
        Self {
            bound: bound.text,
            reach: plan.reach,
            watermark_before: watermark,
            watermark,
            provider_clock: None,
            window: state.records.window.len(),
        }
    }

    /// The poll ends with `state`.
    pub(super) fn end(mut self, state: &State) -> Box<Self> {
        self.watermark = state.records.watermark;
        self.window = state.records.window.len();
        Box::new(self)
    }
}

impl Outcome {
    /// Writes the poll's one line, at debug level.
    pub fn log(&self) {
        let (trail, progress) = (self.trail.as_deref(), &self.progress);
        let instant = |of: fn(&Trail) -> DateTime<Utc>| trail.map(of).map(written);
        tracing::debug!(
            result = self.end.result(),
            why = self.end.why(),
            bound = trail.map(|trail| trail.bound.as_str()),
            reach_seconds = trail.map(|trail| trail.reach.num_seconds()),
            watermark_before = instant(|trail| trail.watermark_before),
            watermark = instant(|trail| trail.watermark),
            provider_clock = trail.and_then(|trail| trail.provider_clock).map(written),
            window = trail.map(|trail| trail.window),
            requests = progress.requests,
            read = progress.read,
            unchanged = progress.unchanged,
            excluded = progress.excluded,
            out_of_range = progress.out_of_range,
            bad = progress.flaws.total(),
            changed = progress.changed,
            created = progress.created,
            updated = progress.updated,
            deleted = progress.deleted,
            dead_lettered = progress.dead_lettered,
            skipped = progress.skipped,
            unordered = progress.unordered,
            "polled"
        );
    }
}

impl End {
    /// The word for it in logs, metrics and at `/debug/pollers`.
    #[must_use]
    pub const fn result(&self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Unfinished(_) => "unfinished",
            Self::Stopped => "stopped",
            Self::ProviderFailed(error) => error.category.as_str(),
            Self::Blocked { .. } => "blocked",
            Self::CallbackUnavailable(_) => "callback_unavailable",
            Self::CallbackGone => "callback_gone",
            Self::StoreFailed(_) => "store_failed",
            Self::Unusable(_) => "unusable",
            Self::WindowTooLarge(_) => "window_too_large",
        }
    }

    fn why(&self) -> Option<String> {
        match self {
            Self::Complete | Self::Stopped | Self::CallbackGone => None,
            Self::Unfinished(reason) | Self::Unusable(reason) | Self::WindowTooLarge(reason) => {
                Some(reason.clone())
            }
            Self::ProviderFailed(error) => Some(error.message.clone()),
            Self::Blocked {
                object_id,
                rejection,
                dead_letter,
            } => {
                let letter = dead_letter.as_ref();
                let letter = letter.map_or_else(String::new, |why| format!("; {}", why.message));
                Some(format!(
                    "record {object_id:?}: {}{letter}",
                    rejection.message
                ))
            }
            Self::CallbackUnavailable(unavailable) => Some(unavailable.message.clone()),
            Self::StoreFailed(error) => Some(error.to_string()),
        }
    }
}

impl SetAside {
    /// Writes the line of an event that is settled though it was refused: what a person may have to
    /// send again.
    pub(super) fn log(&self, change: &Change, origin: &Origin) {
        tracing::warn!(
            target: "pollen::poll",
            outcome = self.how.as_str(),
            record = ?self.object_id,
            updated = written(change.updated),
            version = change.version,
            event = origin.event_id(&change.id, &change.version).as_str(),
            status = self.status,
            why = self.message,
            "refused"
        );
    }
}

/// Writes what became of a record that was read, at trace level: its id and version, never its
/// content. One that was settled before is not worth a line.
pub(super) fn record(row: &Row<'_>, verdict: &Verdict, origin: &Origin) {
    match verdict {
        Verdict::Unchanged(_) => {}
        Verdict::Change(change) => changed(change, origin),
        Verdict::Excluded => left_out(row, "excluded"),
        Verdict::OutOfRange => left_out(row, "out_of_range"),
        Verdict::Bad(flaw, why) => tracing::trace!(outcome = "bad", ?flaw, why, "record"),
    }
}

fn changed(change: &Change, origin: &Origin) {
    tracing::trace!(
        outcome = "changed",
        record = ?change.id,
        updated = written(change.updated),
        version = change.version,
        kind = ?change.kind,
        event = origin.event_id(&change.id, &change.version).as_str(),
        "record"
    );
}

fn left_out(row: &Row<'_>, outcome: &'static str) {
    tracing::trace!(
        outcome,
        record = ?row.id.as_deref(),
        updated = Comparison::date(row).map(written),
        version = row.version.as_deref(),
        class = row.class.as_deref(),
        "record"
    );
}

fn written(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
