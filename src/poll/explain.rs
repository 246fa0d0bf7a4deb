//! What a poller makes of one record, and why: asked by a person, answered by the comparison that
//! its polls go by.

use chrono::{DateTime, Utc};

use super::{
    CheckpointStore, End, Plan, Track,
    change::{Comparison, Verdict},
    start::start_at,
    state::State,
};
use crate::{
    api::Checkpoint,
    clock::Clock,
    event::Kind,
    provider::{DateRead, PageSource, Row},
};

/// Explains what becomes of records, from a stored checkpoint.
pub struct Explainer<'a> {
    plan: &'a Plan,
    state: State,
    begun: bool,
    /// Where the next poll begins to read.
    bound: DateTime<Utc>,
    clock: DateTime<Utc>,
}

/// What a poller makes of one version of one record.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    pub fate: Fate,
    /// The version's updated date, or the created one where that is empty.
    pub updated: Option<DateTime<Utc>>,
    pub created: Option<DateTime<Utc>>,
    /// The version as the event's id has it, and that id; `None` of a record that cannot be an event.
    pub version: Option<String>,
    pub event: Option<String>,
    /// The record was delivered as created inside the window.
    pub was_created: bool,
    /// Whether the poller has stored a checkpoint yet.
    pub begun: bool,
    /// Where the poller started, and up to where everything is settled.
    pub started_at: DateTime<Utc>,
    pub watermark: DateTime<Utc>,
    /// Where the next poll begins to read.
    pub bound: DateTime<Utc>,
}

/// What becomes of a version.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// Its fingerprint is in the window: it was settled.
    Settled,
    /// It was not settled, and the next poll reads it: an event of this kind.
    Due(Kind),
    /// It is dated before all that the window remembers and the next poll reads.
    Passed,
    /// It is dated before the poller started.
    BeforeStart,
    /// It is dated after the provider's clock, and the poller leaves it for later.
    AfterClock,
    /// Its class is excluded, or another poller's.
    Excluded(String),
    /// No event can be made of it, for this reason.
    Bad(String),
}

impl<'a> Explainer<'a> {
    /// Takes up what is stored; a poller that has stored nothing yet is taken to begin now.
    ///
    /// # Errors
    ///
    /// The checkpoint cannot be used: what is wrong and what to do.
    pub async fn open<S: PageSource, K: CheckpointStore>(
        plan: &'a Plan,
        source: &S,
        stored: Option<Checkpoint>,
        store: &mut K,
        clock: &Clock,
    ) -> Result<Self, String> {
        let begun = stored.is_some();
        let checkpoint = stored.unwrap_or_else(|| start_at(plan, source, clock));
        let state = State::resume(plan, checkpoint.into(), store)
            .await
            .map_err(unused)?;
        Ok(Self {
            plan,
            begun,
            bound: source.bound(state.records.bound(plan.reach)).instant,
            clock: clock.now(),
            state,
        })
    }

    /// What the next poll makes of `row`.
    #[must_use]
    pub fn explain(&self, row: &Row<'_>) -> Explanation {
        let comparison = Comparison {
            plan: self.plan,
            state: &self.state,
            track: Track::Records,
            // The window is asked first, whatever the next poll reads.
            bound: DateTime::<Utc>::MIN_UTC,
            clock: self.clock,
            any_date: false,
        };
        let id = row.id.as_deref().unwrap_or_default();
        let version = comparison.version_of(row);
        let event = version
            .as_deref()
            .map(|version| self.plan.origin.event_id(id, version));
        Explanation {
            fate: self.fate(&comparison, row),
            updated: Comparison::date(row),
            created: match row.created {
                DateRead::At(created) => Some(created),
                _ => None,
            },
            event: event.map(|event| event.as_str().to_owned()),
            version,
            was_created: comparison.was_created(id),
            begun: self.begun,
            started_at: self.state.started_at(),
            watermark: self.state.records.watermark,
            bound: self.bound,
        }
    }

    fn fate(&self, comparison: &Comparison<'_>, row: &Row<'_>) -> Fate {
        match comparison.judge(row) {
            Verdict::Unchanged(_) => Fate::Settled,
            Verdict::Change(change) if change.updated < self.bound => Fate::Passed,
            Verdict::Change(change) => Fate::Due(change.kind),
            Verdict::Excluded => {
                Fate::Excluded(row.class.as_deref().unwrap_or_default().to_owned())
            }
            Verdict::Bad(_, why) => Fate::Bad(why),
            Verdict::OutOfRange => {
                let date = Comparison::date(row);
                if date.is_some_and(|date| comparison.is_before_start(date)) {
                    Fate::BeforeStart
                } else if date.is_some_and(|date| date > self.clock) {
                    Fate::AfterClock
                } else {
                    // Its poller settled it before it went back for the class of a child.
                    Fate::Settled
                }
            }
        }
    }
}

/// Why a checkpoint could not be taken up.
fn unused(end: End) -> String {
    match end {
        End::Unusable(reason) => reason,
        End::StoreFailed(error) => error.to_string(),
        _ => "it could not be read".to_owned(),
    }
}
