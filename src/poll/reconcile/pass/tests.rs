//! Lists of ids, page by page.

use super::*;

const KEYED: Listing = Listing {
    by_key: true,
    by_offset: true,
    linked: false,
    by_id: true,
    shows_hidden: true,
};
const ROWS: Listing = Listing {
    by_key: false,
    by_id: false,
    shows_hidden: false,
    ..KEYED
};

const BY_KEY: Listing = Listing {
    by_key: true,
    ..ROWS
};

fn page(ids: &[&str], total: Option<u64>) -> ListPage {
    ListPage {
        rows: ids.len(),
        total,
        limit: 2,
        next: None,
        ids: ids.iter().map(|id| ((*id).to_owned(), false)).collect(),
    }
}

fn linked(ids: &[&str], next: Option<&str>) -> ListPage {
    ListPage {
        next: next.map(str::to_owned),
        ..page(ids, None)
    }
}

fn after(id: &str) -> IdAsk {
    IdAsk::After(id.to_owned())
}

#[test]
fn a_list_goes_on_behind_the_last_id_until_the_total_is_read() {
    let mut pass = Pass::begin(KEYED);
    assert_eq!(pass.take(&page(&["a", "b"], Some(3))), Next::Ask);
    assert_eq!(pass.ask(), &after("b"));
    assert_eq!(pass.take(&page(&["c"], Some(1))), Next::Complete);
    assert_eq!(pass.into_ids().0.len(), 3);
}

#[test]
fn without_a_total_only_an_empty_page_is_the_end() {
    let mut pass = Pass::begin(KEYED);
    assert_eq!(pass.take(&page(&["a"], None)), Next::Ask);
    assert_eq!(pass.take(&page(&[], None)), Next::Complete);
}

#[test]
fn a_page_that_access_rules_hide_makes_the_list_incomplete() {
    let mut pass = Pass::begin(KEYED);
    assert_eq!(pass.take(&page(&["a", "b"], Some(4))), Next::Ask);
    assert_eq!(pass.take(&page(&[], Some(2))), Next::Incomplete(HIDDEN));
}

#[test]
fn a_thinned_page_counts_only_where_ids_can_be_looked_up_behind_access_rules() {
    assert_eq!(Pass::begin(KEYED).take(&page(&["a"], Some(3))), Next::Ask);
    assert_eq!(
        Pass::begin(ROWS).take(&page(&["a"], Some(3))),
        Next::Incomplete(THINNED)
    );
}

#[test]
fn keys_that_come_in_no_order_are_read_by_offset_from_the_beginning() {
    let mut pass = Pass::begin(KEYED);
    assert_eq!(pass.take(&page(&["a", "b"], Some(4))), Next::Ask);
    assert_eq!(pass.take(&page(&["b", "c"], Some(3))), Next::Ask);
    assert_eq!(pass.ask(), &IdAsk::First);
    assert_eq!(pass.take(&page(&["d", "a"], Some(4))), Next::Ask);
    assert_eq!(pass.ask(), &IdAsk::Offset(2));
    assert_eq!(pass.take(&page(&["c", "b"], Some(4))), Next::Complete);
    assert_eq!(pass.into_ids().0.len(), 4);
}

#[test]
fn an_offset_that_is_ignored_makes_the_list_incomplete() {
    let mut pass = Pass::begin(ROWS);
    assert_eq!(pass.take(&page(&["a", "b"], Some(4))), Next::Ask);
    assert_eq!(
        pass.take(&page(&["a", "b"], Some(4))),
        Next::Incomplete(IGNORED)
    );
}

/// The first page is no other's, and all others are one of two.
#[test]
fn pages_that_come_again_in_turn_make_the_list_incomplete() {
    let turn = |number: usize| [["c", "d"], ["e", "f"]][number % 2];
    for total in [None, Some(1_000)] {
        let mut pass = Pass::begin(ROWS);
        assert_eq!(pass.take(&page(&["a", "b"], total)), Next::Ask);
        assert_eq!(pass.take(&page(&turn(0), total)), Next::Ask);
        assert_eq!(pass.take(&page(&turn(1), total)), Next::Ask);
        assert_eq!(pass.take(&page(&turn(2), total)), Next::Incomplete(IGNORED));
    }
    let mut pass = Pass::begin(ROWS);
    for (number, link) in ["one", "two"].into_iter().enumerate() {
        assert_eq!(pass.take(&linked(&turn(number), Some(link))), Next::Ask);
    }
    let again = pass.take(&linked(&turn(2), Some("three")));
    assert_eq!(again, Next::Incomplete(CIRCLE));
}

/// Of another poller's records, which are not counted against what can be compared.
#[test]
fn a_list_that_goes_on_for_ever_is_incomplete() {
    for listing in [KEYED, ROWS] {
        let mut pass = Pass::begin(listing);
        let end = (0..200_000).find_map(|number| {
            let ids = [2 * number, 2 * number + 1].map(|id| (id.to_string(), true));
            let endless = ListPage {
                ids: ids.into(),
                ..page(&["", ""], None)
            };
            Some(pass.take(&endless)).filter(|next| *next != Next::Ask)
        });
        assert_eq!(end, Some(Next::Incomplete(ENDLESS)));
    }
}

#[test]
fn links_are_followed_to_the_last_but_not_in_a_circle() {
    let links = Listing {
        linked: true,
        by_offset: false,
        ..ROWS
    };
    let mut pass = Pass::begin(links);
    assert_eq!(pass.take(&linked(&["a", "b"], Some("two"))), Next::Ask);
    assert_eq!(pass.ask(), &IdAsk::Link("two".to_owned()));
    let mut circle = pass.clone();
    assert_eq!(pass.take(&linked(&["c"], None)), Next::Complete);
    assert_eq!(
        circle.take(&linked(&["c", "d"], Some("two"))),
        Next::Incomplete(CIRCLE)
    );
}

#[test]
fn behind_links_too_the_total_tells_whether_rows_are_hidden() {
    let links = Listing {
        linked: true,
        by_offset: false,
        ..ROWS
    };
    for (last, expected) in [
        (&["c"][..], Next::Complete),
        (&[][..], Next::Incomplete(HIDDEN)),
    ] {
        let of_three = |ids: &[&str], next| ListPage {
            total: Some(3),
            ..linked(ids, next)
        };
        let mut pass = Pass::begin(links);
        assert_eq!(pass.take(&of_three(&["a", "b"], Some("two"))), Next::Ask);
        assert_eq!(pass.take(&of_three(last, None)), expected);
    }
    let mut pass = Pass::begin(links);
    let first = ListPage {
        total: Some(3),
        ..linked(&["a"], Some("two"))
    };
    let last = ListPage {
        total: Some(3),
        ..linked(&["c"], None)
    };
    assert_eq!(pass.take(&first), Next::Ask);
    assert_eq!(pass.take(&last), Next::Incomplete(THINNED));
}

#[test]
fn by_key_too_the_total_tells_whether_rows_of_a_short_page_are_hidden() {
    let short = |ids: &[&str], total, next| ListPage {
        total: Some(total),
        ..linked(ids, next)
    };
    let mut pass = Pass::begin(BY_KEY);
    assert_eq!(pass.take(&short(&["a"], 3, Some("two"))), Next::Ask);
    assert_eq!(pass.ask(), &after("a"));
    let mut hidden = pass.clone();
    assert_eq!(pass.take(&short(&["b", "c"], 2, None)), Next::Complete);
    for _ in 0..MOST_REPEATS {
        assert_eq!(hidden.take(&short(&["b"], 1, None)), Next::Ask);
        assert_eq!(hidden.ask(), &IdAsk::First);
        assert_eq!(hidden.take(&short(&["a"], 3, Some("two"))), Next::Ask);
    }
    let last = hidden.take(&short(&["b"], 1, None));
    assert_eq!(last, Next::Incomplete(THINNED));
}

/// A table of which the provider gives pages of so many rows, asked for four: what behind the reader
/// is deleted before every third question makes a page uncertain, which is read again.
#[test]
fn a_list_by_key_behind_which_rows_are_deleted_all_the_time_comes_to_its_end() {
    for given in [4, 3] {
        let mut table: Vec<_> = (100..160).map(|number| number.to_string()).collect();
        let mut pass = Pass::begin(BY_KEY);
        let mut questions = 0;
        let end = loop {
            questions += 1;
            if questions % 3 == 0 {
                table.pop();
            }
            let after = match pass.ask() {
                IdAsk::After(key) => key.clone(),
                _ => String::new(),
            };
            let behind = table.iter().filter(|id| **id > after);
            let behind: Vec<_> = behind.map(String::as_str).collect();
            let rows = &behind[..given.min(behind.len())];
            let goes_on = given < 4 && rows.len() < behind.len();
            let page = ListPage {
                total: Some(behind.len() as u64),
                limit: 4,
                ..linked(rows, goes_on.then_some("more"))
            };
            match pass.take(&page) {
                Next::Ask => {}
                end => break end,
            }
        };
        assert_eq!(end, Next::Complete);
        assert!(questions < 60, "{questions}");
    }
}

#[test]
fn a_page_without_a_total_contradicts_none() {
    let mut pass = Pass::begin(BY_KEY);
    assert_eq!(pass.take(&page(&["a", "b"], Some(3))), Next::Ask);
    assert_eq!(pass.take(&page(&["c"], None)), Next::Ask);
    assert_eq!(pass.take(&page(&[], None)), Next::Complete);
}

#[test]
fn what_a_total_promised_must_come_without_a_total_too() {
    let first = ListPage {
        total: Some(3),
        ..linked(&["b"], Some("two"))
    };
    for (rest, end, asked) in [
        (&["c", "d"][..], Next::Complete, after("d")),
        (&["c"][..], Next::Ask, IdAsk::First),
    ] {
        let mut pass = Pass::begin(BY_KEY);
        assert_eq!(pass.take(&first), Next::Ask);
        assert_eq!(pass.take(&page(rest, None)), Next::Ask);
        assert_eq!(pass.take(&page(&[], None)), end);
        assert_eq!(pass.ask(), &asked);
    }
}

#[test]
fn a_full_page_without_a_way_on_is_no_list() {
    let single = Listing {
        by_offset: false,
        ..ROWS
    };
    assert_eq!(
        Pass::begin(single).take(&page(&["a", "b"], None)),
        Next::Incomplete(NO_WAY_ON)
    );
    assert_eq!(
        Pass::begin(single).take(&page(&["a"], None)),
        Next::Complete
    );
}
