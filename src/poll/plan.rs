//! The plan: everything that one poller's polls go by, validated.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Replay, Track};
use crate::{
    api::{CreatedCheck, OnRejected, StartFrom},
    event::Origin,
};

/// What a poller's polls go by; made from a spec, an instance and a connector, never the raw spec.
#[derive(Clone, Debug)]
pub struct Plan {
    /// metadata.uid of the poller: a checkpoint of another is not taken.
    pub uid: String,
    /// Where its events come from.
    pub origin: Origin,
    /// Digest of what is asked.
    pub query_fingerprint: String,
    /// Where a poller without checkpoint starts.
    pub start: Start,
    /// The same as the spec says it.
    pub start_from: StartFrom,
    /// The coarsest of field format, placeholder format and the connector's granularity.
    pub unit: TimeDelta,
    /// How far behind the watermark a sweep reads again: at least one unit.
    pub reach: TimeDelta,
    pub created_check: CreatedCheck,
    /// How far apart the two dates of a created record may be.
    pub created_tolerance: TimeDelta,
    /// Where versions are digests of contents: a digest of what is no part of these.
    pub content: Option<String>,
    /// `filterByUpdatedDate`: rows before the bound are dropped.
    pub drop_before_bound: bool,
    /// `filterByCurrentDate`: rows after the provider's clock are left for the next poll.
    pub drop_after_clock: bool,
    /// Classes whose records need no event here.
    pub excluded_classes: HashSet<String>,
    /// Pollers of the instance that take a class from this one.
    pub children: Vec<Child>,
    /// How far pollers had settled that took a class by what the checkpoint says, and are no
    /// children any more; by uid, as far as that is known.
    pub gone: HashMap<String, Reached>,
    /// How it goes by the provider's list of deletions, where it does.
    pub deletions: Option<Deletions>,
    /// A stretch of time to be read once more.
    pub replay: Option<Replay>,
    /// How deletions are found by comparing lists of ids, where they are.
    pub reconcile: Option<Reconciliation>,
    /// Events in one notification at most.
    pub max_events: usize,
    /// Notifications in flight at most.
    pub in_flight: usize,
    /// What becomes of an event that the callback refuses.
    pub on_rejected: OnRejected,
}

/// How deletions are found by comparing lists of ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    /// How long after a comparison the next one is due.
    pub interval: TimeDelta,
    /// How many of the known ids, in percent, may be gone at once without a person's word.
    pub max_share_percent: u32,
    /// Digest of where the ids are listed: those from elsewhere are not compared.
    pub place: String,
    /// The run whose held deletions a person confirmed.
    pub confirmed: Option<String>,
}

/// How a poller goes by the provider's list of deletions.
#[derive(Clone, Debug)]
pub struct Deletions {
    /// Classes whose deletions are asked for: a row of another is none of this poller's. Empty where
    /// rows name no class.
    pub classes: HashSet<String>,
    /// A new poller asks from its start on, not only from when it is made.
    pub from_start: bool,
    /// The coarsest unit of its dates.
    pub unit: TimeDelta,
    /// How far behind the watermark a sweep reads again: at least one unit.
    pub reach: TimeDelta,
}

/// Where a poller without checkpoint starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// When it was created, by our clock: corrected by the provider's at the first answer.
    Created(DateTime<Utc>),
    /// At an instant of the provider's time, also its earliest.
    At(DateTime<Utc>),
    /// Behind the provider's time of the first answer.
    Answered,
    /// When it was created, unless another has delivered what is dated until `reached` by the provider's
    /// clock, and so something that is later: then behind the first answer.
    Behind {
        created: DateTime<Utc>,
        reached: DateTime<Utc>,
    },
}

/// A poller that takes one class of this poller's records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    /// metadata.uid of the poller; empty where it cannot be known, because what is remembered of the
    /// poller cannot be read.
    pub uid: String,
    /// The class, as records name it.
    pub class: String,
    /// Digest of what the poller asks.
    pub query_fingerprint: String,
    /// Where it started to ask that, once that is stored; until then the parent delivers.
    pub started_at: Option<DateTime<Utc>>,
    /// How far it has come under that question, as it is stored.
    pub reached: Option<Reached>,
}

/// Up to which dates a poller has settled the class that it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    pub records: DateTime<Utc>,
    /// Where it goes by the provider's list of deletions.
    pub deletions: Option<DateTime<Utc>>,
}

impl Plan {
    /// The unit of the dates of one track.
    pub(super) fn unit_of(&self, track: Track) -> TimeDelta {
        self.of_deletions(track)
            .map_or(self.unit, |known| known.unit)
    }

    /// How far a sweep of one track reads again.
    pub(super) fn reach_of(&self, track: Track) -> TimeDelta {
        self.of_deletions(track)
            .map_or(self.reach, |known| known.reach)
    }

    /// Whether rows of one track that are dated before the bound are dropped.
    pub(super) fn drops_before_bound(&self, track: Track) -> bool {
        track == Track::Deletions || self.drop_before_bound
    }

    fn of_deletions(&self, track: Track) -> Option<&Deletions> {
        self.deletions
            .as_ref()
            .filter(|_| track == Track::Deletions)
    }

    /// Where a poller starts whose first answer came at `provider_now` by the provider's clock
    /// and `now` by ours.
    #[must_use]
    pub fn start_instant(&self, now: DateTime<Utc>, provider_now: DateTime<Utc>) -> DateTime<Utc> {
        match self.start {
            Start::At(instant) => instant,
            Start::Created(created) => created + (provider_now - now),
            Start::Behind { created, reached } => {
                let started_at = created + (provider_now - now);
                let behind = provider_now + self.part();
                if reached >= started_at - self.part() {
                    behind
                } else {
                    started_at
                }
            }
            Start::Answered => provider_now + self.part(),
        }
    }

    /// A provider tells its time in whole seconds, of which a part is over.
    fn part(&self) -> TimeDelta {
        self.unit.max(TimeDelta::seconds(1))
    }

    /// The plan of a poller some of whose records others have delivered: until `polled` by our clock,
    /// or what is dated until `reached` by the provider's. One that starts now, at its creation, starts
    /// behind what those have read.
    #[must_use]
    pub fn starting_behind(
        &self,
        polled: Option<DateTime<Utc>>,
        reached: Option<DateTime<Utc>>,
    ) -> Self {
        let mut plan = self.clone();
        let Start::Created(created) = self.start else {
            return plan;
        };
        if polled.is_some_and(|polled| polled >= created - self.part()) {
            plan.start = Start::Answered;
        } else if let Some(reached) = reached {
            plan.start = Start::Behind { created, reached };
        }
        plan
    }
}
