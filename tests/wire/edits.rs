//! Edits of a poller whose sweep is unfinished: what was acknowledged stays settled, and the rest
//! arrives by what is asked now.

use std::collections::HashSet;

use rstest::rstest;
use serde_json::{Value, json};
use simulator::servicenow::Fault;

use crate::harness::World;

const ROWS: usize = 25;
const PAGE: usize = 10;
const EDITED: &str = "what is asked was edited";

#[rstest]
#[case::url(
    "/spec/url",
    json!("/api/now/table/incident?sysparm_query=active=true^sys_updated_on>=${gmtDate:yyyy-MM-dd HH:mm:ss}"),
    true
)]
#[case::interval("/spec/refreshInterval", json!("7s"), false)]
#[case::overlap("/spec/overlap", json!("1h"), false)]
#[case::dates(
    "/spec/datesConfiguration",
    json!({"createdDateField": "opened_at", "createdDateFormat": "yyyy-MM-dd HH:mm:ss"}),
    true
)]
#[tokio::test]
async fn an_edit_in_mid_sweep_loses_and_repeats_nothing(
    #[case] field: &str,
    #[case] value: Value,
    #[case] asks_otherwise: bool,
) {
    let world = World::new().await;
    world.poller("incident", json!({"pageSize": PAGE}));
    assert_eq!(world.poll_well().await, []);
    for row in 0..ROWS {
        let updated = format!("2026-01-02 03:{row:02}:00");
        let dates = [
            ("sys_created_on", updated.as_str()),
            ("sys_updated_on", &updated),
        ];
        let more = [("active", "true"), ("opened_at", &updated)];
        world.instance.create("incident", &[dates, more].concat());
    }
    world.before_page(2, PAGE, |instance| instance.fail_next(Fault::Status(500)));
    assert_ne!(world.poll_once().await.code, Some(0));
    assert_eq!(world.receiver.acknowledged().len(), PAGE);

    world.manifests.set("incident", field, value);
    let ended = world.poll_once().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.errors.contains(EDITED), asks_otherwise, "{ended:?}");
    let got = world.receiver.acknowledged();
    let distinct: HashSet<_> = got.iter().map(|event| &event.object_id).collect();
    assert_eq!((got.len(), distinct.len()), (ROWS, ROWS));
    assert_eq!(world.poll_well().await, []);
}

/// The provider that is asked is a part of the question.
#[tokio::test]
async fn an_edit_of_the_base_url_is_noticed() {
    let world = World::with_incidents().await;
    assert_eq!(world.poll_well().await, []);
    let elsewhere = world.instance.listen("127.0.0.1:0").await.unwrap();
    let url = json!(elsewhere.url());
    world.manifests.set("servicenow", "/spec/baseUrl", url);
    world.poll_once().await.assert_said(0, &[EDITED]);
    assert_eq!(world.poll_once().await.errors, "");
}
