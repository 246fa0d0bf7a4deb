//! Reading one page: its changes, and what it tells about the sweep.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::{
    Flaws, Progress,
    change::{Change, Comparison, Flaw, Verdict},
    sweep::{Look, PageFacts, key_order},
    trail,
};
use crate::provider::{Page, PageError, Row};

/// Bad records that are named; further ones are only counted.
const MAX_SAMPLES: usize = 5;

/// What one page holds for this poll.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) changes: Vec<Change>,
    pub(super) facts: PageFacts,
    /// Fingerprints of all dated versions in the page, where the window must keep them.
    pub(super) returned: Vec<u64>,
    /// Of the changes, those settled under their date before, with other content.
    pub(super) content_only: u64,
    pub(super) counts: Counts,
    /// A class of these records whose deletions the provider's list is not asked for.
    pub(super) unlisted: Option<String>,
    bad: Vec<String>,
    in_page: HashSet<u64>,
    /// The row has the date of the one before it.
    is_tied: bool,
}

#[derive(Default)]
pub(super) struct Counts {
    pub(super) unchanged: u64,
    excluded: u64,
    out_of_range: u64,
    changed: u64,
    flaws: Flaws,
}

impl Counts {
    const fn flaw(&mut self, flaw: Flaw) {
        let count = match flaw {
            Flaw::NoId => &mut self.flaws.no_id,
            Flaw::NoDate => &mut self.flaws.no_date,
            Flaw::UnreadableDate => &mut self.flaws.unreadable_date,
            Flaw::NotUtf8 => &mut self.flaws.not_utf8,
            Flaw::NoClass => &mut self.flaws.no_class,
        };
        *count += 1;
    }

    fn add_to(&self, progress: &mut Progress) {
        progress.unchanged += self.unchanged;
        progress.excluded += self.excluded;
        progress.out_of_range += self.out_of_range;
        progress.changed += self.changed;
        progress.flaws.add(&self.flaws);
    }
}

/// Reads `page`, the answer to a question from `comparison.bound`.
///
/// # Errors
///
/// The body is no page; then nothing of it counts.
pub(super) fn scan(
    page: &Page,
    comparison: &Comparison<'_>,
    look: Look,
) -> Result<Scan, PageError> {
    let mut scan = Scan::default();
    let keep_returned = !comparison.plan.drops_before_bound(comparison.track);
    scan.facts.rows = page.rows(|row| {
        if let Some(date) = Comparison::date(&row) {
            scan.place(date, comparison.bound, look.ordered);
        }
        if look.watched {
            scan.facts.shown.extend(comparison.shown(&row));
        }
        scan.take(&row, comparison, keep_returned);
    })?;
    scan.facts.total = page.total;
    scan.facts.limit = page.limit;
    scan.facts.next.clone_from(&page.next);
    scan.changes.sort_by_key(|change| change.updated);
    Ok(scan)
}

impl Scan {
    /// Where the row stands among the dates of the page.
    fn place(&mut self, date: DateTime<Utc>, bound: DateTime<Utc>, ordered: bool) {
        if ordered && self.facts.disorder.is_none() {
            // Without the dates: a condition that read otherwise at every poll would be written so.
            if date < bound {
                self.facts.disorder = Some(
                    "the provider returned a record dated before those that were asked for: it \
                     ignores the filter"
                        .to_owned(),
                );
            } else if self.facts.last.is_some_and(|before| date < before) {
                self.facts.disorder = Some(
                    "the provider returned a record behind one that is dated later: it ignores \
                     the order"
                        .to_owned(),
                );
            }
        }
        self.is_tied = self.facts.last == Some(date);
        self.facts.first.get_or_insert(date);
        self.facts.last = Some(date);
        self.facts.newest = self.facts.newest.max(Some(date));
    }

    fn take(&mut self, row: &Row<'_>, comparison: &Comparison<'_>, keep_returned: bool) {
        let verdict = comparison.judge(row);
        if self.unlisted.is_none() {
            self.unlisted = comparison.unlisted_class(row, &verdict);
        }
        trail::record(row, &verdict, &comparison.plan.origin);
        match verdict {
            Verdict::Change(change) => self.change(change, comparison.clock, keep_returned),
            Verdict::Unchanged(fingerprint) => {
                self.counts.unchanged += 1;
                if keep_returned {
                    self.returned.push(fingerprint);
                }
            }
            Verdict::Excluded => self.counts.excluded += 1,
            Verdict::OutOfRange => self.counts.out_of_range += 1,
            Verdict::Bad(flaw, reason) => {
                self.counts.flaw(flaw);
                self.bad.push(reason);
            }
        }
        if let Some(key) = row.key() {
            let last_key = self.facts.last_key.get_or_insert_default();
            if self.is_tied && key_order(last_key, key).is_gt() {
                self.facts.keys_disordered = true;
            }
            last_key.clear();
            last_key.push_str(key);
        }
    }

    fn change(&mut self, change: Change, clock: DateTime<Utc>, keep_returned: bool) {
        self.counts.changed += 1;
        if !self.in_page.insert(change.fingerprint) {
            return;
        }
        if keep_returned {
            self.returned.push(change.fingerprint);
        }
        self.content_only += u64::from(change.content_only);
        self.facts.unseen += usize::from(change.updated <= clock);
        self.changes.push(change);
    }

    /// Adds what the page held to what the poll reports; a bad record that is read twice in one
    /// sweep counts once.
    pub(super) fn report(&mut self, progress: &mut Progress, known_bad: &mut HashSet<String>) {
        progress.read += self.facts.rows as u64;
        self.counts.add_to(progress);
        for reason in self.bad.drain(..) {
            if !known_bad.insert(reason.clone()) {
                continue;
            }
            progress.bad_records += 1;
            if progress.bad_samples.len() < MAX_SAMPLES {
                progress.bad_samples.push(reason);
            }
        }
        if let Some(disorder) = &self.facts.disorder {
            progress.unordered.get_or_insert_with(|| disorder.clone());
        }
    }
}
