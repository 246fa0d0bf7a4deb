//! What the class has had told that two pollers share, and the children that have gone.

use std::collections::HashSet;

use pollen::api::Checkpoint;

use super::{
    Version, checkpoints,
    provider::{Deleted, Record},
    store::Stored,
};

/// What the receiver has of the class that two pollers share.
#[derive(Default)]
pub(crate) struct Joint {
    /// A poller followed its provider's clock back, or another process polled.
    pub(crate) is_led_back: bool,
    /// The children that have gone, or asked for something else.
    pub(crate) goings: Vec<Going>,
    /// Versions that were dated ahead of the provider's clock when they came.
    pub(crate) ahead: HashSet<Version>,
}

impl Joint {
    /// Of what went before under the same name nobody knows more than one thing.
    pub(super) fn go(&mut self, going: Option<Going>) {
        let Some(going) = going else {
            return;
        };
        let before = self.goings.iter_mut();
        let before = before.filter(|before| before.uid == going.uid);
        before.for_each(|before| before.told.clear());
        self.goings.push(going);
    }
}

/// A child that leaves its class to the parent.
pub(crate) struct Going {
    uid: String,
    /// It is there, and asks something else.
    pub(super) is_edited: bool,
    /// What it had told and stored, so that the parent knows of it.
    told: HashSet<Version>,
    /// When its last poll began that read everything, by our clock.
    polled: i64,
    started_at: i64,
    /// How far it had come: with records, and with deletions.
    records: i64,
    deletions: i64,
}

impl Going {
    pub(super) fn of(
        uid: &str,
        stored: &Stored,
        parent: &Stored,
        times: (i64, i64),
    ) -> Option<Self> {
        let (polled, unit) = times;
        let checkpoint = stored.checkpoint()?;
        let since = checkpoint.asked_since.unwrap_or(checkpoint.started_at);
        let since = since.timestamp_millis();
        let is_met = parent.checkpoint().is_some_and(|parent| {
            let mut known = parent.children.iter();
            known.any(|entry| {
                entry.uid == uid
                    && entry.settled_before.is_none()
                    && entry.query_fingerprint == checkpoint.query_fingerprint
            })
        });
        let records = checkpoints::watermark(&checkpoint);
        let deletions = checkpoints::deletions_watermark(&checkpoint);
        let deletions = deletions.unwrap_or(records);
        // In the unit of what it settled last there may be more than it had seen.
        let told = stored
            .settled
            .told()
            .filter(|version| match version.is_deletion() {
                true => version.date + unit.max(1_000) <= deletions,
                false => version.date + unit <= records,
            });
        Some(Self {
            uid: uid.to_owned(),
            is_edited: false,
            told: told
                .filter(|version| is_met && version.date >= since)
                .collect(),
            polled,
            started_at: stored.started_at()?,
            records,
            deletions,
        })
    }

    /// Whether it had told of a version, and its parent must know so.
    pub(crate) fn has_told(&self, version: Version) -> bool {
        self.told.contains(&version)
    }

    /// The process ended in which it had run: how far it had come, only `checkpoint` of its parent
    /// says.
    pub(super) fn forget(&mut self, checkpoint: &Checkpoint, unit: i64) {
        if self.is_edited {
            self.told.clear();
        }
        let mut entries = checkpoint.children.iter();
        let entry = entries.find(|entry| entry.uid == self.uid);
        self.told.retain(|version| {
            entry.is_some_and(|entry| {
                let deletes = entry.deletes_watermark.unwrap_or(entry.watermark);
                let watermark = match version.is_deletion() {
                    true => deletes,
                    false => entry.watermark,
                };
                version.date + unit <= watermark.timestamp_millis()
            })
        });
    }

    /// Whether a row dated `date` was shown behind its back: dated before its last change but seen
    /// by none of its polls. In the unit of that change itself, only one that is late was.
    fn misses(&self, date: i64, shown_from: i64, unit: i64, is_late: bool, reached: i64) -> bool {
        let unit = if is_late { 0 } else { unit };
        shown_from >= self.polled && date >= self.started_at && date + unit <= reached
    }

    pub(crate) fn misses_record(&self, version: Version, record: &Record, unit: i64) -> bool {
        let is_late = record.shown_from > record.written;
        self.misses(version.date, record.shown_from, unit, is_late, self.records)
    }

    pub(crate) fn misses_deletion(&self, date: i64, row: &Deleted, unit: i64) -> bool {
        let is_late = row.shown_from > row.written;
        self.misses(date, row.shown_from, unit, is_late, self.deletions)
    }
}
