//! Providers that promise more for ever, and those that only seem to.

use super::*;

/// More questions than any sweep below may ask.
const TOO_MANY: usize = 150_000;

const BY_OFFSET: Paging = Paging {
    by_key: false,
    bisectable: false,
    ..SERVICENOW
};
const IN_NO_ORDER: Paging = Paging {
    anchored: false,
    ..BY_OFFSET
};
const BY_LINK: Paging = Paging {
    by_offset: false,
    ..IN_NO_ORDER
};

/// Sweeps a provider that answers the question with this number so; how it ended, after how many.
fn sweep(paging: Paging, mut answer: impl FnMut(&Ask, usize) -> PageFacts) -> (Next, usize) {
    let unit = TimeDelta::seconds(1);
    let (mut sweep, mut ask) = Sweep::begin(paging, unit, instant(CLOCK), bound(instant(0)));
    for number in 1..TOO_MANY {
        let facts = answer(&ask, number);
        match sweep.next(&ask, &facts, bound) {
            Next::Ask(next) => ask = next,
            end => return (end, number),
        }
    }
    panic!("it goes on behind {ask:?}");
}

fn ends_in_want((end, number): (Next, usize), most: usize) {
    assert!(
        matches!(&end, Next::Unfinished(reason) if reason.contains("more records follow") && reason.contains("spec.")),
        "{end:?}"
    );
    assert!(number <= most, "{number} questions");
}

fn empty(number: usize) -> PageFacts {
    PageFacts {
        limit: 10,
        next: Some(format!("/page{number}")),
        ..PageFacts::default()
    }
}

fn counting(total: usize) -> PageFacts {
    PageFacts {
        limit: 10,
        total: Some(total as u64),
        ..PageFacts::default()
    }
}

/// A full page of these records, of one date.
fn page(records: impl IntoIterator<Item = u64>, number: usize) -> PageFacts {
    let shown = |record| Shown { record, version: 1 };
    let shown: Vec<_> = records.into_iter().map(shown).collect();
    PageFacts {
        rows: shown.len(),
        first: Some(instant(0)),
        last: Some(instant(0)),
        last_key: shown.last().map(|row| row.record.to_string()),
        shown,
        ..empty(number)
    }
}

#[rstest::rstest]
#[case::anchored(BY_OFFSET)]
#[case::in_no_order(IN_NO_ORDER)]
#[case::by_link(BY_LINK)]
fn empty_pages_with_next_links_and_without_a_total_are_not_read_for_ever(#[case] paging: Paging) {
    ends_in_want(sweep(paging, |_, number| empty(number)), 1_002);
}

#[rstest::rstest]
#[case::anchored(BY_OFFSET)]
#[case::in_no_order(IN_NO_ORDER)]
fn nor_are_those_of_a_total_that_grows_with_each(#[case] paging: Paging) {
    ends_in_want(sweep(paging, |_, number| counting(1_000 * number)), 1_002);
}

/// Of a total that is off, only so much is believed as it said when the empty pages began.
#[rstest::rstest]
#[case::anchored(BY_OFFSET)]
#[case::in_no_order(IN_NO_ORDER)]
fn and_those_of_a_total_that_is_far_off_are_read_twice_at_most(#[case] paging: Paging) {
    let answer = |_: &Ask, number| counting(50_000 + 100 * number);
    ends_in_want(sweep(paging, answer), 20_200);
}

/// The records of three pages in turn, whichever page is asked for, behind some others.
#[rstest::rstest]
#[case::in_a_tie(BY_OFFSET)]
#[case::in_no_order(IN_NO_ORDER)]
#[case::by_link(BY_LINK)]
fn pages_that_come_again_and_again_are_not_read_for_ever(
    #[case] paging: Paging,
    #[values(false, true)] is_counted: bool,
) {
    let answer = |_: &Ask, number: usize| {
        let first = if number < 5 { number + 3 } else { number % 3 } * 10;
        let mut facts = page(first as u64..first as u64 + 10, number);
        if is_counted {
            facts.total = Some(100 * number as u64);
            facts.next = facts.next.filter(|_| !paging.by_offset);
        }
        facts
    };
    ends_in_want(sweep(paging, answer), 1_010);
}

/// New records on every page, as many as there are questions.
#[rstest::rstest]
#[case::by_key(SERVICENOW)]
#[case::in_a_tie(BY_OFFSET)]
#[case::in_no_order(IN_NO_ORDER)]
fn records_without_end_are_not_read_for_ever(#[case] paging: Paging) {
    let answer = |_: &Ask, number: usize| {
        let first = (number * 10) as u64;
        PageFacts {
            next: None,
            total: Some(20 + first),
            unseen: 10,
            ..page(first..first + 10, number)
        }
    };
    ends_in_want(sweep(paging, answer), 100_001);
}

/// The upper bound of a range is ignored, and access rules hide everything.
#[test]
fn ranges_of_dates_that_never_hold_less_are_not_halved_for_ever() {
    ends_in_want(sweep(SERVICENOW, |_, _| counting(5_000)), 10_000);
}

#[test]
fn hidden_records_are_read_once_by_offset_and_not_from_each_date_on() {
    let rows = (0..400).map(|second| (second, second == 399));
    let mut listing = Listing::new(BY_OFFSET, rows);
    assert_eq!(listing.sweep(0), (listing.visible(), Next::Complete));
    assert!(listing.requests <= 2 * 80 + 3, "{}", listing.requests);
    let mut listing = Listing::new(BY_OFFSET, (0..400).map(|second| (second, false)));
    assert_eq!(listing.sweep(0), (Vec::new(), Next::Complete));
    assert!(listing.requests <= 81, "{}", listing.requests);
}

/// As from a ServiceNow whose access rules leave the account one record in very many.
#[rstest::rstest]
#[case::anchored(BY_OFFSET)]
#[case::in_no_order(IN_NO_ORDER)]
fn as_many_empty_pages_as_the_total_stands_for_end_nothing(#[case] paging: Paging) {
    const ROWS: u64 = 60_000;
    let mut is_read = false;
    let (end, _) = sweep(paging, |ask, _| {
        let offset = match ask.step {
            Step::Offset(offset) => offset,
            _ => 0,
        };
        let mut facts = counting(60_000);
        if offset + 10 >= ROWS {
            is_read = true;
            facts.rows = 1;
            (facts.first, facts.last) = (Some(instant(0)), Some(instant(0)));
        }
        facts
    });
    assert_eq!((end, is_read), (Next::Complete, true));
}

#[rstest::rstest]
#[case::anchored(BY_OFFSET)]
#[case::in_no_order(IN_NO_ORDER)]
#[case::by_link(BY_LINK)]
fn hundreds_of_empty_pages_end_nothing_where_no_total_tells(#[case] paging: Paging) {
    let mut is_read = false;
    let (end, _) = sweep(paging, |_, number| {
        if number < 900 {
            return empty(number);
        }
        is_read = true;
        PageFacts {
            next: None,
            total: Some(0),
            ..page([1], number)
        }
    });
    assert_eq!((end, is_read), (Next::Complete, true));
}
