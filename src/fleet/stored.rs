//! What is stored of a poller's checkpoint, for those who must not wait for a write under way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    api::{Checkpoint, Stream},
    poll::Reached,
};

/// What is stored of one poller, as its siblings must know it; clones show the same poller.
#[derive(Clone, Debug, Default)]
pub struct Stored(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    /// Nothing can be read of it.
    is_unread: bool,
    now: Option<Settled>,
    /// The same as it was when something else was asked.
    before: Option<Settled>,
}

/// How far a poller has come with one question.
#[derive(Clone, Debug, PartialEq)]
struct Settled {
    query_fingerprint: String,
    since: DateTime<Utc>,
    watermark: DateTime<Utc>,
    /// The provider's clock when a sweep began that is complete.
    swept_at: Option<DateTime<Utc>>,
    /// Both of the provider's list of deletions, where it goes by that: it is asked before the records,
    /// and may fail where these are read.
    deletions: Option<(DateTime<Utc>, Option<DateTime<Utc>>)>,
    /// The latest date of what it may have delivered, once it has polled.
    reached: Option<DateTime<Utc>>,
}

impl Settled {
    fn of(checkpoint: &Checkpoint) -> Self {
        let records = &checkpoint.records;
        let deletes = checkpoint.deletes.as_ref();
        let swept_at = |list: &Stream| {
            let swept_at = list.swept_at;
            swept_at.filter(|_| list.settled_at_start.is_none())
        };
        Self {
            query_fingerprint: checkpoint.query_fingerprint.clone(),
            since: checkpoint.asked_since.unwrap_or(checkpoint.started_at),
            watermark: records.watermark,
            swept_at: swept_at(records),
            deletions: deletes.map(|list| (list.watermark, swept_at(list))),
            reached: checkpoint
                .swept_at
                .map(|swept| swept.max(records.watermark)),
        }
    }

    fn until(&self, unit: TimeDelta) -> Reached {
        let until_deletion =
            |(watermark, swept_at)| until(watermark, swept_at, unit.max(UNIT_OF_DELETIONS));
        Reached {
            records: until(self.watermark, self.swept_at, unit),
            deletions: self.deletions.map(until_deletion),
        }
    }
}

/// No list of deletions has coarser dates.
const UNIT_OF_DELETIONS: TimeDelta = TimeDelta::seconds(1);

/// The date up to which everything is settled for certain. In the watermark's own unit there may be
/// more: while a sweep is unfinished, or where it began before that unit was over. The watermark need
/// not lie where its unit begins, as no row is dated in between: the provider's clock bounds it.
fn until(
    watermark: DateTime<Utc>,
    swept_at: Option<DateTime<Utc>>,
    unit: TimeDelta,
) -> DateTime<Utc> {
    let end = watermark.checked_add_signed(unit);
    if end.is_some_and(|end| swept_at.is_some_and(|swept| swept >= end)) {
        return watermark;
    }
    watermark.checked_sub_signed(unit).unwrap_or(watermark)
}

impl Stored {
    /// What `checkpoint` says, where there is one.
    #[must_use]
    pub fn of(checkpoint: Option<&Checkpoint>) -> Self {
        let stored = Self::default();
        stored.note(checkpoint);
        stored
    }

    /// Of a poller that cannot be read: everything it takes is its own, how far it has come is not
    /// known.
    #[must_use]
    pub fn unread() -> Self {
        Self(Arc::new(Mutex::new(Seen {
            is_unread: true,
            ..Seen::default()
        })))
    }

    /// Takes note of the checkpoint as it is stored.
    pub fn note(&self, checkpoint: Option<&Checkpoint>) {
        let settled = checkpoint.map(Settled::of);
        let mut seen = self.lock();
        let asked = |settled: &Option<Settled>| {
            let settled = settled.as_ref();
            settled.map(|settled| settled.query_fingerprint.clone())
        };
        if asked(&seen.now) != asked(&settled) {
            seen.before = seen.now.take();
        }
        seen.now = settled;
    }

    /// From which updated date on it delivers what it asks for, once it is stored that it asks the
    /// question with this digest: what it delivered under another one says nothing of that.
    #[must_use]
    pub fn since(&self, query_fingerprint: &str) -> Option<DateTime<Utc>> {
        let seen = self.lock();
        if seen.is_unread {
            return Some(DateTime::<Utc>::MIN_UTC);
        }
        let now = seen.now.as_ref();
        now.filter(|settled| settled.query_fingerprint == query_fingerprint)
            .map(|settled| settled.since)
    }

    /// The dates up to which it has settled everything for certain, under the question with this
    /// digest; also where it asks another by now.
    pub(super) fn until(&self, query_fingerprint: &str, unit: TimeDelta) -> Option<Reached> {
        let seen = self.lock();
        let all = seen.now.iter().chain(&seen.before);
        let mut asked = all.filter(|settled| settled.query_fingerprint == query_fingerprint);
        asked.next().map(|settled| settled.until(unit))
    }

    /// The latest date of what it may have delivered, by the provider's clock, once it has polled.
    pub(super) fn reached(&self) -> Option<DateTime<Utc>> {
        self.lock().now.as_ref()?.reached
    }

    /// Whether nothing can be read of it.
    pub(super) fn is_unread(&self) -> bool {
        self.lock().is_unread
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{CHECKPOINT_VERSION, Stream};

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn checkpoint(query: &str, watermark: i64, swept_at: i64) -> Checkpoint {
        let records = Stream {
            watermark: at(watermark),
            settled_at_start: None,
            swept_at: Some(at(swept_at)),
            window_since: at(0),
            window: None,
            content_ignored: None,
            position: None,
        };
        Checkpoint {
            version: CHECKPOINT_VERSION,
            uid: "uid".to_owned(),
            query_fingerprint: query.to_owned(),
            started_at: at(0),
            start_from: None,
            asked_since: None,
            swept_at: Some(at(swept_at)),
            records,
            deletes: None,
            reconcile: None,
            replay: None,
            children: Vec::new(),
        }
    }

    fn until(stored: &Stored, query: &str) -> Option<DateTime<Utc>> {
        stored
            .until(query, TimeDelta::seconds(1))
            .map(|reached| reached.records)
    }

    #[test]
    fn how_far_one_question_was_settled_is_known_while_another_is_asked() {
        let stored = Stored::of(Some(&checkpoint("all", 5, 9)));
        stored.note(Some(&checkpoint("some", 7, 20)));
        stored.note(Some(&checkpoint("some", 30, 40)));
        assert_eq!(until(&stored, "all"), Some(at(5)));
        assert_eq!(until(&stored, "some"), Some(at(30)));
        assert_eq!(until(&stored, "none"), None);
    }

    #[test]
    fn the_second_of_the_watermark_is_settled_once_a_sweep_began_behind_it() {
        let open = at(4);
        let stored = |checkpoint: &Checkpoint| until(&Stored::of(Some(checkpoint)), "all");
        assert_eq!(stored(&checkpoint("all", 5, 6)), Some(at(5)));
        assert_eq!(stored(&checkpoint("all", 5, 5)), Some(open));
        let mut unfinished = checkpoint("all", 5, 6);
        unfinished.records.settled_at_start = Some(at(1));
        assert_eq!(stored(&unfinished), Some(open));
    }

    /// It is asked before the records: their clock may be past the second when the list's was not.
    #[test]
    fn the_clock_of_the_records_settles_no_second_of_the_list_of_deletions() {
        let mut checkpoint = checkpoint("all", 5, 9);
        checkpoint.deletes = Some(Stream {
            watermark: at(7),
            swept_at: Some(at(7)),
            ..checkpoint.records.clone()
        });
        let stored = Stored::of(Some(&checkpoint));
        let reached = stored.until("all", TimeDelta::seconds(1)).unwrap();
        let open = at(6);
        assert_eq!(reached.deletions, Some(open));
    }

    #[test]
    fn a_list_of_deletions_that_was_not_read_to_its_end_leaves_its_last_second_open() {
        let mut checkpoint = checkpoint("all", 5, 9);
        let until = |checkpoint: &Checkpoint| {
            let stored = Stored::of(Some(checkpoint));
            let reached = stored.until("all", TimeDelta::milliseconds(1));
            reached.unwrap().deletions
        };
        assert_eq!(until(&checkpoint), None);
        let mut list = checkpoint.records.clone();
        (list.watermark, list.swept_at) = (at(7), Some(at(8)));
        checkpoint.deletes = Some(list.clone());
        assert_eq!(until(&checkpoint), Some(at(7)));
        list.settled_at_start = Some(at(1));
        checkpoint.deletes = Some(list);
        assert_eq!(until(&checkpoint), Some(at(6)));
    }

    /// The provider's clock bounds a watermark, also in the midst of a minute.
    #[test]
    fn a_minute_of_which_a_part_was_over_is_settled_with_none_of_its_parts() {
        let stored = Stored::of(Some(&checkpoint("all", 105, 105)));
        let reached = stored.until("all", TimeDelta::minutes(1)).unwrap();
        assert!(reached.records < at(60), "{reached:?}");
        let swept_later = Stored::of(Some(&checkpoint("all", 105, 165)));
        let reached = swept_later.until("all", TimeDelta::minutes(1)).unwrap();
        assert_eq!(reached.records, at(105));
    }

    #[test]
    fn what_is_asked_since_an_edit_is_delivered_from_there_on() {
        let mut edited = checkpoint("all", 5, 9);
        assert_eq!(Stored::of(Some(&edited)).since("all"), Some(at(0)));
        edited.asked_since = Some(at(4));
        assert_eq!(Stored::of(Some(&edited)).since("all"), Some(at(4)));
    }

    #[test]
    fn a_question_that_is_not_stored_yet_is_answered_from_no_date_on() {
        let stored = Stored::of(Some(&checkpoint("some", 5, 9)));
        assert_eq!(stored.since("all"), None);
        stored.note(Some(&checkpoint("all", 5, 9)));
        assert_eq!(stored.since("all"), Some(at(0)));
    }

    #[test]
    fn everything_is_its_own_of_a_poller_that_cannot_be_read() {
        let unread = Stored::unread();
        assert_eq!(unread.since("all"), Some(DateTime::<Utc>::MIN_UTC));
        assert_eq!(until(&unread, "all"), None);
    }
}
