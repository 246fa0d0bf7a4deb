//! How far the changes of a page are settled without a gap.

use chrono::{DateTime, Utc};

use crate::poll::change::Change;

/// Which of a page's changes are settled; each acknowledgement moves on from where the last one
/// stopped, so that a page of thousands costs no more per event than one of ten.
pub(super) struct Settled {
    /// The updated date of each change, ascending, and whether it is settled.
    changes: Vec<(DateTime<Utc>, bool)>,
    /// The first change that is not settled.
    gap: usize,
    until: Option<DateTime<Utc>>,
}

impl Settled {
    /// None of `changes`, which are in order of their updated date.
    pub(super) fn none_of(changes: &[Change]) -> Self {
        let changes = changes.iter().map(|change| (change.updated, false));
        Self {
            changes: changes.collect(),
            gap: 0,
            until: None,
        }
    }

    pub(super) fn insert(&mut self, index: usize) {
        if let Some((_, settled)) = self.changes.get_mut(index) {
            *settled = true;
        }
        while let Some((date, true)) = self.changes.get(self.gap).copied() {
            self.gap += 1;
            let next = self.changes.get(self.gap);
            if next.is_none_or(|(next, _)| date < *next) {
                self.until = Some(date);
            }
        }
    }

    /// The latest date such that every change dated at or before it is settled; the watermark never
    /// passes a gap.
    pub(super) const fn until(&self) -> Option<DateTime<Utc>> {
        self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::Kind, poll::carried::Carried};

    fn change(second: i64) -> Change {
        Change {
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
        let changes: Vec<_> = seconds.iter().copied().map(change).collect();
        let mut settled = Settled::none_of(&changes);
        for index in acknowledged {
            settled.insert(*index);
        }
        settled.until().map(|date| date.timestamp())
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
}
