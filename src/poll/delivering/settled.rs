//! How far the changes at hand are settled without a gap.

use chrono::{DateTime, Utc};

use crate::poll::{Track, change::Change};

/// Which of the changes are settled, each track by itself: a watermark never passes a gap in its own
/// list, and says nothing of the other.
pub(super) struct Settled {
    records: Tally,
    deletions: Tally,
}

/// Each acknowledgement moves on from where the last one stopped, so that a page of thousands costs
/// no more per event than one of ten.
#[derive(Default)]
struct Tally {
    /// The place among all changes and the date of each change of this track, ascending, and whether
    /// it is settled.
    changes: Vec<(usize, DateTime<Utc>, bool)>,
    /// The first change that is not settled.
    gap: usize,
    until: Option<DateTime<Utc>>,
}

impl Settled {
    /// None of `changes`, which are in order of their updated date.
    pub(super) fn none_of(changes: &[Change]) -> Self {
        let of = |track| Tally {
            changes: changes
                .iter()
                .enumerate()
                .filter(|(_, change)| change.track == track)
                .map(|(index, change)| (index, change.updated, false))
                .collect(),
            ..Tally::default()
        };
        Self {
            records: of(Track::Records),
            deletions: of(Track::Deletions),
        }
    }

    pub(super) fn insert(&mut self, index: usize) {
        self.records.insert(index);
        self.deletions.insert(index);
    }

    /// The latest date such that every change of this track dated at or before it is settled.
    pub(super) const fn until(&self, track: Track) -> Option<DateTime<Utc>> {
        match track {
            Track::Records => self.records.until,
            Track::Deletions => self.deletions.until,
        }
    }
}

impl Tally {
    fn insert(&mut self, index: usize) {
        let place = self.changes.binary_search_by_key(&index, |(at, ..)| *at);
        let Some((_, _, settled)) = place.ok().and_then(|place| self.changes.get_mut(place)) else {
            return;
        };
        *settled = true;
        while let Some((_, date, true)) = self.changes.get(self.gap).copied() {
            self.gap += 1;
            let next = self.changes.get(self.gap);
            if next.is_none_or(|(_, next, _)| date < *next) {
                self.until = Some(date);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::Kind, poll::carried::Carried};

    fn change(track: Track, second: i64) -> Change {
        Change {
            track,
            carried: Carried::Row(0),
            id: second.to_string(),
            updated: DateTime::from_timestamp(second, 0).unwrap(),
            kind: Kind::Updated,
            version: String::new(),
            fingerprint: 0,
            restores: None,
            content_only: false,
        }
    }

    fn until(seconds: &[i64], acknowledged: &[usize]) -> Option<i64> {
        let changes: Vec<_> = seconds
            .iter()
            .map(|second| change(Track::Records, *second))
            .collect();
        let mut settled = Settled::none_of(&changes);
        for index in acknowledged {
            settled.insert(*index);
        }
        settled.until(Track::Records).map(|date| date.timestamp())
    }

    #[test]
    fn the_watermark_stops_before_a_gap() {
        assert_eq!(until(&[1, 2, 3], &[0, 1, 2]), Some(3));
        assert_eq!(until(&[1, 2, 3], &[2, 0]), Some(1));
        assert_eq!(
            until(&[1, 2, 2, 3], &[0, 1, 3]),
            Some(1),
            "a tie with the gap is not settled"
        );
        assert_eq!(until(&[1, 2], &[1]), None);
        assert_eq!(until(&[1, 1], &[0]), None);
    }

    #[test]
    fn a_gap_that_closes_lets_what_is_behind_it_count() {
        assert_eq!(until(&[1, 2, 2, 3], &[3, 2, 0, 1]), Some(3));
    }

    #[test]
    fn a_gap_among_the_deletions_holds_back_no_record_and_the_other_way_round() {
        let changes = [
            change(Track::Deletions, 1),
            change(Track::Records, 2),
            change(Track::Deletions, 3),
        ];
        let mut settled = Settled::none_of(&changes);
        settled.insert(1);
        assert_eq!(settled.until(Track::Deletions), None);
        let until = settled.until(Track::Records);
        assert_eq!(until.map(|date| date.timestamp()), Some(2));
        settled.insert(0);
        let until = settled.until(Track::Deletions);
        assert_eq!(
            until.map(|date| date.timestamp()),
            Some(1),
            "not the record's date"
        );
    }
}
