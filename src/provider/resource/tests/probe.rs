//! Probing for providers that lose changes without a word.

use super::*;

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
        .probe(
            instant("2024-05-17T13:14:15Z"),
            instant("2024-05-17T13:00:00Z"),
        )
        .await
        .unwrap()
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
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
    assert_eq!((findings.fatal, findings.is_partial), (None, true));
}

#[rstest]
#[case(0, None)]
#[case(2, Some("about +02:00 from GMT"))]
#[tokio::test]
async fn what_had_no_row_to_be_probed_with_is_probed_with_a_pages_first(
    #[case] hours: i64,
    #[case] expected: Option<&str>,
) {
    let server = serve(table(Some(hours), full())).await;
    let source = at(&server, "incident");
    let shape = Arc::clone(source.shape());
    let page = |records: &[serde_json::Value]| {
        let body = json!({"result": records}).to_string();
        Page::new(Arc::clone(&shape), body.into())
    };
    assert_eq!(source.probe_page(&page(&[])).await.unwrap(), None);
    let unreadable = [json!({"sys_id": "b", "sys_updated_on": "soon"})];
    assert_eq!(source.probe_page(&page(&unreadable)).await.unwrap(), None);
    let findings = source.probe_page(&page(&[full()])).await.unwrap().unwrap();
    assert_eq!(findings.fatal.is_some(), expected.is_some());
    let fatal = findings.fatal.unwrap_or_default();
    assert!(fatal.contains(expected.unwrap_or_default()), "{fatal}");
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

/// Sorting a large table takes longer than the provider grants.
#[tokio::test]
async fn rows_are_looked_for_where_the_poller_stands() {
    let whole = table(Some(0), full());
    let findings = probed(move |request| {
        let query = parameter(request, "sysparm_query");
        let from_the_beginning = query.contains(">=1970") || query.contains(">=2000");
        if from_the_beginning && query.contains("ORDERBY") {
            return ResponseTemplate::new(500);
        }
        whole(request)
    })
    .await;
    assert_eq!((findings.fatal, findings.is_partial), (None, false));
}

#[rstest]
#[case::in_gmt(0, 200, None, false)]
#[case::in_another_zone(-8, 200, Some("about -08:00 from GMT"), false)]
#[case::without_an_answer(-8, 500, None, true)]
#[tokio::test]
async fn where_the_poller_stands_before_no_row_any_row_will_do(
    #[case] hours: i64,
    #[case] status: u16,
    #[case] expected: Option<&str>,
    #[case] is_partial: bool,
) {
    let whole = table(Some(hours), full());
    let server = serve(
        move |request| match parameter(request, "sysparm_query").as_str() {
            "" if status != 200 => ResponseTemplate::new(status),
            _ => whole(request),
        },
    )
    .await;
    let later = instant("2024-05-18T00:00:00Z");
    let findings = at(&server, "incident").probe(later, later).await.unwrap();
    assert_eq!(findings.is_partial, is_partial);
    let fatal = findings.fatal.unwrap_or_default();
    assert!(fatal.contains(expected.unwrap_or_default()), "{fatal}");
    assert_eq!(fatal.is_empty(), expected.is_none());
}

#[tokio::test]
async fn a_bad_record_before_good_ones_condemns_nobody() {
    let bad = json!({"sys_id": "a", "sys_updated_on": "soon"});
    let whole = table(Some(0), full());
    let findings = probed(move |request| {
        if parameter(request, "sysparm_limit") == "20" {
            let both = json!({"result": [bad, full()]});
            return ResponseTemplate::new(200).set_body_json(both);
        }
        whole(request)
    })
    .await;
    assert_eq!((findings.fatal, findings.notes), (None, Vec::new()));
}
