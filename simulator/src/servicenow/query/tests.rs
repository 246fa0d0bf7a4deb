use std::{borrow::Cow, collections::HashMap};

use super::Query;

/// The names of the records, written as `a=1,b=2`, that the query selects.
fn selected(query: &str, records: &[&'static str]) -> Vec<&'static str> {
    let query = Query::parse(query);
    records
        .iter()
        .copied()
        .filter(|record| query.matches(&|field: &str| value(record, field)))
        .collect()
}

fn value(record: &'static str, field: &str) -> Cow<'static, str> {
    let fields: HashMap<_, _> = record
        .split(',')
        .filter_map(|pair| pair.split_once('='))
        .collect();
    Cow::Borrowed(fields.get(field).copied().unwrap_or_default())
}

#[test]
fn or_binds_to_the_condition_before_it_alone() {
    let later_with_small_id = "a=3,b=1";
    let later_with_large_id = "a=3,b=9";
    let tie_with_large_id = "a=2,b=9";
    let records = [later_with_small_id, later_with_large_id, tie_with_large_id];
    assert_eq!(
        selected("a>2^ORa=2^b>5", &records),
        [later_with_large_id, tie_with_large_id]
    );
}

#[test]
fn a_new_query_is_an_alternative_to_the_whole_group_before_it() {
    let records = ["a=3,b=1", "a=2,b=9", "a=2,b=1", "a=1,b=9"];
    assert_eq!(
        selected("a>2^NQa=2^b>5^ORDERBYa^ORDERBYb", &records),
        ["a=3,b=1", "a=2,b=9"]
    );
}

#[test]
fn nothing_after_the_terminator_is_read() {
    assert_eq!(selected("a=1^EQ^b=2", &["a=1,b=3"]), ["a=1,b=3"]);
}

#[test]
fn orders_are_kept_in_sequence() {
    let order = Query::parse("a>1^ORDERBYDESCa^ORDERBYb").order;
    let spelled: Vec<_> = order
        .iter()
        .map(|it| (it.field.as_str(), it.descending))
        .collect();
    assert_eq!(spelled, [("a", true), ("b", false)]);
}

#[test]
fn every_operator_selects_by_its_meaning() {
    let records = ["n=Acme", "n=Globex", "n=", "n=12", "n=9"];
    for (query, expected) in [
        ("n=acme", &["n=Acme"][..]),
        ("n!=Acme^n!=12", &["n=Globex", "n=", "n=9"]),
        ("nLIKElob", &["n=Globex"]),
        ("nNOT LIKEe", &["n=", "n=12", "n=9"]),
        ("nSTARTSWITHac", &["n=Acme"]),
        ("nENDSWITHex", &["n=Globex"]),
        ("nINAcme,9", &["n=Acme", "n=9"]),
        ("nNOT INAcme,9", &["n=Globex", "n=", "n=12"]),
        ("nISEMPTY", &["n="]),
        ("nISNOTEMPTY^n<=9", &["n=9"]),
        ("nBETWEEN9@12", &["n=12", "n=9"]),
    ] {
        assert_eq!(selected(query, &records), expected, "{query}");
    }
}

#[test]
fn an_empty_value_is_neither_before_nor_after_anything() {
    assert!(selected("n<5", &["n="]).is_empty());
    assert!(selected("n>5", &["n="]).is_empty());
}

#[test]
fn a_doubled_caret_is_part_of_the_value() {
    assert_eq!(selected("n=a^^b", &["n=a^b"]), ["n=a^b"]);
}

#[test]
fn a_part_without_an_operator_is_set_aside() {
    let query = Query::parse("sys_updated_on^a=1");
    assert_eq!(query.unreadable, ["sys_updated_on"]);
    assert_eq!(query.groups[0].len(), 1);
}

#[test]
fn a_date_in_another_form_compares_as_text() {
    let records = ["d=2026-01-02 23:00:00", "d=2026-01-03 00:00:00"];
    assert_eq!(
        selected("d>2026-01-02T03:04:05", &records),
        ["d=2026-01-03 00:00:00"]
    );
}
