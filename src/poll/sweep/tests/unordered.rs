//! Passes in no dependable order.

use super::*;

const LINKS: Paging = Paging {
    anchored: false,
    by_key: false,
    by_offset: false,
    bisectable: false,
    page_size: 2,
};

fn begin() -> (Sweep, Ask) {
    Sweep::begin(
        LINKS,
        TimeDelta::seconds(1),
        instant(CLOCK),
        bound(instant(0)),
    )
}

fn page(next: Option<&str>, unseen: usize) -> PageFacts {
    PageFacts {
        rows: 2,
        next: next.map(str::to_owned),
        unseen,
        limit: 2,
        ..PageFacts::default()
    }
}

#[test]
fn a_single_page_is_a_snapshot() {
    let (mut sweep, ask) = begin();
    assert_eq!(sweep.next(&ask, &page(None, 2), bound), Next::Complete);
}

#[test]
fn passes_are_repeated_until_one_shows_nothing_unseen() {
    let (mut sweep, begun) = begin();
    let Next::Ask(linked) = sweep.next(&begun, &page(Some("/p2"), 2), bound) else {
        panic!()
    };
    assert_eq!(linked.step, Step::Link("/p2".to_owned()));
    assert_eq!(
        sweep.next(&linked, &page(None, 1), bound),
        Next::Ask(begun.clone())
    );
    let Next::Ask(linked) = sweep.next(&begun, &page(Some("/p2"), 0), bound) else {
        panic!()
    };
    assert_eq!(sweep.next(&linked, &page(None, 0), bound), Next::Complete);
}

fn showing(next: Option<&str>, rows: &[(u64, u64)]) -> PageFacts {
    let shown = |&(record, version): &(u64, u64)| Shown { record, version };
    PageFacts {
        shown: rows.iter().map(shown).collect(),
        ..page(next, 0)
    }
}

#[test]
fn a_record_read_in_two_versions_moved_others_across_the_edge_of_a_page() {
    let (mut sweep, begun) = begin();
    for moves in [true, false] {
        let first = showing(Some("/p2"), &[(1, 10), (2, 20)]);
        let Next::Ask(linked) = sweep.next(&begun, &first, bound) else {
            panic!()
        };
        let (last, expected) = match moves {
            true => ([(1, 11)], Next::Ask(begun.clone())),
            // Pushed down by what is new before it.
            false => ([(2, 20)], Next::Complete),
        };
        assert_eq!(sweep.next(&linked, &showing(None, &last), bound), expected);
    }
}

#[test]
fn a_record_that_moves_in_every_pass_keeps_no_sweep_alive() {
    let (mut sweep, begun) = begin();
    for pass in 1..=3 {
        let first = showing(Some("/p2"), &[(1, pass)]);
        let Next::Ask(linked) = sweep.next(&begun, &first, bound) else {
            panic!()
        };
        let expected = match pass {
            3 => Next::Complete,
            _ => Next::Ask(begun.clone()),
        };
        let last = showing(None, &[(1, pass + 1)]);
        assert_eq!(sweep.next(&linked, &last, bound), expected);
    }
}

const BY_OFFSET: Paging = Paging {
    by_offset: true,
    ..LINKS
};

fn counting(facts: PageFacts, total: u64) -> PageFacts {
    PageFacts {
        total: Some(total),
        ..facts
    }
}

/// Records before the reader were taken away: the page lacks the one that it was asked from, or
/// the total fell.
#[rstest::rstest]
#[case::by_offset(BY_OFFSET, None, showing(None, &[(3, 1)]), 3)]
#[case::by_link(LINKS, Some("/p2"), showing(None, &[(2, 1), (3, 1)]), 2)]
fn a_pass_from_which_records_are_taken_away_is_repeated_twice_at_most(
    #[case] paging: Paging,
    #[case] link: Option<&str>,
    #[case] last: PageFacts,
    #[case] left: u64,
) {
    let at = bound(instant(0));
    let (mut sweep, begun) = Sweep::begin(paging, TimeDelta::seconds(1), instant(CLOCK), at);
    let first = counting(showing(link, &[(1, 1), (2, 1)]), 3);
    let last = counting(last, left);
    for pass in 1..=3 {
        let Next::Ask(second) = sweep.next(&begun, &first, bound) else {
            panic!()
        };
        let expected = match pass {
            3 => Next::Complete,
            _ => Next::Ask(begun.clone()),
        };
        assert_eq!(sweep.next(&second, &last, bound), expected);
    }
}

#[test]
fn what_comes_before_the_reader_pushes_nothing_out_of_sight() {
    let at = bound(instant(0));
    let (mut sweep, begun) = Sweep::begin(BY_OFFSET, TimeDelta::seconds(1), instant(CLOCK), at);
    let first = counting(showing(None, &[(1, 1), (2, 1)]), 3);
    let Next::Ask(second) = sweep.next(&begun, &first, bound) else {
        panic!()
    };
    assert_eq!(second.step, Step::Offset(1));
    let last = counting(showing(None, &[(1, 1), (2, 1)]), 4);
    let Next::Ask(third) = sweep.next(&second, &last, bound) else {
        panic!()
    };
    let last = counting(showing(None, &[(2, 1), (3, 1)]), 4);
    assert_eq!(sweep.next(&third, &last, bound), Next::Complete);
}

/// Whether a record moved in it is not known any more.
#[test]
fn a_pass_of_more_records_than_are_watched_is_repeated_twice_at_most() {
    let rows: Vec<_> = (0..=100_000).map(|record| (record, 1)).collect();
    let (mut sweep, begun) = begin();
    for pass in 1..=3 {
        let first = showing(Some("/p2"), &rows);
        let Next::Ask(linked) = sweep.next(&begun, &first, bound) else {
            panic!()
        };
        let expected = match pass {
            3 => Next::Complete,
            _ => Next::Ask(begun.clone()),
        };
        assert_eq!(sweep.next(&linked, &showing(None, &[]), bound), expected);
    }
}

#[test]
fn after_three_passes_the_poll_ends_with_the_reason() {
    let (mut sweep, mut ask) = begin();
    for _ in 0..3 {
        let Next::Ask(linked) = sweep.next(&ask, &page(Some("/p2"), 1), bound) else {
            panic!()
        };
        match sweep.next(&linked, &page(None, 1), bound) {
            Next::Ask(again) => ask = again,
            end => {
                assert!(matches!(end, Next::Unfinished(reason) if reason.contains("every pass")));
                return;
            }
        }
    }
    panic!("more than three passes");
}

/// The offsets were the links', and the total counts all of them.
#[test]
fn the_end_of_the_links_is_the_end_of_a_pass_whatever_the_total_says() {
    let paging = Paging {
        by_offset: true,
        ..LINKS
    };
    let at = bound(instant(0));
    let (mut sweep, begun) = Sweep::begin(paging, TimeDelta::seconds(1), instant(CLOCK), at);
    let page = |next, unseen| PageFacts {
        total: Some(3),
        ..page(next, unseen)
    };
    for unseen in [1, 0] {
        let Next::Ask(linked) = sweep.next(&begun, &page(Some("/p2"), unseen), bound) else {
            panic!()
        };
        let expected = match unseen {
            0 => Next::Complete,
            _ => Next::Ask(begun.clone()),
        };
        assert_eq!(sweep.next(&linked, &page(None, unseen), bound), expected);
    }
}

#[test]
fn next_links_without_end_are_not_followed_for_ever() {
    let (mut sweep, mut ask) = begin();
    for number in 1..=20_000 {
        match sweep.next(&ask, &page(Some(&format!("/p{number}")), 2), bound) {
            Next::Ask(linked) => ask = linked,
            end => {
                assert!(matches!(end, Next::Unfinished(reason) if reason.contains("pageSize")));
                assert_eq!(number, 10_000);
                return;
            }
        }
    }
    panic!("the sweep does not end");
}

#[test]
fn a_next_link_that_leads_in_a_circle_is_an_error() {
    let (mut sweep, ask) = begin();
    let Next::Ask(linked) = sweep.next(&ask, &page(Some("/p2"), 2), bound) else {
        panic!()
    };
    let end = sweep.next(&linked, &page(Some("/p2"), 0), bound);
    assert!(matches!(end, Next::Unfinished(reason) if reason.contains("circle")));
}
