//! The poller's plan, and what a checkpoint says of the poll that goes on from it.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use pollen::{
    api::Checkpoint,
    event::{Identity, Origin},
    poll::{Deletions, Plan, Reconciliation, Start},
};

use super::{CHILD, ledger::Memory};
use crate::settings::{Deletes, Part, Settings};

impl Memory {
    /// The watermark when this poll began.
    pub(crate) fn watermark(&self) -> i64 {
        self.before.as_ref().map_or(i64::MIN / 2, watermark)
    }

    /// Since when the window is complete: what is dated before may have left it.
    pub(crate) fn window_since(&self) -> i64 {
        let before = self.before.as_ref();
        before.map_or(i64::MIN / 2, |before| {
            before.records.window_since.timestamp_millis()
        })
    }

    /// The watermark when the unfinished sweep began, or where an edit leads back to from there.
    pub(crate) fn settled_at_start(&self) -> i64 {
        if let Some(back) = self.followed_back_to {
            return back.min(self.asked_from());
        }
        let before = self.before.as_ref();
        let stored = before.and_then(|before| before.records.settled_at_start);
        let asked_from = self.asked_from();
        stored.map_or(asked_from, |date| date.timestamp_millis().min(asked_from))
    }

    /// What no watermark of this poll may be earlier than: where its sweep began, unless a clock
    /// or an edit leads further back.
    pub(crate) fn least_watermark(&self) -> i64 {
        if self.takes_back {
            return i64::MIN / 2;
        }
        self.asked_from().min(self.settled_at_start())
    }

    /// Where this poll goes on from: another question than the last one reads back to where that
    /// was last answered (polling rules 22 and 23).
    fn asked_from(&self) -> i64 {
        let before = self.before.as_ref().filter(|_| self.edited);
        let answered = before.and_then(|before| Some(before.swept_at?.max(before.started_at)));
        answered.map_or_else(
            || self.watermark(),
            |date| date.timestamp_millis().min(self.watermark()),
        )
    }

    /// The poll goes on from a checkpoint of another question.
    pub(crate) fn ask_otherwise(&mut self, reach: i64, settings: &Settings) {
        self.edited = true;
        if self.asked_from() < self.watermark() {
            let reached = settings.floor(self.watermark() - reach);
            self.settled.forget_records_before(reached);
        }
    }

    /// The first answer of a poll came at `clock` of the provider.
    ///
    /// A clock that stands before the reach in two polls running is followed back, an interval further
    /// than in the first of them; what is dated before the window then may be repeated (polling rule
    /// 22).
    pub(crate) fn begin_sweep(&mut self, clock: i64, reach: i64, settings: &Settings) {
        self.sweep_clock = Some(clock);
        let before = self.before.as_ref();
        let records = self.asked_from() - reach;
        let deletions = before.and_then(deletions_watermark);
        let deletions = deletions.map_or(records, |watermark| watermark - reach);
        let reached = records.max(deletions);
        let swept = before.and_then(|before| before.swept_at);
        let swept = swept.map_or(i64::MAX, |swept| swept.timestamp_millis());
        if clock < reached && swept < reached {
            let between = (clock - swept).max(0);
            self.followed_back_to = Some(swept.min(clock) - between);
            self.settled.forget_records_before(settings.floor(records));
            self.settled
                .forget_deletions_before(settings.floor(deletions));
        }
    }
}

pub(crate) fn deletions_watermark(checkpoint: &Checkpoint) -> Option<i64> {
    let deletes = checkpoint.deletes.as_ref()?;
    Some(deletes.watermark.timestamp_millis())
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
        deletions: (settings.deletes == Deletes::Listed).then(|| Deletions {
            classes: match settings.part {
                Part::Alone => ["plain".to_owned()].into(),
                Part::Parent => ["plain".to_owned(), CHILD.to_owned()].into(),
                Part::Child => [CHILD.to_owned()].into(),
            },
            from_start: settings.deletes_from_start,
            unit: settings.unit().duration(),
            reach: TimeDelta::milliseconds(settings.reach),
        }),
        reconcile: reconciliation(settings),
        start_from: Default::default(),
        max_events: settings.max_events as usize,
        in_flight: settings.in_flight as usize,
        on_rejected: Default::default(),
    }
}

fn reconciliation(settings: &Settings) -> Option<Reconciliation> {
    let Deletes::Compared(comparing) = settings.deletes else {
        return None;
    };
    Some(Reconciliation {
        interval: TimeDelta::milliseconds(settings.interval.max(2_000) * 3),
        max_share_percent: comparing.max_share_percent,
        place: "where ids are listed".to_owned(),
        confirmed: None,
    })
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
