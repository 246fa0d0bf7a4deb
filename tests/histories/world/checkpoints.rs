//! The poller's plan, and what a checkpoint says of the poll that goes on from it.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use pollen::{
    api::Checkpoint,
    event::{Identity, Origin},
    poll::{Plan, Start},
};

use super::ledger::Memory;
use crate::settings::Settings;

impl Memory {
    /// The watermark when this poll began.
    pub(crate) fn watermark(&self) -> i64 {
        self.before.as_ref().map_or(i64::MIN / 2, watermark)
    }

    /// The watermark when the unfinished sweep began.
    pub(crate) fn settled_at_start(&self) -> i64 {
        if self.follows_clock_back {
            return self.sweep_clock.unwrap_or_default();
        }
        let stored = self
            .before
            .as_ref()
            .and_then(|before| before.records.settled_at_start);
        stored.map_or_else(|| self.watermark(), |date| date.timestamp_millis())
    }

    /// What no watermark of this poll may be earlier than: where its sweep began, unless a clock
    /// or an edit leads further back.
    pub(crate) fn least_watermark(&self) -> i64 {
        let swept = self.edited.then_some(self.before.as_ref()).flatten();
        let swept = swept.and_then(|before| before.swept_at);
        swept
            .map_or(i64::MAX, |date| date.timestamp_millis())
            .min(self.watermark())
            .min(self.settled_at_start())
    }

    /// The poll goes on from `before`, but asks another question: it reads back to where the old
    /// one was last answered (polling rules 22 and 23).
    pub(crate) fn ask_otherwise(&mut self, reach: i64) {
        self.edited = true;
        let reached = self.watermark() - reach;
        if self.least_watermark() < self.watermark() {
            self.forget_before(reached);
        }
    }

    /// The first answer of a poll came at `clock` of the provider.
    ///
    /// A clock that stands before the reach in two polls running is followed back, and what is dated
    /// before the window then may be repeated (polling rule 22).
    pub(crate) fn begin_sweep(&mut self, clock: i64, reach: i64) {
        self.sweep_clock = Some(clock);
        let Some(before) = &self.before else { return };
        let least = if self.edited {
            self.least_watermark()
        } else {
            watermark(before)
        };
        let reached = least - reach;
        let swept = before.swept_at.map(|date| date.timestamp_millis());
        if clock < reached && swept.is_some_and(|swept| swept < reached) {
            self.follows_clock_back = true;
            self.forget_before(reached);
        }
    }

    /// Versions dated before `date` may be repeated, once.
    pub(crate) fn forget_before(&mut self, date: i64) {
        self.settled.versions.retain(|version| version.date >= date);
        self.settled.created.retain(|_, created| *created >= date);
    }
}

pub(crate) fn watermark(checkpoint: &Checkpoint) -> i64 {
    checkpoint.records.watermark.timestamp_millis()
}

pub(crate) fn plan(settings: &Settings, created: DateTime<Utc>) -> Plan {
    Plan {
        uid: "poller-uid".to_owned(),
        origin: origin(),
        query_fingerprint: "what is asked".to_owned(),
        start: Start::Created(created),
        unit: settings.unit().duration(),
        reach: TimeDelta::milliseconds(settings.reach),
        created_check: settings.created_check,
        created_tolerance: TimeDelta::milliseconds(settings.tolerance),
        content: (!settings.versioned).then(|| "digest of ignoreFields".to_owned()),
        drop_before_bound: settings.drop_before_bound,
        drop_after_clock: settings.drop_after_clock,
        excluded_classes: settings
            .excludes
            .then(|| "excluded".to_owned())
            .into_iter()
            .collect(),
        children: Vec::new(),
        gone: HashMap::new(),
        replay: None,
        start_from: Default::default(),
        max_events: settings.max_events as usize,
        in_flight: settings.in_flight as usize,
    }
}

fn origin() -> Origin {
    Origin {
        namespace: "helpdesk".to_owned(),
        instance: "servicenow".to_owned(),
        resource: "accounts".to_owned(),
        connector: "servicenowoauth".to_owned(),
        hub: "helpdesk".to_owned(),
        tags: Vec::new(),
        identity: Identity {
            instance_id: 1,
            account_id: 2,
            company_id: 3,
            user_id: 4,
            instance_name: "servicenow".to_owned(),
        },
    }
}
