use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::FutureExt as _;
use proptest::prelude::*;

use super::*;
use crate::{
    api::{self, Checkpoint},
    poll::{CheckpointStore, Progress, Segment, SegmentName, StoreError},
};

pub(super) const PLENTY: usize = 1_000_000;

/// Segments as a store has them.
#[derive(Default)]
pub(super) struct Segments(BTreeMap<SegmentName, Bytes>);

impl CheckpointStore for Segments {
    fn window_capacity(&self) -> usize {
        PLENTY
    }

    fn known_capacity(&self) -> usize {
        0
    }

    async fn load(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        Ok(None)
    }

    async fn load_segment(&mut self, name: &SegmentName) -> Result<Option<Bytes>, StoreError> {
        Ok(self.0.get(name).cloned())
    }

    async fn save(
        &mut self,
        _: &Checkpoint,
        _: &[Segment],
        _: &Progress,
    ) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Segments {
    pub(super) fn bytes(&self) -> u64 {
        self.0.values().map(|content| content.len() as u64).sum()
    }

    /// Does with a window's segments what a store does when the window's checkpoint is saved;
    /// answers how many bytes of segments that wrote.
    pub(super) fn save(&mut self, window: &mut Window, stored: &api::Window) -> usize {
        let unstored = window.unstored(stored);
        let written = unstored.iter().map(|segment| segment.content().len());
        let written = written.sum();
        for segment in unstored {
            self.0
                .insert(segment.name().clone(), segment.content().clone());
        }
        let named: BTreeSet<_> = stored.segments.iter().map(|told| &told.name).collect();
        self.0.retain(|name, _| named.contains(&name.to_string()));
        window.note_stored(Some(stored));
        written
    }

    pub(super) fn load(&mut self, stored: &api::Window) -> Result<Window, Unread> {
        Window::load(stored, self).now_or_never().unwrap()
    }
}

fn at(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap()
}

fn window(entries: &[(u64, i64)]) -> Window {
    let mut window = Window::default();
    for (fingerprint, date) in entries {
        window.insert(*fingerprint, at(*date));
    }
    window
}

/// A window of so many versions, one dated each microsecond from `begin` on, and its fingerprints.
fn versions(begin: i64, count: u64) -> Vec<(u64, i64)> {
    let begun = begin.cast_unsigned();
    (begun..begun + count)
        .map(|date| (date.wrapping_mul(0x9E37_79B9_7F4A_7C15), date.cast_signed()))
        .collect()
}

fn store(window: &mut Window, since: i64) -> api::Window {
    window.store("key".to_owned(), at(since), PLENTY).unwrap()
}

fn holds(window: &Window, entries: &[(u64, i64)]) -> bool {
    entries
        .iter()
        .all(|(fingerprint, _)| window.contains(*fingerprint))
}

#[test]
fn entries_before_the_cut_are_not_stored() {
    let stored = store(&mut window(&[(1, 10), (2, 20), (3, 20)]), 20);
    let read = Segments::default().load(&stored).unwrap();
    assert_eq!(stored.count, 2);
    assert!(!read.contains(1) && read.contains(2) && read.contains(3));
}

#[test]
fn pruning_keeps_what_it_is_told_to_keep() {
    let mut window = window(&[(1, 10), (2, 10), (3, 20)]);
    window.prune(at(20), |fingerprint| fingerprint == 2);
    assert!(!window.contains(1) && window.contains(2) && window.contains(3));
}

#[test]
fn a_full_window_gives_up_whole_dates_oldest_first() {
    let window = window(&[(1, 10), (2, 20), (3, 20), (4, 30)]);
    assert_eq!(window.fitting_since(at(0), at(30), 4), Some(at(0)));
    assert_eq!(window.fitting_since(at(0), at(30), 3), Some(at(20)));
    assert_eq!(window.fitting_since(at(0), at(30), 2), Some(at(30)));
    assert_eq!(
        window.fitting_since(at(0), at(20), 2),
        None,
        "the current unit is never cut"
    );
    assert_eq!(window.fitting_since(at(0), at(30), 0), None);
}

#[test]
fn a_window_that_was_cut_short_is_refused() {
    let stored = store(&mut window(&[(1, 10), (2, 20)]), 0);
    let bytes = STANDARD.decode(&stored.entries).unwrap();
    for end in 0..bytes.len() {
        let cut = api::Window {
            entries: STANDARD.encode(&bytes[..end]),
            ..stored.clone()
        };
        assert!(Segments::default().load(&cut).is_err(), "cut at {end}");
    }
}

#[test]
fn up_to_four_kibibytes_stand_in_the_checkpoint_and_more_in_segments() {
    let (mut segments, entries) = (Segments::default(), versions(0, 380));
    for count in 1..=entries.len() {
        let mut window = window(&entries[..count]);
        let stored = store(&mut window, 0);
        segments.save(&mut window, &stored);
        assert_eq!(
            stored.entries.len() <= 4_096 && !stored.entries.is_empty(),
            stored.segments.is_empty()
        );
        assert_eq!(segments.0.len(), stored.segments.len());
        assert!(holds(&segments.load(&stored).unwrap(), &entries[..count]));
    }
    assert!(!segments.0.is_empty());
}

#[test]
fn a_segment_that_is_missing_damaged_or_of_another_window_is_refused() {
    let mut window = window(&versions(0, 2_000));
    let (mut segments, stored) = (Segments::default(), store(&mut window, 0));
    segments.save(&mut window, &stored);
    segments.load(&stored).unwrap();
    for (field, told) in [("since", at(1)), ("until", at(5))] {
        let mut other = stored.clone();
        match field {
            "since" => other.segments[0].since = told,
            _ => other.segments[0].until = told,
        }
        assert!(segments.load(&other).is_err(), "{field}");
    }
    let mut other = stored.clone();
    other.segments[0].count -= 1;
    other.count -= 1;
    assert!(segments.load(&other).is_err(), "count");
    let content = segments.0.first_entry().unwrap().remove();
    assert!(
        matches!(segments.load(&stored), Err(Unread::Segment(_))),
        "missing"
    );
    let name = SegmentName::parse(&stored.segments[0].name).unwrap();
    for end in [0, 1, content.len() / 2, content.len() - 1] {
        segments.0.insert(name.clone(), content.slice(..end));
        assert!(segments.load(&stored).is_err(), "cut at {end}");
    }
    segments.0.insert(name, content);
    segments.load(&stored).unwrap();
}

#[test]
fn a_version_settled_anew_outlives_the_segment_that_has_it_too() {
    let (mut segments, entries) = (Segments::default(), versions(0, 2_000));
    let mut window = window(&entries);
    let stored = store(&mut window, 0);
    segments.save(&mut window, &stored);
    window.insert(entries[0].0, at(5_000));
    window.prune(at(4_000), |_| false);
    assert!(window.contains(entries[0].0) && !window.contains(entries[1].0));
    assert!(!window.is_large());
    let stored = store(&mut window, 4_000);
    segments.save(&mut window, &stored);
    assert_eq!((stored.count, segments.0.len()), (1, 0));
}

#[test]
fn what_comes_again_whatever_its_date_is_kept_and_no_more_than_that() {
    let (mut segments, entries) = (Segments::default(), versions(0, 2_000));
    let mut window = window(&entries);
    let stored = store(&mut window, 0);
    segments.save(&mut window, &stored);
    let (kept, gone) = entries.split_at(1_000);
    let returned: BTreeSet<_> = kept.iter().map(|(fingerprint, _)| *fingerprint).collect();
    window.prune(at(9_000), |fingerprint| returned.contains(&fingerprint));
    let stored = window
        .store("key".to_owned(), DateTime::<Utc>::MIN_UTC, PLENTY)
        .unwrap();
    segments.save(&mut window, &stored);
    for window in [&window, &segments.load(&stored).unwrap()] {
        assert!(holds(window, kept));
        assert!(
            !gone
                .iter()
                .any(|(fingerprint, _)| window.contains(*fingerprint))
        );
    }
    assert_eq!(stored.count, 1_000);
}

#[test]
fn a_watermark_that_goes_back_finds_again_what_was_merged_meanwhile() {
    let (mut segments, entries) = (Segments::default(), versions(0, 3_000));
    let mut window = window(&entries[..1_000]);
    let stored = store(&mut window, 0);
    segments.save(&mut window, &stored);
    for (fingerprint, date) in &entries[1_000..] {
        window.insert(*fingerprint, at(*date));
    }
    let ahead = store(&mut window, 500);
    segments.save(&mut window, &ahead);
    assert_eq!(ahead.count, 2_500);
    let back = store(&mut window, 0);
    segments.save(&mut window, &back);
    assert_eq!(back.count, 3_000);
    assert!(holds(&segments.load(&back).unwrap(), &entries));
}

#[test]
fn a_segment_that_the_store_may_have_dropped_is_stored_again_when_it_is_named_again() {
    let (mut segments, entries) = (Segments::default(), versions(0, 2_000));
    let mut window = window(&entries);
    for since in [0, 5_000, 0] {
        window.insert(7, at(6_000));
        let stored = store(&mut window, since);
        segments.save(&mut window, &stored);
        segments.load(&stored).unwrap();
    }
    assert_eq!(segments.0.len(), 1);
}

#[test]
fn beyond_its_capacity_a_window_stores_no_more_than_the_reach() {
    let (mut segments, entries) = (Segments::default(), versions(0, 2_000));
    let mut window = window(&entries);
    let stored = store(&mut window, 0);
    segments.save(&mut window, &stored);
    let stored = window.store("key".to_owned(), at(1_500), 600).unwrap();
    segments.save(&mut window, &stored);
    assert_eq!(stored.count, 500);
    assert!(holds(&segments.load(&stored).unwrap(), &entries[1_500..]));
}

#[test]
fn a_growing_window_writes_each_entry_few_times_into_few_segments() {
    let (mut segments, mut window) = (Segments::default(), Window::default());
    let (mut written, mut most) = (0, 0);
    for part in versions(0, 200_000).chunks(500) {
        for (fingerprint, date) in part {
            window.insert(*fingerprint, at(*date));
        }
        let stored = store(&mut window, 0);
        written += segments.save(&mut window, &stored);
        most = most.max(stored.segments.len());
    }
    let least: usize = segments.0.values().map(Bytes::len).sum();
    assert!(written < 8 * least, "{written} bytes where {least} are");
    assert!(most <= least.div_ceil(Segment::BODY) + 9, "{most} segments");
}

#[derive(Clone, Debug)]
enum Step {
    /// So many versions are settled, dated so far behind or before the newest.
    Settle(u64, i64),
    Store,
    /// The stored window covers so much less than before.
    Move(i64),
    Prune,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..900_u64, -1_500..900_i64).prop_map(|(count, from)| Step::Settle(count, from)),
        4 => Just(Step::Store),
        2 => (-300..900_i64).prop_map(Step::Move),
        2 => Just(Step::Prune),
        1 => Just(Step::Restart),
    ]
}

/// Plays steps beside a map of all that is settled; what is dated since the stored window's begin
/// must be known at any time, and after a restart what was stored.
fn play(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let (mut segments, mut window) = (Segments::default(), Window::default());
    let mut settled: BTreeMap<u64, i64> = BTreeMap::new();
    let (mut since, mut pruned, mut newest) = (0, 0, 0);
    let mut stored = None;
    for step in steps {
        match step {
            Step::Settle(count, from) => {
                let begin: i64 = (newest + from).max(since);
                for (fingerprint, date) in versions(begin, count) {
                    window.insert(fingerprint, at(date));
                    settled.insert(fingerprint, date);
                    newest = newest.max(date);
                }
            }
            Step::Store => {
                let told = window.store("key".to_owned(), at(since), PLENTY);
                if let Some(told) = &told {
                    segments.save(&mut window, told);
                    prop_assert!(told.segments.len() < 12);
                }
                stored = told.map(|told| (told, settled.clone(), since));
            }
            Step::Move(by) => since = (since + by).max(pruned),
            Step::Prune => {
                window.prune(at(since), |_| false);
                pruned = since;
            }
            Step::Restart => {
                let Some((told, known, then)) = &stored else {
                    continue;
                };
                window = segments.load(told).unwrap();
                settled.clone_from(known);
                (since, pruned) = (*then, *then);
            }
        }
        for (fingerprint, date) in &settled {
            prop_assert!(
                *date < since.max(pruned) || window.contains(*fingerprint),
                "{date}"
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_what_is_dated_in_the_window_is_known(
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        play(steps)?;
    }

    #[test]
    fn arbitrary_text_is_read_or_refused(entries in ".{0,80}", count in any::<i64>()) {
        let stored = api::Window { key: String::new(), count, entries, segments: Vec::new() };
        let _ = Segments::default().load(&stored);
    }
}

/// A record that was deleted, restored and deleted again has a mark under each date.
#[test]
fn the_date_of_what_is_entered_again_never_goes_back() {
    let mut window = Window::default();
    window.insert(1, at(200));
    window.insert(1, at(100));
    assert_eq!(window.date(1), Some(at(200)));
    for other in 2..1_000 {
        window.insert(other, at(200));
    }
    window.store("key".to_owned(), at(0), PLENTY);
    assert!(window.is_large());
    window.insert(1, at(100));
    assert_eq!(window.date(1), Some(at(200)), "in a segment");
    window.insert(1, at(300));
    window.prune(at(250), |fingerprint| fingerprint == 1);
    assert_eq!(window.date(1), Some(at(300)), "out of its segment");
}
