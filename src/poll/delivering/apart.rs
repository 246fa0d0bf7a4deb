//! Several changes of one record: never in flight together, nor in one notification.

use std::collections::HashSet;

use crate::poll::change::Change;

/// The records of which several changes are at hand, and those of them that are in flight.
///
/// Most pages show a record once: then nothing is kept, and nothing is looked up for any event.
pub(super) struct Apart {
    repeated: HashSet<String>,
    in_flight: HashSet<String>,
}

impl Apart {
    pub(super) fn of(changes: &[Change]) -> Self {
        let mut ids = HashSet::with_capacity(changes.len());
        let repeated = changes
            .iter()
            .filter(|change| !ids.insert(change.id.as_str()));
        Self {
            repeated: repeated.map(|change| change.id.clone()).collect(),
            in_flight: HashSet::new(),
        }
    }

    /// How many of `changes`, from the first on, may go out together now.
    pub(super) fn fitting(&self, changes: &[Change]) -> usize {
        if self.repeated.is_empty() {
            return changes.len();
        }
        let mut together = HashSet::new();
        changes
            .iter()
            .map(|change| change.id.as_str())
            .take_while(|id| !self.in_flight.contains(*id) && together.insert(*id))
            .count()
    }

    /// `changes` are in flight.
    pub(super) fn depart(&mut self, changes: &[Change]) {
        if !self.repeated.is_empty() {
            let ids = changes.iter().map(|change| &change.id);
            let repeated = ids.filter(|id| self.repeated.contains(*id)).cloned();
            self.in_flight.extend(repeated);
        }
    }

    /// `changes` have been answered.
    pub(super) fn arrive(&mut self, changes: &[Change]) {
        for change in changes {
            self.in_flight.remove(&change.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::{
        event::Kind,
        poll::{Track, carried::Carried},
    };

    fn changes(ids: &[&str]) -> Vec<Change> {
        let change = |id: &&str| Change {
            track: Track::Records,
            carried: Carried::Row(0),
            id: (*id).to_owned(),
            updated: DateTime::UNIX_EPOCH,
            kind: Kind::Updated,
            version: String::new(),
            fingerprint: 0,
            restores: None,
            content_only: false,
        };
        ids.iter().map(change).collect()
    }

    #[test]
    fn different_records_go_together() {
        let changes = changes(&["a", "b", "c"]);
        let mut apart = Apart::of(&changes);
        apart.depart(&changes[..1]);
        assert_eq!(apart.fitting(&changes[1..]), 2);
    }

    #[test]
    fn two_changes_of_a_record_go_in_two_notifications() {
        let changes = changes(&["a", "b", "a", "c"]);
        assert_eq!(Apart::of(&changes).fitting(&changes), 2);
    }

    #[test]
    fn a_change_waits_for_the_answer_to_the_one_before() {
        let changes = changes(&["a", "b", "a", "c"]);
        let mut apart = Apart::of(&changes);
        apart.depart(&changes[..1]);
        apart.depart(&changes[1..2]);
        assert_eq!(apart.fitting(&changes[2..]), 0);
        apart.arrive(&changes[1..2]);
        assert_eq!(apart.fitting(&changes[2..]), 0);
        apart.arrive(&changes[..1]);
        assert_eq!(apart.fitting(&changes[2..]), 2);
    }
}
