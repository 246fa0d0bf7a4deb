//! What the other fields of a spec do, and what they cannot.

use super::*;

#[rstest]
#[case(json!({"idField": "a..b"}), "spec.idField: ")]
#[case(json!({"idField": "sys_id^x"}), "spec.idField: ")]
#[case(json!({"pageSize": 0}), "spec.pageSize: ")]
#[case(json!({"ignoreFields": ["a[0]"]}), "spec.ignoreFields: ")]
#[case(json!({"datesConfiguration": {"updatedDateFormat": "qqq"}}), "spec.datesConfiguration.updatedDateFormat: ")]
#[case(json!({"datesConfiguration": {"createdDateTimezone": "Mars"}}), "spec.datesConfiguration.createdDateTimezone: ")]
#[case(json!({"datesConfiguration": {"updatedDateField": "a^b"}}), "spec.datesConfiguration.updatedDateField: ")]
fn a_wrong_field_of_the_spec_is_named(#[case] value: serde_json::Value, #[case] field: &str) {
    let error = on(connect(BASE), "accounts", value).unwrap_err();
    assert!(error.starts_with(field), "{error}");
}

#[test]
fn a_resource_that_can_be_no_table_is_refused() {
    let error = on(connect(BASE), "a/../b", json!({})).unwrap_err();
    assert!(error.starts_with("spec.resource: "), "{error}");
}

#[test]
fn a_date_on_another_field_is_read_in_no_order() {
    let source =
        of_url("/hubs/helpdesk/incidents?where=sys_created_on>'${gmtDate:yyyy-MM-dd'T'HH:mm:ss}'");
    assert_eq!(
        query(&source, Step::First),
        "sys_created_on>2024-05-17 13:14:14^ORDERBYsys_id"
    );
    assert!(!source.paging().anchored && !source.paging().by_key && !source.paging().bisectable);
    assert!(
        source.notes()[0].contains("sys_updated_on"),
        "{:?}",
        source.notes()
    );
}

#[test]
fn all_records_are_asked_for_where_the_spec_says_so() {
    let value =
        json!({"url": "/hubs/helpdesk/incidents?where=active=true", "filterByUpdatedDate": false});
    let source = source("incidents", value);
    assert_eq!(query(&source, Step::First), "active=true^ORDERBYsys_id");
    assert!(
        source.notes()[0].contains("every poll reads all"),
        "{:?}",
        source.notes()
    );
}

#[test]
fn paging_of_the_urls_own_is_left_out_with_a_note() {
    let source = of_url(
        "/api/now/table/incident?sysparm_no_count=true&sysparm_offset=5&sysparm_offset=6&sysparm_limit=50&sysparm_fields=number,sys_id",
    );
    let (_, parameters) = asked(&source, Step::Offset(25));
    assert_eq!(
        (
            parameters["sysparm_offset"].as_str(),
            parameters["sysparm_limit"].as_str()
        ),
        ("25", "50")
    );
    assert_eq!(
        parameters["sysparm_fields"],
        "number,sys_id,sys_mod_count,sys_class_name,sys_updated_on,sys_created_on"
    );
    assert!(!parameters.contains_key("sysparm_no_count"));
    assert_eq!(source.notes().len(), 3, "{:?}", source.notes());
}

#[test]
fn a_page_size_is_kept_below_the_providers_maximum() {
    assert_eq!(
        source("incident", json!({"pageSize": 50_000}))
            .paging()
            .page_size,
        10_000
    );
}

#[rstest]
#[case("yyyy-MM-dd HH:mm:ss", "2024-05-17T13:14:15Z", true)]
#[case("yyyy-MM-dd HH:mm", "2024-05-17T13:14:00Z", false)]
#[case("yyyy-MM-dd", "2024-05-17T00:00:00Z", false)]
fn a_bound_is_rounded_down_as_records_are_read(
    #[case] format: &str,
    #[case] instant: &str,
    #[case] by_key: bool,
) {
    let source = source(
        "incident",
        json!({"datesConfiguration": {"updatedDateFormat": format}}),
    );
    let bound = source.bound("2024-05-17T13:14:15.9Z".parse().unwrap());
    assert_eq!(bound.instant, instant.parse::<DateTime<Utc>>().unwrap());
    assert_eq!(bound.text, bound.instant.format("%F %T").to_string());
    assert_eq!(
        source.bound(bound.instant),
        bound,
        "a bound is its own bound"
    );
    assert_eq!(
        (source.paging().anchored, source.paging().by_key),
        (true, by_key)
    );
}

#[test]
fn in_an_hour_that_clocks_repeat_the_bound_lies_before_it() {
    let dates = json!({"updatedDateTimezone": "America/New_York"});
    let source = source("incident", json!({"datesConfiguration": dates}));
    for instant in ["2024-11-03T05:30:00Z", "2024-11-03T06:59:59Z"] {
        let bound = source.bound(instant.parse().unwrap());
        assert_eq!(
            bound.instant,
            "2024-11-03T04:59:59Z".parse::<DateTime<Utc>>().unwrap()
        );
    }
    assert!(
        !source.paging().anchored,
        "local text is in no order of time"
    );
}

#[test]
fn a_fingerprint_tells_what_is_asked_apart() {
    let fingerprint =
        |resource: &str, value: serde_json::Value| source(resource, value).fingerprint().to_owned();
    let same = fingerprint("incident", json!({"pageSize": 5}));
    assert_eq!(fingerprint("incident", json!({"pollDelay": 3})), same);
    assert_ne!(fingerprint("problem", json!({})), same);
    assert_ne!(fingerprint("incident", json!({"url": "/incidents"})), same);
    assert_ne!(fingerprint("incident", json!({"idField": "number"})), same);
    assert_ne!(
        fingerprint(
            "incident",
            json!({"datesConfiguration": {"updatedDateTimezone": "EST"}})
        ),
        same
    );
}

#[test]
fn a_parents_poller_covers_the_classes_that_extend_its_table() {
    let source = source("accounts", json!({}));
    assert!(source.covers("core_company") && source.covers("customer_account"));
    assert!(
        !source.covers("incident") && !self::source("customers", json!({})).covers("core_company")
    );
}

fn ledger_source(resource: &str, value: serde_json::Value) -> Result<ResourceSource, String> {
    on(
        connect_as(ledger(), "https://ledger.example.com/api", Arc::default()),
        resource,
        value,
    )
}

#[test]
fn a_provider_with_an_exclusive_parameter_is_asked_one_unit_lower_and_in_no_order() {
    let url = "/hubs/finance/customers?where=lastModifiedDate>='${date:yyyy-MM-dd'T'HH:mm:ss'Z'}' and attributes='created_at,updated_at'";
    let source = ledger_source("customers", json!({"url": url})).unwrap();
    let (path, parameters) = asked(&source, Step::Offset(40));
    assert_eq!(path, "/api/v3/customers");
    let expected = [
        ("since", "2024-05-17T13:14:14Z"),
        ("attributes", "created_at,updated_at"),
        ("items_per_page", "20"),
        ("skip", "40"),
    ];
    assert_eq!(
        parameters,
        expected
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    );
    let paging = Paging {
        anchored: false,
        by_key: false,
        by_offset: true,
        bisectable: false,
        page_size: 20,
    };
    assert_eq!(source.paging(), paging);
    assert_eq!(
        source.bound("2024-05-17T13:14:15Z".parse().unwrap()).text,
        "2024-05-17T13:14:14Z"
    );
    assert_eq!(
        source.earliest(),
        "2001-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap()
    );
    assert!(!source.unfiltered());
}

#[test]
fn a_clause_that_a_parameter_cannot_say_is_refused() {
    for clause in ["name>'x'", "a='1' or b='2'", "a in ('1')"] {
        let url = format!("/hubs/finance/customers?where={clause}");
        assert!(
            ledger_source("customers", json!({"url": url})).is_err(),
            "{clause}"
        );
    }
}

#[test]
fn ignored_fields_are_noted_where_the_provider_states_versions() {
    let ignoring = json!({"ignoreFields": ["lastViewedAt"]});
    let source = source("incident", ignoring.clone());
    assert!(
        source.notes()[0].contains("ignoreFields has no effect"),
        "{:?}",
        source.notes()
    );
    let digested = on(
        connect_as(ledger(), "https://ledger.example.com", Arc::default()),
        "invoices",
        ignoring,
    );
    let notes = digested.unwrap().notes().join("; ");
    assert!(!notes.contains("ignoreFields"), "{notes}");
}

#[rstest]
#[case(json!({}), true)]
#[case(json!({"idField": "sys_id"}), true)]
#[case(json!({"idField": "number"}), false)]
fn ids_of_a_field_that_the_spec_names_are_not_the_connectors(
    #[case] value: serde_json::Value,
    #[case] are: bool,
) {
    assert_eq!(source("incidents", value).ids_are_the_connectors(), are);
}
