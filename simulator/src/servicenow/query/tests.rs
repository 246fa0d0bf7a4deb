use chrono::TimeDelta;

use super::{Context, Query};

/// The names of the records, written as `a=1,b=2`, that the query selects.
fn selected(query: &str, records: &[&'static str]) -> Vec<&'static str> {
    let query = Query::parse(query);
    records
        .iter()
        .copied()
        .filter(|record| query.matches(&|field: &str| value(record, field)))
        .collect()
}

fn value(record: &'static str, field: &str) -> &'static str {
    record
        .split(',')
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(name, value)| (name == field).then_some(value))
        .unwrap_or_default()
}

/// A query as an instance reads it whose columns are a, d, sys_id and sys_class_name, and whether all of it was valid.
fn bound(query: &str, literal_offset: TimeDelta) -> (Query, bool) {
    let mut query = Query::parse(query);
    let valid = query.bind(&Context {
        is_column: &|name| ["a", "d", "sys_id", "sys_class_name"].contains(&name),
        heirs: &|table| vec![table.to_owned(), format!("{table}_child")],
        literal_offset,
    });
    (query, valid)
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
        ("n=NULL", &["n="]),
        ("n!=NULL^nNOT LIKEe^n!=12", &["n=9"]),
        ("nEMPTYSTRING^ORn=9", &["n=", "n=9"]),
        ("nANYTHING^n>Acme", &["n=Globex"]),
        ("n>acme", &["n=Globex"]),
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
    assert!(query.matches(&|_| "1") && !query.matches(&|_| "2"));
}

#[test]
fn a_date_in_another_form_compares_as_text() {
    let records = ["d=2026-01-02 23:00:00", "d=2026-01-03 00:00:00"];
    assert_eq!(
        selected("d>2026-01-02T03:04:05", &records),
        ["d=2026-01-03 00:00:00"]
    );
}

#[test]
fn an_or_behind_an_unreadable_part_does_not_widen_the_condition_before_it() {
    let records = ["a=1,b=2", "a=3,b=2", "a=1,b=5"];
    for query in ["a=1^b^ORb=2", "a=1^u_typo LIKEx^ORb=2"] {
        assert_eq!(selected(query, &records), ["a=1,b=2"], "{query}");
    }
}

#[test]
fn an_id_of_digits_is_compared_as_text() {
    assert_eq!(
        selected("sys_id>10", &["sys_id=9", "sys_id=10", "sys_id=100"]),
        ["sys_id=9", "sys_id=100"]
    );
}

#[test]
fn what_an_instance_would_read_is_set_apart_from_what_it_would_ignore() {
    for part in [
        "sys_updated_on>=javascript:gs.hoursAgo(1)",
        "opened_atONToday@javascript:gs.beginningOfToday()@javascript:gs.endOfToday()",
        "opened_bySAMEASclosed_by",
        "RLQUERYtask.parent,>=1",
        "123TEXTQUERY321=printer",
    ] {
        assert_eq!(Query::parse(&format!("a=1^{part}")).unsupported, [part]);
    }
    let query = Query::parse("a=1^a~2^=3^a");
    assert_eq!(query.unreadable, ["a~2", "=3", "a"]);
    assert!(query.unsupported.is_empty());
}

#[test]
fn a_condition_on_no_column_is_left_out() {
    for (text, all) in [
        ("a=1^u_typo>5", false),
        ("u_typo=5", true),
        ("a=1^u_typo>5^ORDERBYd", false),
        ("a=1^ORDERBYu_typo", false),
    ] {
        let (query, valid) = bound(text, TimeDelta::zero());
        assert!(!valid && query.matches(&|_| "1"), "{text}");
        assert_eq!(query.matches(&|_| "2"), all, "{text}");
    }
    assert!(bound("a=1^d>2^ORDERBYa^ORDERBYsys_id", TimeDelta::zero()).1);
}

#[test]
fn a_class_stands_for_all_that_extend_it() {
    let (query, _) = bound("sys_class_nameINSTANCEOFtask", TimeDelta::zero());
    assert!(query.matches(&|_| "task") && query.matches(&|_| "task_child"));
    assert!(!query.matches(&|_| "kb_knowledge"));
}

#[test]
fn dates_are_read_in_the_users_zone() {
    for (literal, hours, gmt) in [
        ("2026-01-02 01:00:00", 0, "2026-01-02 01:00:00"),
        ("2026-01-02 01:00:00", 2, "2026-01-01 23:00:00"),
        ("2026-01-02 23:00:00", -5, "2026-01-03 04:00:00"),
        ("2026-01-02", 0, "2026-01-02 00:00:00"),
        ("2026-01-02T01:00:00", 2, "2026-01-02T01:00:00"),
        ("12", 2, "12"),
    ] {
        let (query, _) = bound(&format!("d={literal}"), TimeDelta::hours(hours));
        assert_eq!(query.groups[0][0][0].values, [gmt], "{literal}");
    }
}
