use super::*;
use crate::servicenow::Instance;

const ALL: Window = Window {
    offset: 0,
    limit: 1000,
};

/// Six incidents, named by their ids; b, c and d share a second.
fn instance() -> Instance {
    let instance = Instance::new();
    for (sys_id, second, state) in [
        ("d", "02", "1"),
        ("a", "01", "1"),
        ("c", "02", "2"),
        ("f", "09", "2"),
        ("b", "02", "1"),
        ("e", "03", "1"),
    ] {
        let updated = format!("2026-01-01 00:00:{second}");
        let fields = [
            ("sys_id", sys_id),
            ("sys_updated_on", &updated),
            ("state", state),
        ];
        instance.create("incident", &fields);
    }
    instance
}

/// The ids of a page, run together, and the total.
fn listed(instance: &Instance, query: &str, window: Window) -> (String, usize) {
    let state = instance.state();
    let table = state.schema.table("task").unwrap();
    let page = state.list(("task", table), query, window).unwrap();
    let ids = page.records.iter().map(|record| record.sys_id());
    (ids.collect(), page.total)
}

fn ids(instance: &Instance, query: &str) -> String {
    listed(instance, query, ALL).0
}

#[test]
fn the_index_selects_and_orders_as_a_full_scan_does() {
    let instance = instance();
    let at = "sys_updated_on";
    let day = "2026-01-01 00:00";
    for (query, expected) in [
        (format!("{at}>={day}:02^ORDERBY{at}^ORDERBYsys_id"), "bcdef"),
        (format!("{at}>{day}:02^ORDERBY{at}^ORDERBYsys_id"), "ef"),
        (format!("{at}={day}:02^sys_id>b^ORDERBYsys_id"), "cd"),
        (format!("sys_id>b^{at}={day}:02^ORDERBYsys_id"), "cd"),
        (format!("{at}<{day}:02^ORDERBY{at}"), "a"),
        (
            format!("{at}<={day}:02^{at}>={day}:02^ORDERBY{at}^ORDERBYsys_id"),
            "bcd",
        ),
        (
            format!("state=1^{at}>{day}:01^ORDERBY{at}^ORDERBYsys_id"),
            "bde",
        ),
        (format!("{at}>{day}:03^{at}<{day}:02"), ""),
        (format!("{at}={day}:02^{at}={day}:03"), ""),
        (format!("ORDERBY{at}^ORDERBYDESCsys_id"), "adcbef"),
        (
            format!("{at}>={day}:02^ORDERBYDESC{at}^ORDERBYsys_id"),
            "febcd",
        ),
        ("sys_id>b^ORDERBYsys_id".to_owned(), "cdef"),
        (
            format!("{at}>{day}:02^NQ{at}={day}:02^sys_id>c^ORDERBY{at}^ORDERBYsys_id"),
            "def",
        ),
        (
            format!("{at}>{day}:02^OR{at}={day}:02^sys_id>c^ORDERBY{at}^ORDERBYsys_id"),
            "def",
        ),
        (
            format!("{at}>{day}:02^OR{at}={day}:02^sys_id>e^ORDERBY{at}^ORDERBYsys_id"),
            "f",
        ),
        (
            format!("{at}BETWEEN{day}:02@{day}:03^ORDERBYsys_id"),
            "bcde",
        ),
        (
            "sys_class_nameINSTANCEOFtask^state=2^ORDERBYsys_id".to_owned(),
            "cf",
        ),
        ("sys_class_nameINSTANCEOFproblem".to_owned(), ""),
    ] {
        assert_eq!(ids(&instance, &query), expected, "{query}");
    }
}

#[test]
fn without_an_order_rows_come_as_they_were_created() {
    let instance = instance();
    assert_eq!(ids(&instance, ""), "dacfbe");
    assert_eq!(ids(&instance, "state=1"), "dabe");
    instance.update("a", &[("state", "1")]);
    assert_eq!(ids(&instance, "state=1"), "dabe");
}

#[test]
fn the_total_counts_the_rows_on_both_sides_of_the_window() {
    let instance = instance();
    for (query, expected) in [
        ("ORDERBYsys_updated_on^ORDERBYsys_id", ("cd", 6)),
        ("state=1^ORDERBYsys_updated_on^ORDERBYsys_id", ("de", 4)),
        ("state=1^ORDERBYsys_id", ("de", 4)),
    ] {
        let (ids, total) = listed(
            &instance,
            query,
            Window {
                offset: 2,
                limit: 2,
            },
        );
        assert_eq!((ids.as_str(), total), expected, "{query}");
    }
    let behind = Window {
        offset: 9,
        limit: 2,
    };
    assert_eq!(listed(&instance, "", behind), (String::new(), 6));
}

#[test]
fn an_empty_date_is_before_nothing() {
    let instance = instance();
    instance.create("incident", &[("sys_id", "0"), ("sys_updated_on", "")]);
    let query = "sys_updated_on<2026-01-01 00:00:02^ORDERBYsys_updated_on";
    assert_eq!(listed(&instance, query, ALL), ("a".to_owned(), 1));
    assert_eq!(
        ids(&instance, "ORDERBYsys_updated_on^ORDERBYsys_id"),
        "0abcdef"
    );
}

#[test]
fn an_update_moves_a_row_in_every_table_that_lists_it() {
    let instance = instance();
    instance.update("a", &[("sys_updated_on", "2026-01-01 00:00:05")]);
    assert_eq!(
        ids(&instance, "ORDERBYsys_updated_on^ORDERBYsys_id"),
        "bcdeaf"
    );
    instance.delete("e");
    assert_eq!(
        ids(&instance, "ORDERBYsys_updated_on^ORDERBYsys_id"),
        "bcdaf"
    );
}

#[test]
fn settings_make_the_instance_ignore_filter_order_or_everything_invalid() {
    let query = "state=1^ORDERBYsys_id";
    let instance = instance();
    instance.configure(|settings| settings.ignores_filter = true);
    assert_eq!(ids(&instance, query), "abcdef");
    instance.configure(|settings| settings.ignores_order = true);
    assert_eq!(ids(&instance, query), "dacfbe");
    instance.configure(|settings| *settings = crate::servicenow::Settings::default());
    assert_eq!(ids(&instance, "state=1^u_typo=3^ORDERBYsys_id"), "abde");
    instance.configure(|settings| settings.invalid_query_returns_no_rows = true);
    assert_eq!(ids(&instance, "state=1^u_typo=3^ORDERBYsys_id"), "");
    assert_eq!(ids(&instance, query), "abde");
}

#[test]
fn a_query_that_the_simulator_cannot_carry_out_is_refused() {
    let instance = instance();
    let state = instance.state();
    let table = state.schema.table("task").unwrap();
    let query = "state=1^opened_atRELATIVEGT@hour@ago@3";
    let refused = state.list(("task", table), query, ALL).unwrap_err();
    assert_eq!(refused.0, "opened_atRELATIVEGT@hour@ago@3");
}
