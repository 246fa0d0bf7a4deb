use chrono::TimeDelta;

use crate::servicenow::{Instance, Version};

fn frozen() -> Instance {
    let instance = Instance::new();
    instance.freeze_at("2026-01-01T00:00:00Z".parse().unwrap());
    instance
}

fn field(instance: &Instance, sys_id: &str, name: &str) -> String {
    instance.record(sys_id).unwrap()[name].clone()
}

/// Class, id, count, seconds of the date, and whether it was deleted.
fn history(instance: &Instance) -> Vec<(String, String, u64, String, bool)> {
    let short = |it: Version| {
        let second = it.updated.split_at(17).1.to_owned();
        (it.table, it.sys_id, it.mod_count, second, it.deleted)
    };
    instance.history().into_iter().map(short).collect()
}

fn version(
    table: &str,
    sys_id: &str,
    count: u64,
    second: &str,
    deleted: bool,
) -> (String, String, u64, String, bool) {
    (table.into(), sys_id.into(), count, second.into(), deleted)
}

#[test]
fn a_new_record_is_dated_counted_and_classed() {
    let instance = frozen();
    let sys_id = instance.create("incident", &[("number", "INC1")]);
    assert_eq!(sys_id.len(), 32);
    for (name, expected) in [
        ("sys_id", sys_id.as_str()),
        ("sys_created_on", "2026-01-01 00:00:00"),
        ("sys_updated_on", "2026-01-01 00:00:00"),
        ("sys_mod_count", "0"),
        ("sys_class_name", "incident"),
        ("number", "INC1"),
        ("caller_id", ""),
    ] {
        assert_eq!(field(&instance, &sys_id, name), expected, "{name}");
    }
}

#[test]
fn what_is_given_wins() {
    let instance = frozen();
    for (given, created, updated) in [
        (
            &[("sys_updated_on", "2025-05-05 05:05:05")][..],
            "2025-05-05 05:05:05",
            "2025-05-05 05:05:05",
        ),
        (
            &[("sys_created_on", "2025-05-05 05:05:05")],
            "2025-05-05 05:05:05",
            "2025-05-05 05:05:05",
        ),
        (
            &[
                ("sys_created_on", "2025-05-05 05:05:05"),
                ("sys_updated_on", "2025-06-06 06:06:06"),
            ],
            "2025-05-05 05:05:05",
            "2025-06-06 06:06:06",
        ),
    ] {
        let sys_id = instance.create("incident", given);
        assert_eq!(field(&instance, &sys_id, "sys_created_on"), created);
        assert_eq!(field(&instance, &sys_id, "sys_updated_on"), updated);
    }
    let sys_id = instance.create(
        "incident",
        &[("sys_mod_count", "7"), ("sys_created_by", "x")],
    );
    assert_eq!(field(&instance, &sys_id, "sys_mod_count"), "7");
    assert_eq!(field(&instance, &sys_id, "sys_created_by"), "x");
}

#[test]
fn an_update_counts_and_dates_unless_told_otherwise() {
    let instance = frozen();
    let sys_id = instance.create("incident", &[("state", "1")]);
    instance.shift(TimeDelta::seconds(9));
    instance.update(&sys_id, &[("state", "2")]);
    assert_eq!(field(&instance, &sys_id, "state"), "2");
    assert_eq!(field(&instance, &sys_id, "sys_mod_count"), "1");
    assert_eq!(
        field(&instance, &sys_id, "sys_updated_on"),
        "2026-01-01 00:00:09"
    );
    assert_eq!(
        field(&instance, &sys_id, "sys_created_on"),
        "2026-01-01 00:00:00"
    );
    let silent = [
        ("sys_mod_count", "1"),
        ("sys_updated_on", "2026-01-01 00:00:09"),
        ("state", "3"),
    ];
    instance.update(&sys_id, &silent);
    assert_eq!(field(&instance, &sys_id, "sys_mod_count"), "1");
    assert_eq!(field(&instance, &sys_id, "state"), "3");
}

#[test]
fn a_record_can_change_its_class() {
    let instance = frozen();
    let sys_id = instance.create("core_company", &[("name", "Acme")]);
    instance.update(
        &sys_id,
        &[
            ("sys_class_name", "customer_account"),
            ("account_code", "17"),
        ],
    );
    assert_eq!(field(&instance, &sys_id, "account_code"), "17");
    assert_eq!(
        field(&instance, &sys_id, "sys_class_name"),
        "customer_account"
    );
    assert_eq!(instance.history()[1].table, "customer_account");
}

#[test]
fn history_has_every_state_that_could_be_seen_in_order() {
    let instance = frozen();
    instance.create("incident", &[("sys_id", "a")]);
    let open = instance.write_uncommitted("problem", &[("sys_id", "p")]);
    let dropped = instance.write_uncommitted("problem", &[("sys_id", "q")]);
    instance.shift(TimeDelta::seconds(5));
    instance.update("a", &[("state", "2")]);
    instance.hide("a");
    drop(dropped);
    open.commit();
    instance.delete("a");
    let expected = [
        version("incident", "a", 0, "00", false),
        version("incident", "a", 1, "05", false),
        version("problem", "p", 0, "00", false),
        version("incident", "a", 1, "05", true),
    ];
    assert_eq!(history(&instance), expected);
    assert!(instance.record("a").is_none() && instance.record("q").is_none());
}

#[test]
fn an_uncommitted_change_is_dated_when_written_and_seen_when_committed() {
    let instance = frozen();
    let sys_id = instance.create("incident", &[("state", "1")]);
    instance.shift(TimeDelta::seconds(3));
    let open = instance.write_uncommitted("incident", &[("sys_id", &sys_id), ("state", "2")]);
    assert_eq!(open.sys_id(), sys_id);
    instance.shift(TimeDelta::seconds(30));
    assert_eq!(field(&instance, &sys_id, "state"), "1");
    open.commit();
    assert_eq!(field(&instance, &sys_id, "state"), "2");
    assert_eq!(
        field(&instance, &sys_id, "sys_updated_on"),
        "2026-01-01 00:00:03"
    );
    assert_eq!(field(&instance, &sys_id, "sys_mod_count"), "1");
}

#[test]
fn a_clock_runs_on_from_where_it_was_shifted_to() {
    let instance = frozen();
    let at = instance.now();
    instance.shift(TimeDelta::hours(1));
    assert_eq!(instance.now(), at + TimeDelta::hours(1));
    instance.unfreeze();
    let machine = instance.now();
    assert_ne!(machine, at);
    instance.shift(TimeDelta::days(2));
    let ahead = instance.now() - machine;
    assert!(ahead >= TimeDelta::days(2) && ahead < TimeDelta::days(2) + TimeDelta::hours(1));
}

#[test]
#[should_panic(expected = "there is no record nobody")]
fn a_record_that_is_not_there_cannot_be_changed() {
    frozen().update("nobody", &[]);
}

#[test]
#[should_panic(expected = "there is no table u_typo")]
fn a_table_that_is_not_there_holds_nothing() {
    frozen().create("u_typo", &[]);
}

#[test]
#[should_panic(expected = "there is no table u_typo")]
fn a_record_cannot_change_into_a_class_that_is_not_there() {
    let instance = frozen();
    let sys_id = instance.create("incident", &[]);
    instance.update(&sys_id, &[("sys_class_name", "u_typo")]);
}

#[test]
#[should_panic(expected = "the record a exists")]
fn an_id_is_given_once() {
    let instance = frozen();
    instance.create("incident", &[("sys_id", "a")]);
    instance.create("problem", &[("sys_id", "a")]);
}
