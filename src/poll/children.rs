//! Classes of records that other pollers of the instance take from this one (polling rule 17).

use chrono::{DateTime, TimeDelta, Utc};

use super::{Child, Plan, Track, held::Due};
use crate::api::{ChildProgress, MAX_CHILDREN};

/// Who takes which class, and how far those had come that are gone.
pub(super) struct Children {
    entries: Vec<ChildProgress>,
    /// Children of whom nothing can be read: what is theirs, and from when on.
    unread: Vec<(String, DateTime<Utc>)>,
    /// What this poller has settled counts as new: it is read once more.
    renewed: bool,
    /// There are children to whom nothing is left, since a checkpoint holds no more.
    pub(super) is_full: bool,
}

/// Whose a record is by its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// This poller's.
    Own,
    /// A child's, or settled by one that is gone.
    Childs,
    /// This poller's, which settled it before it went back for the class of a child.
    Settled,
}

/// A date of each list, as where its next sweep begins.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) records: DateTime<Utc>,
    /// Of the provider's list of deletions, where the poller goes by it.
    pub(super) deletions: Option<DateTime<Utc>>,
}

/// What has changed with the children.
#[derive(Default)]
pub(super) struct Met {
    /// From when on records are to be read again.
    pub(super) read_again: Option<DateTime<Utc>>,
    /// The same of the provider's list of deletions.
    pub(super) deletions_again: Option<DateTime<Utc>>,
    /// What a write would tell of it.
    pub(super) due: Due,
}

impl Children {
    /// Takes up what is stored.
    pub(super) fn resume(stored: &[ChildProgress]) -> Self {
        Self {
            entries: stored.to_vec(),
            unread: Vec::new(),
            renewed: false,
            is_full: false,
        }
    }

    /// From now on what this poller has settled is no reason to leave a record out.
    pub(super) const fn renew(&mut self) {
        self.renewed = true;
    }

    /// As they must be stored now.
    pub(super) fn stored(&self) -> Vec<ChildProgress> {
        self.entries.clone()
    }

    /// Takes note of the plan's children; what is dated before `settled` is settled without them.
    pub(super) fn meet(&mut self, plan: &Plan, settled: Bounds) -> Met {
        let mut met = Met::default();
        let mut newcomers = plan.children.iter().filter(|child| self.is_new(child));
        if newcomers.next().is_some() {
            self.settle_taken_back(settled);
        }
        self.follow(&plan.children, &mut met);
        self.part(plan, settled, &mut met);
        self.admit(&plan.children, &mut met);
        let unread = plan.children.iter().filter(|child| child.uid.is_empty());
        self.unread = unread
            .filter_map(|child| Some((child.class.clone(), child.started_at?)))
            .collect();
        met
    }

    /// Takes over how far the children have come.
    fn follow(&mut self, children: &[Child], met: &mut Met) {
        for entry in self.entries.iter_mut().filter(|entry| is_there(entry)) {
            let Some(child) = children.iter().find(|child| child.uid == entry.uid) else {
                continue;
            };
            if child.class != entry.class {
                continue;
            }
            // How far it came with the question before is all that is known until it stores another.
            if child.started_at.is_some() {
                entry.query_fingerprint.clone_from(&child.query_fingerprint);
            }
            let Some(reached) = child.reached else {
                continue;
            };
            let before = (entry.watermark, entry.deletes_watermark);
            if before != (reached.records, reached.deletions) {
                entry.watermark = reached.records;
                entry.deletes_watermark = reached.deletions;
                met.due = met.due.max(Due::Watermark);
            }
        }
    }

    /// Notices who is gone.
    fn part(&mut self, plan: &Plan, settled: Bounds, met: &mut Met) {
        let has_left = |entry: &ChildProgress| {
            let is_it = |child: &Child| {
                child.class == entry.class && (child.uid == entry.uid || child.uid.is_empty())
            };
            is_there(entry) && !plan.children.iter().any(is_it)
        };
        if !self.entries.iter().any(has_left) {
            return;
        }
        self.settle_taken_back(settled);
        for entry in self.entries.iter_mut().filter(|entry| has_left(entry)) {
            if let Some(reached) = plan.gone.get(&entry.uid) {
                entry.watermark = reached.records;
                entry.deletes_watermark = reached.deletions;
            }
            take_back(entry, settled, met);
        }
        met.due = Due::Settled;
    }

    /// What this poller has read so far of the classes that it took back is settled before `settled`, as is
    /// everything else; of a class that others took since, what is dated before the first of them starts.
    fn settle_taken_back(&mut self, settled: Bounds) {
        let there = self.entries.iter().filter(|entry| is_there(entry));
        let starts: Vec<_> = there
            .map(|entry| (entry.class.clone(), entry.started_at))
            .collect();
        for entry in self.entries.iter_mut().filter(|entry| !is_there(entry)) {
            let others = starts.iter().filter(|(class, _)| *class == entry.class);
            let first = others.map(|(_, start)| *start).min();
            let own = |settled: DateTime<Utc>| {
                just_before(first.map_or(settled, |first| settled.min(first)))
            };
            entry.watermark = entry.watermark.max(own(settled.records));
            entry.deletes_watermark = entry.deletes_watermark.max(settled.deletions.map(own));
        }
    }

    /// Leaves to new children what is dated from their start on. Beyond what a checkpoint holds
    /// nothing is left to them: the parent then delivers too, and loses nothing.
    fn admit(&mut self, children: &[Child], met: &mut Met) {
        for child in children {
            let Some(started_at) = child.started_at.filter(|_| self.is_new(child)) else {
                continue;
            };
            if self.entries.len() >= MAX_CHILDREN {
                self.is_full = true;
                continue;
            }
            self.entries.push(ChildProgress {
                uid: child.uid.clone(),
                class: child.class.clone(),
                query_fingerprint: child.query_fingerprint.clone(),
                started_at,
                watermark: child
                    .reached
                    .map_or_else(|| just_before(started_at), |reached| reached.records),
                settled_before: None,
                deletes_watermark: child.reached.and_then(|reached| reached.deletions),
                deletes_settled_before: None,
            });
            met.due = Due::Settled;
        }
    }

    /// Whether a child has started that is not known yet.
    fn is_new(&self, child: &Child) -> bool {
        let is_it = |entry: &ChildProgress| {
            is_there(entry) && entry.uid == child.uid && entry.class == child.class
        };
        child.started_at.is_some() && !child.uid.is_empty() && !self.entries.iter().any(is_it)
    }

    /// Whose a row of `track` is that is of `class` and dated `updated`.
    pub(super) fn claim(&self, track: Track, class: Option<&str>, updated: DateTime<Utc>) -> Claim {
        let mut is_taken_back = false;
        let theirs = |entry: &&ChildProgress| {
            Some(entry.class.as_str()) == class && updated >= entry.started_at
        };
        for entry in self.entries.iter().filter(theirs) {
            if is_there(entry) || updated <= watermark(entry, track) {
                return Claim::Childs;
            }
            is_taken_back = true;
        }
        let is_unread = |(theirs, start): &(String, DateTime<Utc>)| {
            Some(theirs.as_str()) == class && updated >= *start
        };
        if self.unread.iter().any(is_unread) {
            return Claim::Childs;
        }
        let settled_before = self.entries.iter().filter_map(|entry| match track {
            Track::Records => entry.settled_before,
            Track::Deletions => entry.deletes_settled_before,
        });
        if !is_taken_back
            && !self.renewed
            && settled_before.max().is_some_and(|date| updated < date)
        {
            return Claim::Settled;
        }
        Claim::Own
    }

    /// What is dated behind `bound` is read anew, and counts as settled no longer: by this poller
    /// before it went back for the class of a child, and by children that are gone.
    pub(super) fn read_back(&mut self, bound: DateTime<Utc>) {
        for entry in &mut self.entries {
            if let Some(settled_before) = &mut entry.settled_before {
                *settled_before = bound.min(*settled_before);
                entry.watermark = bound.min(entry.watermark);
            }
            if let Some(settled_before) = &mut entry.deletes_settled_before {
                *settled_before = bound.min(*settled_before);
                entry.deletes_watermark = entry.deletes_watermark.map(|date| bound.min(date));
            }
        }
    }

    /// Forgets those that are gone and whose rows lie before `bounds`, from which on is read from now
    /// on; answers whether there were any.
    pub(super) fn retire(&mut self, bounds: Bounds) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| {
            let last = entry.settled_before.map(|date| date.max(entry.watermark));
            last.is_none_or(|last| last >= bounds.records) || has_deletions_from(entry, bounds)
        });
        self.entries.len() < before
    }
}

/// The child of `entry` is gone: its class is read again from where it stopped. All else is settled
/// that is dated before `settled`.
fn take_back(entry: &mut ChildProgress, settled: Bounds, met: &mut Met) {
    entry.settled_before = Some(settled.records);
    let earliest = met.read_again.unwrap_or(entry.watermark);
    met.read_again = Some(earliest.min(entry.watermark));
    let Some(settled) = settled.deletions else {
        return;
    };
    entry.deletes_settled_before = Some(settled);
    let Some(watermark) = entry.deletes_watermark else {
        // One that did not go by the list owes nothing of it.
        entry.deletes_watermark = Some(just_before(settled));
        return;
    };
    let earliest = met.deletions_again.unwrap_or(watermark);
    met.deletions_again = Some(earliest.min(watermark));
}

/// Up to which date the child has settled the rows of a track.
fn watermark(entry: &ChildProgress, track: Track) -> DateTime<Utc> {
    let deletes = entry
        .deletes_watermark
        .filter(|_| track == Track::Deletions);
    deletes.unwrap_or(entry.watermark)
}

/// Whether rows of the list of deletions are still read that the entry speaks of.
fn has_deletions_from(entry: &ChildProgress, bounds: Bounds) -> bool {
    let last = entry.deletes_settled_before.max(entry.deletes_watermark);
    let bound = bounds.deletions.filter(|_| !is_there(entry));
    bound.is_some_and(|bound| last.is_some_and(|last| last >= bound))
}

/// What is dated at `instant` itself is not settled.
fn just_before(instant: DateTime<Utc>) -> DateTime<Utc> {
    let before = instant.checked_sub_signed(TimeDelta::microseconds(1));
    before.unwrap_or(instant)
}

/// Whether the child is not gone.
fn is_there(entry: &ChildProgress) -> bool {
    entry.settled_before.is_none()
}
