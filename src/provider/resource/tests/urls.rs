//! What a url of a spec asks the provider for.

use super::*;

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
#[case::plus_for_a_blank(
    "/api/now/table/problem?sysparm_query=short_descriptionLIKEa+b%2Bc",
    "problem",
    "short_descriptionLIKEa b+c^"
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
