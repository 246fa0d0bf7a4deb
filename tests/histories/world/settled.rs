//! What a process must remember.

use std::collections::{HashMap, HashSet};

use super::version::Version;

/// The versions of one list whose acknowledgement a process has seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Known {
    pub(crate) versions: HashSet<Version>,
    /// Versions of which a repeat is allowed.
    repeatable: HashSet<Version>,
    /// Versions that lay before the reach of a watermark, as it was then: the window may hold them no
    /// more, also where a clock or an edit leads back there under a longer reach.
    left_behind: HashSet<Version>,
    /// Versions from before the deletion of their record: they come again if it does.
    reopened: HashSet<Version>,
    /// What was dated before this may have left the window.
    pub(crate) sure_since: i64,
}

/// A record whose deletion was acknowledged, and nothing of it since.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Gone {
    deleted: i64,
    /// No earlier deletion of it is dated as late, or its mark would stand for both.
    is_latest: bool,
}

/// What a process must remember: all whose acknowledgement it has seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Settled {
    pub(crate) records: Known,
    pub(crate) deletions: Known,
    /// The latest date under which a record was delivered as created.
    pub(crate) created: HashMap<u32, i64>,
    gone: HashMap<u32, Gone>,
    /// When a deletion of each record was acknowledged last, by our clock.
    deleted: HashMap<u32, i64>,
    /// What replays delivered, by their ids.
    replayed: HashSet<(String, Version)>,
}

/// What a process knows of a record's deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absence {
    /// It was told, and must be remembered: the record's next version is a restore.
    Sure,
    /// It was told, and may have left the window.
    Unsure,
    Unknown,
}

impl Known {
    fn contains(&self, version: Version, content_ignored: bool) -> bool {
        is_among(&self.versions, version, content_ignored)
    }

    /// Versions that lay before the reach.
    fn leave_behind(&mut self, date: i64) {
        let left = self.versions.iter().filter(|version| version.date < date);
        self.left_behind.extend(left);
        self.sure_since = self.sure_since.max(date);
    }

    fn forget_before(&mut self, date: i64) {
        let left = std::mem::take(&mut self.left_behind);
        let forgotten = self
            .versions
            .extract_if(|version| version.date < date || left.contains(version));
        self.repeatable.extend(forgotten);
        self.sure_since = self.sure_since.max(date);
    }

    fn allow_again(&mut self, is_allowed: &impl Fn(Version) -> bool) {
        let allowed = self.versions.extract_if(|version| is_allowed(*version));
        self.repeatable.extend(allowed);
    }

    fn reopen(&mut self, record: u32) {
        let is_its = |version: &Version| version.record == record;
        self.reopened.extend(self.versions.extract_if(is_its));
        self.reopened.extend(self.repeatable.extract_if(is_its));
    }
}

impl Settled {
    /// An event is acknowledged at `now`, by our clock.
    pub(crate) fn acknowledge(&mut self, version: Version, is_created: bool, now: i64) {
        let record = version.record;
        if version.is_deletion() {
            let deletions = self.deletions.versions.iter();
            let mut before = deletions.filter(|other| other.record == record);
            let is_latest = before.all(|other| other.date < version.date);
            let deleted = version.date;
            self.gone.insert(record, Gone { deleted, is_latest });
            self.records.reopen(record);
        } else {
            self.gone.remove(&record);
        }
        if is_created {
            self.created.insert(record, version.date);
        }
        self.take(version, now);
    }

    /// A replay has delivered it.
    pub(crate) fn replay(&mut self, id: &str, version: Version) {
        self.replayed.insert((id.to_owned(), version));
    }

    /// Whether this replay has delivered the version; where contents count no more, one of its date.
    pub(crate) fn is_replayed(&self, id: &str, version: Version, content_ignored: bool) -> bool {
        let named = version.named(content_ignored);
        let mut replayed = self.replayed.iter();
        replayed.any(|(by, other)| by == id && other.named(content_ignored) == named)
    }

    /// The receiver has it.
    pub(crate) fn take(&mut self, version: Version, now: i64) {
        if version.is_deletion() {
            self.deleted.insert(version.record, now);
            self.deletions.versions.insert(version);
        } else {
            self.records.versions.insert(version);
        }
    }

    pub(crate) fn absence(&self, record: u32) -> Absence {
        match self.gone.get(&record) {
            None => Absence::Unknown,
            Some(gone) if gone.is_latest && gone.deleted >= self.deletions.sure_since => {
                Absence::Sure
            }
            Some(_) => Absence::Unsure,
        }
    }

    /// Whether a deletion of the record was acknowledged at `since` or later, by our clock.
    pub(crate) fn is_deleted_since(&self, record: u32, since: i64) -> bool {
        self.deleted.get(&record).is_some_and(|at| *at >= since)
    }

    /// Whether a version is settled; where contents count no more, under its date.
    pub(crate) fn covers(&self, version: Version, content_ignored: bool) -> bool {
        let among = |versions| is_among(versions, version, content_ignored);
        let is_back = self.absence(version.record) == Absence::Sure;
        self.records.contains(version, content_ignored)
            || among(&self.records.repeatable)
            || among(&self.records.reopened) && !is_back
    }

    /// Whether a version is settled and must not come again.
    pub(crate) fn forbids(&self, version: Version, content_ignored: bool) -> bool {
        let known = if version.is_deletion() {
            &self.deletions
        } else {
            &self.records
        };
        known.contains(version, content_ignored)
    }

    /// Whether a version of the record was acknowledged, and no deletion since.
    pub(crate) fn is_told(&self, record: u32) -> bool {
        let versions = &self.records.versions;
        versions.iter().any(|version| version.record == record)
    }

    /// Whether a deletion of the record was acknowledged after `since`, by our clock, and nothing of the
    /// record behind it.
    pub(crate) fn is_gone_since(&self, record: u32, since: i64) -> bool {
        self.gone.contains_key(&record) && self.deleted.get(&record).is_some_and(|at| *at > since)
    }

    /// What was told and must be remembered.
    pub(crate) fn told(&self) -> impl Iterator<Item = Version> {
        let all = self.records.versions.iter();
        all.chain(&self.deletions.versions).copied()
    }

    /// Versions that may come again.
    pub(crate) fn allow_again(&mut self, is_allowed: &impl Fn(Version) -> bool) {
        self.records.allow_again(is_allowed);
        self.deletions.allow_again(is_allowed);
    }

    /// Whether it may come once more, since a clock or an edit led back there.
    pub(crate) fn may_repeat(&self, version: Version) -> bool {
        self.records.repeatable.contains(&version)
    }

    /// The watermarks have come so far that nothing before these dates is read again.
    pub(crate) fn leave_behind(&mut self, records: i64, deletions: i64) {
        self.records.leave_behind(records);
        self.deletions.leave_behind(deletions);
    }

    /// The list of deletions was read as far as that what is before `date` may be forgotten.
    pub(crate) fn leave_deletions_behind(&mut self, date: i64) {
        self.deletions.leave_behind(date);
    }

    /// Versions dated before `date` may be repeated, once, and so may those left behind.
    pub(crate) fn forget_records_before(&mut self, date: i64) {
        self.records.forget_before(date);
    }

    /// The same of deletions.
    pub(crate) fn forget_deletions_before(&mut self, date: i64) {
        self.deletions.forget_before(date);
    }
}

fn is_among(versions: &HashSet<Version>, version: Version, content_ignored: bool) -> bool {
    let named = version.named(content_ignored);
    versions.contains(&version)
        || content_ignored && versions.iter().any(|other| other.named(true) == named)
}
