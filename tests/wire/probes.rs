//! Instances that answer another question than was asked are named before they do harm.

use chrono::{DateTime, TimeDelta, Utc};
use rstest::rstest;
use serde_json::json;
use simulator::servicenow::Instance;

use crate::harness::World;

/// Incidents of long ago, which nobody waits for.
fn create_old(instance: &Instance, rows: usize) {
    for row in 0..rows {
        let updated = format!("2020-01-02 03:04:{row:02}");
        instance.create(
            "incident",
            &[("sys_created_on", &updated), ("sys_updated_on", &updated)],
        );
    }
}

async fn world() -> World {
    let world = World::new().await;
    world.poller("incident", json!({"startFrom": "Now"}));
    world
}

#[tokio::test]
async fn an_instance_that_ignores_the_filter_is_named_and_floods_nobody() {
    let world = world().await;
    create_old(&world.instance, 50);
    world
        .instance
        .configure(|settings| settings.ignores_filter = true);
    let ended = world.poll_once_retrying("20s").await;
    ended.assert_said(
        1,
        &[
            "incident",
            "ignores the condition on sys_updated_on",
            "datesConfiguration.updatedDateField",
        ],
    );
    assert_eq!(world.receiver.notifications().len(), 0);
}

/// A field that the table lacks makes ServiceNow leave the condition out.
#[tokio::test]
async fn a_date_field_that_the_table_lacks_is_named_and_floods_nobody() {
    let world = World::new().await;
    let dates =
        json!({"updatedDateField": "changed_on", "updatedDateFormat": "yyyy-MM-dd HH:mm:ss"});
    world.poller("incident", json!({"datesConfiguration": dates}));
    create_old(&world.instance, 50);
    let ended = world.poll_once_retrying("20s").await;
    ended.assert_said(1, &["ignores the condition on changed_on"]);
    assert_eq!(world.receiver.notifications().len(), 0);
}

#[rstest]
#[case::east(7_200, "+02:00")]
#[case::west(-12_600, "-03:30")]
#[tokio::test]
async fn an_instance_that_reads_dates_in_another_zone_is_named(
    #[case] offset: i64,
    #[case] zone: &str,
) {
    let world = world().await;
    create_old(&world.instance, 3);
    world
        .instance
        .configure(|settings| settings.literal_offset_seconds = offset);
    let ended = world.poll_once_retrying("20s").await;
    let told = format!("in the zone of the account's user, about {zone} from GMT");
    ended.assert_said(1, &[&told, "set that user's time zone to GMT"]);
    assert_eq!(world.receiver.notifications().len(), 0);
}

#[rstest]
#[case::empty(0)]
#[case::hidden(30)]
#[tokio::test]
async fn another_zone_is_found_out_with_the_first_row_that_is_seen(#[case] hidden: usize) {
    let world = world().await;
    create_old(&world.instance, hidden);
    for version in world.instance.history() {
        world.instance.hide(&version.sys_id);
    }
    world
        .instance
        .configure(|settings| settings.literal_offset_seconds = 7_200);
    assert_eq!(world.poll_well().await, []);
    // Behind the questions that find no row.
    world.before_page(1, 1_000, |instance| {
        instance.create("incident", &[]);
    });
    let ended = world.poll_once().await;
    ended.assert_said(1, &["about +02:00 from GMT"]);
    assert_eq!(world.receiver.notifications().len(), 0);
    world
        .instance
        .configure(|settings| settings.literal_offset_seconds = 0);
    assert_eq!(world.poll_well().await.len(), 1);
}

#[tokio::test]
async fn an_instance_that_ignores_the_order_is_named_and_loses_nothing() {
    let world = World::new().await;
    world.poller("incident", json!({"pageSize": 10}));
    world
        .instance
        .configure(|settings| settings.ignores_order = true);
    let noon: DateTime<Utc> = "2026-01-02T12:00:00Z".parse().unwrap();
    for row in 0..25 {
        let updated = noon + TimeDelta::seconds((row * 7) % 25);
        let updated = updated.format("%Y-%m-%d %H:%M:%S").to_string();
        world.instance.create(
            "incident",
            &[("sys_created_on", &updated), ("sys_updated_on", &updated)],
        );
    }
    let ended = world.poll_once().await;
    ended.assert_said(0, &["warning: ", "it ignores the order"]);
    assert_eq!(world.receiver.acknowledged().len(), 25);
    assert_eq!(world.poll_well().await, []);
}
