mod endless;
mod unordered;

use super::*;

/// A provider that answers from a list of (second, key, visible) in memory, as far as a sweep can
/// tell: rows are ordered by second and key, and hidden ones count in the total alone.
struct Listing {
    rows: Vec<(i64, u32, bool)>,
    paging: Paging,
    /// Rows in a page at most, whatever is asked for; where it bites, a next link says so.
    cap: usize,
    requests: usize,
}

const CLOCK: i64 = 1_000;

fn instant(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap()
}

fn bound(instant: DateTime<Utc>) -> Bound {
    Bound {
        instant,
        text: instant.timestamp().to_string(),
    }
}

const SERVICENOW: Paging = Paging {
    anchored: true,
    by_key: true,
    by_offset: true,
    bisectable: true,
    page_size: 10,
};

impl Listing {
    fn new(paging: Paging, rows: impl IntoIterator<Item = (i64, bool)>) -> Self {
        let rows = rows
            .into_iter()
            .zip(0..)
            .map(|((second, visible), key)| (second, key, visible));
        Self {
            rows: rows.collect(),
            paging,
            cap: usize::MAX,
            requests: 0,
        }
    }

    fn answer(&mut self, ask: &Ask, seen: &mut Vec<u32>) -> PageFacts {
        self.requests += 1;
        let from = ask.bound.instant.timestamp();
        let until = ask.until.map_or(i64::MAX, |until| until.timestamp());
        let mut selected: Vec<_> = self
            .rows
            .iter()
            .copied()
            .filter(|row| (from..=until).contains(&row.0))
            .collect();
        let mut skipped = 0;
        match &ask.step {
            Step::First => {}
            Step::AfterKey(after) => {
                let after: u32 = after.parse().unwrap();
                selected.retain(|row| row.0 == from && row.1 > after);
            }
            Step::Offset(offset) => skipped = usize::try_from(*offset).unwrap(),
            Step::Link(_) => unreachable!("this listing gives no links"),
        }
        let total = selected.len();
        let limit = self.cap.min(self.paging.page_size as usize);
        let cut = limit == self.cap && skipped + limit < total;
        let page: Vec<_> = selected
            .into_iter()
            .skip(skipped)
            .take(limit)
            .filter(|row| row.2)
            .collect();
        let unseen = page.iter().filter(|row| !seen.contains(&row.1)).count();
        seen.extend(page.iter().map(|row| row.1));
        PageFacts {
            rows: page.len(),
            first: page.first().map(|row| instant(row.0)),
            last: page.last().map(|row| instant(row.0)),
            newest: page.iter().map(|row| instant(row.0)).max(),
            last_key: page.last().map(|row| row.1.to_string()),
            keys_disordered: false,
            total: Some(total as u64),
            limit: self.paging.page_size,
            next: cut.then(|| "https://acme.service-now.com/next".to_owned()),
            unseen,
            advances: false,
            disorder: None,
            shown: Vec::new(),
        }
    }

    /// Sweeps from `from`; the keys seen, sorted, and how the sweep ended.
    fn sweep(&mut self, from: i64) -> (Vec<u32>, Next) {
        let (mut sweep, mut ask) = Sweep::begin(
            self.paging,
            TimeDelta::seconds(1),
            instant(CLOCK),
            bound(instant(from)),
        );
        let mut seen = Vec::new();
        for _ in 0..1_000 {
            let facts = self.answer(&ask, &mut seen);
            match sweep.next(&ask, &facts, bound) {
                Next::Ask(next) => ask = next,
                end => {
                    seen.sort_unstable();
                    seen.dedup();
                    return (seen, end);
                }
            }
        }
        panic!("the sweep does not end");
    }

    fn visible(&self) -> Vec<u32> {
        self.rows
            .iter()
            .filter(|row| row.2)
            .map(|row| row.1)
            .collect()
    }
}

#[test]
fn what_fits_one_page_takes_one_request() {
    let mut listing = Listing::new(SERVICENOW, (0..10).map(|second| (second, true)));
    assert_eq!(listing.sweep(0), (listing.visible(), Next::Complete));
    assert_eq!(listing.requests, 1);
}

#[test]
fn pages_are_anchored_at_the_last_date() {
    let mut listing = Listing::new(SERVICENOW, (0..100).map(|second| (second, true)));
    assert_eq!(listing.sweep(0), (listing.visible(), Next::Complete));
    assert_eq!(
        listing.requests, 11,
        "each page after the first repeats one row"
    );
}

#[test]
fn a_tie_is_stepped_through_by_key_with_hardly_a_request_too_many() {
    let tie = (0..5_000).map(|_| (7, true)).chain([(8, true)]);
    let mut listing = Listing::new(
        Paging {
            page_size: 500,
            ..SERVICENOW
        },
        tie,
    );
    assert_eq!(listing.sweep(0), (listing.visible(), Next::Complete));
    assert_eq!(listing.requests, 11);
}

#[test]
fn behind_a_tie_the_next_day_is_read_in_its_first_hour_too() {
    const DAY: i64 = 86_400;
    let by_day = |at: DateTime<Utc>| bound(instant(at.timestamp() / DAY * DAY));
    let (unit, clock) = (TimeDelta::hours(25), instant(DAY + 1_800));
    let (mut sweep, ask) = Sweep::begin(SERVICENOW, unit, clock, by_day(instant(0)));
    let page = |total| PageFacts {
        rows: 10,
        first: Some(instant(0)),
        last: Some(instant(0)),
        last_key: Some("9".to_owned()),
        total: Some(total),
        limit: 10,
        ..PageFacts::default()
    };
    let Next::Ask(in_tie) = sweep.next(&ask, &page(20), by_day) else {
        panic!()
    };
    assert_eq!(
        sweep.next(&in_tie, &page(10), by_day),
        Next::Ask(first(by_day(instant(DAY))))
    );
}

#[test]
fn pages_that_the_provider_cuts_smaller_are_not_the_end() {
    let seconds = (0..35).map(|second| (second, true));
    let tie = (0..9).map(|_| (50, true));
    let hidden = (60..70).map(|second| (second, second == 69));
    let mut listing = Listing::new(SERVICENOW, seconds.chain(tie).chain(hidden));
    listing.cap = 4;
    assert_eq!(listing.sweep(0), (listing.visible(), Next::Complete));
}

#[test]
fn a_tie_without_a_key_is_stepped_through_by_offset() {
    let later = (8..40).map(|second| (second, true));
    let tie = (0..95).map(|_| (7, true)).chain(later);
    let mut listing = Listing::new(
        Paging {
            by_key: false,
            bisectable: false,
            ..SERVICENOW
        },
        tie,
    );
    assert_eq!(listing.sweep(0), (listing.visible(), Next::Complete));
}

#[test]
fn so_is_a_tie_whose_pages_the_provider_cuts_smaller() {
    let by_offset = Paging {
        by_key: false,
        bisectable: false,
        page_size: 100,
        ..SERVICENOW
    };
    let mut listing = Listing::new(by_offset, (0..300).map(|_| (7, true)));
    listing.cap = 10;
    assert_eq!(listing.sweep(0), (listing.visible(), Next::Complete));
}

#[test]
fn a_tie_of_which_access_rules_show_little_is_stepped_through_by_offset() {
    let by_offset = Paging {
        by_key: false,
        bisectable: false,
        ..SERVICENOW
    };
    let mut listing = Listing::new(by_offset, (0..40).map(|row| (7, row % 10 == 7)));
    assert_eq!(listing.sweep(0), (listing.visible(), Next::Complete));
}

#[test]
fn a_tie_that_nothing_steps_through_ends_the_sweep_with_what_to_do() {
    let only_anchors = Paging {
        by_key: false,
        by_offset: false,
        bisectable: false,
        ..SERVICENOW
    };
    let mut listing = Listing::new(only_anchors, (0..30).map(|_| (7, true)));
    let (_, end) = listing.sweep(0);
    assert!(matches!(end, Next::Unfinished(reason) if reason.contains("spec.pageSize")));
}

#[test]
fn pages_that_access_rules_empty_are_not_the_end() {
    let rows = (0..100).map(|second| (second, !(20..70).contains(&second)));
    let mut listing = Listing::new(SERVICENOW, rows);
    assert_eq!(listing.sweep(0), (listing.visible(), Next::Complete));
}

#[test]
fn a_hidden_tie_is_crossed() {
    let rows = (0..60).map(|row| (7, row >= 55)).chain([(8, true)]);
    let mut listing = Listing::new(SERVICENOW, rows);
    assert_eq!(listing.sweep(0), (listing.visible(), Next::Complete));
}

#[test]
fn all_rows_hidden_still_ends() {
    let mut listing = Listing::new(SERVICENOW, (0..100).map(|second| (second, false)));
    assert_eq!(listing.sweep(0), (Vec::new(), Next::Complete));
}

#[test]
fn an_ascending_sweep_ends_behind_the_providers_clock() {
    let rows = (990..1_100).map(|second| (second, true));
    let mut listing = Listing::new(SERVICENOW, rows);
    let (seen, end) = listing.sweep(990);
    assert_eq!(end, Next::Complete);
    assert!(
        seen.len() >= 11,
        "everything up to the clock, and the page that passed it"
    );
    assert!(listing.requests <= 3);
}

#[test]
fn a_provider_that_breaks_the_order_is_read_again_without_it() {
    let (mut sweep, ask) = Sweep::begin(
        SERVICENOW,
        TimeDelta::seconds(1),
        instant(CLOCK),
        bound(instant(5)),
    );
    let facts = PageFacts {
        rows: 10,
        total: Some(30),
        limit: 10,
        disorder: Some("a date decreases".to_owned()),
        ..PageFacts::default()
    };
    assert_eq!(
        sweep.next(&ask, &facts, bound),
        Next::Ask(first(bound(instant(5))))
    );
    assert!(!sweep.is_ordered());
}

/// More rows than half a page were taken away from before the reader, all known.
#[test]
fn a_stretch_of_which_a_page_shares_no_row_with_the_one_before_is_read_again() {
    let by_offset = Paging {
        by_key: false,
        bisectable: false,
        ..SERVICENOW
    };
    let at = bound(instant(7));
    let (mut sweep, ask) = Sweep::begin(by_offset, TimeDelta::seconds(1), instant(CLOCK), at);
    let page = |records: std::ops::Range<u64>, total| PageFacts {
        rows: 10,
        first: Some(instant(7)),
        last: Some(instant(7)),
        last_key: Some(records.end.to_string()),
        shown: records.map(|record| Shown { record, version: 1 }).collect(),
        total: Some(total),
        limit: 10,
        ..PageFacts::default()
    };
    let Next::Ask(begun) = sweep.next(&ask, &page(0..10, 30), bound) else {
        panic!()
    };
    for pass in 1..=3 {
        let Next::Ask(second) = sweep.next(&begun, &page(0..10, 30), bound) else {
            panic!()
        };
        assert_eq!(second.step, Step::Offset(5));
        let expected = match pass {
            3 => Next::Complete,
            _ => Next::Ask(begun.clone()),
        };
        assert_eq!(sweep.next(&second, &page(12..22, 15), bound), expected);
    }
}
