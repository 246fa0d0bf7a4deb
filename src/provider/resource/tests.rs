use std::collections::BTreeMap;

use rstest::rstest;
use serde_json::json;
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::method};

use super::*;
use crate::{
    catalog::Connector,
    category::Category,
    provider::connection::tests::{connect, connect_as},
};

const BASE: &str = "https://acme.service-now.com";

/// A provider that takes the date as a parameter, pages by offset and link, in no order.
const LEDGER: &str = r"
key: ledger
name: Ledger
hub: finance
baseUrl: https://ledger.example.com
authentication: {}
request:
  path: /v3/{table}
  filter: {kind: Parameter, parameter: since, aliases: [lastModifiedDate], format: yyyy-MM-dd'T'HH:mm:ss'Z', inclusive: false}
records: {path: '$items', id: id}
dates:
  updated: {field: updated_at, format: yyyy-MM-dd'T'HH:mm:ss'Z'}
  created: {field: created_at, format: yyyy-MM-dd'T'HH:mm:ss'Z'}
  granularity: Seconds
  overlapSeconds: 60
  earliest: 2001-01-01T00:00:00Z
paging:
  pageSize: {parameter: items_per_page, default: 20, maximum: 200}
  offset: {parameter: skip}
  next: LinkHeader
";

fn ledger() -> Connector {
    Connector::read(LEDGER).unwrap()
}

fn spec(value: serde_json::Value) -> PollerResourceSpec {
    let mut spec = json!({"instanceRef": {"name": "acme"}});
    for (key, field) in value.as_object().unwrap() {
        spec[key] = field.clone();
    }
    serde_json::from_value(spec).unwrap()
}

fn on(
    connection: Connection,
    resource: &str,
    value: serde_json::Value,
) -> Result<ResourceSource, String> {
    let settings = ResourceSettings {
        resource: resource.into(),
        spec: &spec(value),
    };
    ResourceSource::new(Arc::new(connection), &settings).map_err(|error| error.to_string())
}

fn source(resource: &str, value: serde_json::Value) -> ResourceSource {
    on(connect(BASE), resource, value).unwrap()
}

fn of_url(url: &str) -> ResourceSource {
    source("accounts", json!({"url": url}))
}

fn ask(source: &ResourceSource, step: Step) -> Ask {
    Ask {
        bound: source.bound("2024-05-17T13:14:15.9Z".parse().unwrap()),
        until: None,
        step,
    }
}

/// Path and decoded parameters of a request.
fn asked(source: &ResourceSource, step: Step) -> (String, BTreeMap<String, String>) {
    let url = source
        .url(&ask(source, step), source.page_size.get())
        .unwrap();
    (
        url.path().to_owned(),
        url.query_pairs().into_owned().collect(),
    )
}

fn query(source: &ResourceSource, step: Step) -> String {
    asked(source, step)
        .1
        .remove("sysparm_query")
        .unwrap_or_default()
}

const DATED: &str = "sys_updated_on>=2024-05-17 13:14:15^ORDERBYsys_updated_on^ORDERBYsys_id";

#[test]
fn a_known_resource_needs_no_url() {
    let source = source("accounts", json!({}));
    let (path, parameters) = asked(&source, Step::First);
    assert_eq!(path, "/api/now/table/core_company");
    let expected = [
        ("sysparm_query", DATED),
        ("sysparm_display_value", "false"),
        ("sysparm_exclude_reference_link", "true"),
        ("sysparm_limit", "1000"),
    ];
    assert_eq!(
        parameters,
        expected
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    );
    assert!(source.notes().is_empty() && source.unfiltered());
    let paging = Paging {
        anchored: true,
        by_key: true,
        by_offset: true,
        bisectable: true,
        page_size: 1000,
    };
    assert_eq!(source.paging(), paging);
    assert_eq!(
        (source.unit(), source.overlap()),
        (Unit::Seconds, TimeDelta::seconds(30))
    );
}

#[test]
fn values_are_percent_encoded_with_a_blank_as_20() {
    let source = source("incident", json!({}));
    let url = source
        .url(&ask(&source, Step::AfterKey("a+1".into())), 10)
        .unwrap();
    let query = "sysparm_query=sys_updated_on%3D2024-05-17%2013%3A14%3A15%5Esys_id%3Ea%2B1%5EORDERBYsys_id&";
    assert!(
        url.as_str()
            .starts_with(&format!("{BASE}/api/now/table/incident?{query}")),
        "{url}"
    );
}

#[rstest]
#[case::the_vendors_page(
    "/hubs/helpdesk/accounts?where=sys_updated_on>'${gmtDate:yyyy-MM-dd'T'HH:mm:ss}'",
    "core_company",
    ""
)]
#[case::with_a_condition(
    "/hubs/helpdesk/incidents?where=sys_updated_on>'${gmtDate:yyyy-MM-dd'T'HH:mm:ss}' and active='true'",
    "incident",
    "active=true^"
)]
#[case::without_hubs("/incidents?where=active='true'", "incident", "active=true^")]
#[case::unlisted("/hubs/helpdesk/u_machine", "u_machine", "")]
#[case::own_path(
    "/api/now/table/problem?sysparm_query=active=true^sys_updated_on>${gmtDate:yyyy-MM-dd HH:mm:ss}",
    "problem",
    "active=true^"
)]
#[case::absolute(
    "https://acme.service-now.com/api/now/table/problem?sysparm_query=active%3Dtrue",
    "problem",
    "active=true^"
)]
#[case::condition_of_the_resource(
    "/hubs/helpdesk/priorities",
    "sys_choice",
    "name=task^element=priority^"
)]
fn a_url_is_asked_in_the_providers_words(
    #[case] url: &str,
    #[case] table: &str,
    #[case] base: &str,
) {
    let source = of_url(url);
    assert_eq!(
        asked(&source, Step::First).0,
        format!("/api/now/table/{table}")
    );
    assert_eq!(query(&source, Step::First), format!("{base}{DATED}"));
    assert_eq!(
        (source.table(), source.unfiltered()),
        (Some(table), base.is_empty())
    );
    assert!(source.paging().anchored);
}

#[test]
fn the_version_of_the_api_stays_as_it_is_stated() {
    let source = of_url("/api/now/v2/table/incident");
    assert_eq!(asked(&source, Step::First).0, "/api/now/v2/table/incident");
    assert_eq!(source.table(), Some("incident"));
}

#[rstest]
#[case("/hubs/crm/accounts", "in the hub \"helpdesk\", not \"crm\"")]
#[case("/hubs/helpdesk/accounts/1/notes", "write one resource behind the hub")]
#[case(
    "/hubs/helpdesk/accounts?active=true",
    "the parameter \"active\" of a hub path is not known"
)]
#[case(
    "https://evil.example.com/api/now/table/incident",
    "not the instance's host"
)]
#[case("https://acme.service-now.com.evil.com/x", "not the instance's host")]
#[case("http://acme.service-now.com/x", "not the instance's host")]
#[case("api/now/table/incident", "begins with /")]
#[case("/api/now/../x", ". and ..")]
#[case("/hubs/helpdesk/accounts?where=a='%ff'", "UTF-8")]
#[case(
    "/hubs/helpdesk/accounts?where=a='1",
    "column 3: this quote is not closed"
)]
#[case("/hubs/helpdesk/accounts?where=a>'${gmtDate:}'", "${gmtDate:}")]
#[case("/api/now/table/incident?sysparm_limit=many", "no page size")]
fn a_url_that_cannot_be_asked_is_refused(#[case] url: &str, #[case] words: &str) {
    let error = on(connect(BASE), "accounts", json!({"url": url})).unwrap_err();
    assert!(
        error.starts_with("spec.url: ") && error.contains(words),
        "{error}"
    );
}

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
        "/api/now/table/incident?sysparm_no_count=true&sysparm_offset=5&sysparm_limit=50&sysparm_fields=number,sys_id",
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

async fn serve(
    respond: impl Fn(&Request) -> ResponseTemplate + Send + Sync + 'static,
) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(respond)
        .mount(&server)
        .await;
    server
}

fn parameter(request: &Request, name: &str) -> String {
    request
        .url
        .query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn rows(page: &Page) -> Vec<String> {
    let mut ids = Vec::new();
    page.rows(|row| ids.push(row.id.unwrap().into_owned()))
        .unwrap();
    ids
}

fn at(server: &MockServer, resource: &str) -> ResourceSource {
    on(connect(&server.uri()), resource, json!({})).unwrap()
}

#[tokio::test]
async fn a_page_brings_clock_total_and_next_link() {
    let server = serve(|_| {
        ResponseTemplate::new(200)
            .set_body_json(json!({"result": [{"sys_id": "a", "sys_mod_count": "1"}]}))
            .insert_header("date", "Fri, 17 May 2024 13:14:15 GMT")
            .insert_header("x-total-count", "7")
            .insert_header(
                "link",
                "</api/now/table/incident?sysparm_offset=1>;rel=\"next\"",
            )
    })
    .await;
    let source = at(&server, "incident");
    let page = source.fetch(&ask(&source, Step::First)).await.unwrap();
    assert_eq!(rows(&page), ["a"]);
    assert_eq!(
        (page.server_time, page.total),
        (Some("2024-05-17T13:14:15Z".parse().unwrap()), Some(7))
    );
    let next = page.next.unwrap();
    assert_eq!(
        next,
        format!("{}/api/now/table/incident?sysparm_offset=1", server.uri())
    );
    assert!(source.fetch(&ask(&source, Step::Link(next))).await.is_ok());
    let elsewhere = Step::Link("https://evil.example.com/x".into());
    assert!(
        source
            .fetch(&ask(&source, elsewhere))
            .await
            .unwrap_err()
            .message
            .contains("must not be sent")
    );
}

#[tokio::test]
async fn a_page_that_is_too_much_is_asked_for_in_halves_and_grows_back() {
    let server = serve(|request| {
        let limit = parameter(request, "sysparm_limit").parse::<u32>().unwrap();
        if limit > 300 {
            let error = json!({"error": {"message": "maximum execution time exceeded"}, "status": "failure"});
            return ResponseTemplate::new(500).set_body_json(error);
        }
        ResponseTemplate::new(200).set_body_json(json!({"result": []}))
    })
    .await;
    let source = at(&server, "incident");
    let page = source.fetch(&ask(&source, Step::First)).await.unwrap();
    assert_eq!(source.paging().page_size, 250);
    (0..20).for_each(|_| assert_eq!(page.rows(|_| {}), Ok(0)));
    assert_eq!(source.paging().page_size, 500);
}

#[tokio::test]
async fn a_body_that_breaks_off_has_a_smaller_page_asked_for_down_to_one() {
    let server =
        serve(|_| ResponseTemplate::new(200).set_body_raw(r#"{"result":["#, "application/json"))
            .await;
    let source = on(connect(&server.uri()), "incident", json!({"pageSize": 3})).unwrap();
    let page = source.fetch(&ask(&source, Step::First)).await.unwrap();
    assert!(page.rows(|_| {}).unwrap_err().shrink);
    assert_eq!(source.paging().page_size, 1);
    let page = source.fetch(&ask(&source, Step::First)).await.unwrap();
    let error = page.rows(|_| {}).unwrap_err();
    assert!(
        !error.shrink && error.message.contains("a single record fails too"),
        "{error}"
    );
    assert!(
        error
            .message
            .contains("GET /api/now/table/incident of 127.0.0.1"),
        "{error}"
    );
}

#[tokio::test]
async fn an_error_behind_records_is_classified_by_the_connectors_rules() {
    let body = json!({"result": [], "error": {"message": "Transaction cancelled: maximum execution time exceeded"}});
    let server = serve(move |_| ResponseTemplate::new(200).set_body_json(&body)).await;
    let source = at(&server, "incident");
    let page = source.fetch(&ask(&source, Step::First)).await.unwrap();
    let error = page.rows(|_| {}).unwrap_err();
    assert_eq!(
        (error.category, error.shrink, source.paging().page_size),
        (Category::Provider, true, 500)
    );
}

#[tokio::test]
async fn an_empty_page_under_404_has_no_rows() {
    let body = json!({"error": {"message": "No Record found"}, "status": "failure"});
    let server = serve(move |_| ResponseTemplate::new(404).set_body_json(&body)).await;
    let source = at(&server, "incident");
    let page = source.fetch(&ask(&source, Step::First)).await.unwrap();
    assert_eq!(page.rows(|_| {}), Ok(0));
}

/// A table of one row, whose provider reads dates `hours` ahead of GMT, or ignores them.
fn table(
    hours: Option<i64>,
    row: serde_json::Value,
) -> impl Fn(&Request) -> ResponseTemplate + Send + Sync {
    move |request| {
        let updated = row["sys_updated_on"]
            .as_str()
            .unwrap_or("2024-05-17 13:14:15");
        let updated = format!("{}Z", updated.replace(' ', "T"))
            .parse::<DateTime<Utc>>()
            .unwrap();
        let query = parameter(request, "sysparm_query");
        let holds = query.split('^').all(|term| {
            let Some(rest) = term.strip_prefix("sys_updated_on") else {
                return true;
            };
            let literal = rest.trim_start_matches(['>', '=']).replace(' ', "T");
            let Some(hours) = hours else { return true };
            let read =
                format!("{literal}Z").parse::<DateTime<Utc>>().unwrap() - TimeDelta::hours(hours);
            if rest.starts_with(">=") {
                updated >= read
            } else {
                updated == read
            }
        });
        let result = if holds { vec![row.clone()] } else { Vec::new() };
        ResponseTemplate::new(200).set_body_json(json!({"result": result}))
    }
}

fn full() -> serde_json::Value {
    json!({"sys_id": "a", "sys_mod_count": "1", "sys_class_name": "incident", "sys_updated_on": "2024-05-17 13:14:15"})
}

async fn probed(
    respond: impl Fn(&Request) -> ResponseTemplate + Send + Sync + 'static,
) -> Findings {
    let server = serve(respond).await;
    at(&server, "incident")
        .probe("2024-05-17T13:14:15Z".parse().unwrap())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_sound_resource_passes_its_probe() {
    let findings = probed(table(Some(0), full())).await;
    assert_eq!((findings.fatal, findings.notes), (None, Vec::new()));
    assert!(findings.clock_skew.is_some());
}

#[tokio::test]
async fn an_empty_resource_passes_its_probe() {
    let findings =
        probed(|_| ResponseTemplate::new(200).set_body_json(json!({"result": []}))).await;
    assert_eq!(findings.fatal, None);
}

#[tokio::test]
async fn a_condition_that_the_provider_ignores_is_fatal() {
    assert!(
        probed(table(None, full()))
            .await
            .fatal
            .unwrap()
            .contains("ignores the condition on sys_updated_on")
    );
}

#[rstest]
#[case(2, "+02:00")]
#[case(-8, "-08:00")]
#[tokio::test]
async fn dates_read_in_another_zone_are_fatal_and_the_zone_is_named(
    #[case] hours: i64,
    #[case] zone: &str,
) {
    let fatal = probed(table(Some(hours), full())).await.fatal.unwrap();
    assert!(fatal.contains(&format!("about {zone} from GMT")), "{fatal}");
}

#[tokio::test]
async fn records_without_their_fields_are_found() {
    let fatal = |row| async { probed(table(Some(0), row)).await.fatal.unwrap() };
    assert!(
        fatal(json!({"sys_updated_on": "2024-05-17 13:14:15"}))
            .await
            .contains("correct idField")
    );
    assert!(
        fatal(json!({"sys_id": "a"}))
            .await
            .contains("updatedDateField")
    );
    let mut row = full();
    row["sys_class_name"] = "".into();
    assert!(probed(table(Some(0), row)).await.notes[0].contains("no class"));
}
