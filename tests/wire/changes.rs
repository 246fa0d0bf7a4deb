//! The main job: what changes at the provider arrives at the receiver, once.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use simulator::receiver::{Event, Signature};

use crate::harness::World;

fn shown(events: &[Event]) -> Vec<(&str, &str, &str)> {
    let mut shown: Vec<_> = events
        .iter()
        .map(|event| {
            let Event {
                object_type,
                object_id,
                kind,
                ..
            } = event;
            (object_type.as_str(), object_id.as_str(), kind.as_str())
        })
        .collect();
    shown.sort_unstable();
    shown
}

#[tokio::test]
async fn each_change_of_each_resource_arrives_once_and_signed() {
    let world = World::new().await;
    for resource in ["accounts", "contacts", "incident"] {
        world.poller(resource, json!({}));
    }
    let account = world.instance.create("core_company", &[("name", "Acme")]);
    let contact = world.instance.create("sys_user", &[("name", "Ann")]);
    let incident = world.instance.create("incident", &[("number", "INC1")]);
    assert_eq!(
        shown(&world.poll_well().await),
        [
            ("accounts", account.as_str(), "CREATED"),
            ("contacts", contact.as_str(), "CREATED"),
            ("incident", incident.as_str(), "CREATED"),
        ]
    );
    world.instance.update(&incident, &[("state", "2")]);
    let got = world.poll_well().await;
    assert_eq!(shown(&got), [("incident", incident.as_str(), "UPDATED")]);
    assert_eq!(got[0].record["state"], "2");
    assert_eq!(world.poll_well().await, []);
    for notification in world.receiver.notifications() {
        assert_eq!(notification.signature, Signature::Valid);
        assert_eq!(notification.standard_webhooks, Signature::Valid);
    }
}

#[tokio::test]
async fn while_it_runs_changes_arrive_as_they_are_made() {
    let world = World::with_incidents().await;
    let pollen = world.start();
    let incident = world.instance.create("incident", &[]);
    world.events(1).await;
    world.instance.update(&incident, &[("state", "2")]);
    let got = world.events(2).await;
    assert_eq!(
        shown(&got),
        [
            ("incident", incident.as_str(), "CREATED"),
            ("incident", incident.as_str(), "UPDATED"),
        ]
    );
    let ended = pollen.terminate().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test]
async fn a_poller_begins_with_what_changes_after_it_was_first_seen() {
    let world = World::new().await;
    world.poller("incident", json!({"startFrom": "Now"}));
    let minute_ago = world.instance.now() - TimeDelta::minutes(1);
    let old = minute_ago.format("%Y-%m-%d %H:%M:%S").to_string();
    let incident = world.instance.create(
        "incident",
        &[("sys_created_on", &old), ("sys_updated_on", &old)],
    );
    assert_eq!(world.poll_well().await, []);
    world.instance.update(&incident, &[]);
    assert_eq!(
        shown(&world.poll_well().await),
        [("incident", incident.as_str(), "UPDATED")]
    );
}

#[tokio::test]
async fn changes_arrive_in_order_of_their_dates() {
    let world = World::with_incidents().await;
    for row in 0..40 {
        let updated = format!("2026-01-02 03:04:{:02}", (row * 7) % 40);
        world.instance.create(
            "incident",
            &[("sys_created_on", &updated), ("sys_updated_on", &updated)],
        );
    }
    let dates: Vec<_> = world
        .poll_well()
        .await
        .into_iter()
        .map(|event| event.date)
        .collect();
    assert_eq!(dates.len(), 40);
    assert!(dates.is_sorted(), "{dates:?}");
    assert_eq!(dates[0], "2026-01-02T03:04:00Z");
}

#[tokio::test]
async fn a_second_update_within_the_same_second_is_a_change_of_its_own() {
    let world = World::with_incidents().await;
    let noon: DateTime<Utc> = "2026-01-02T12:00:00.1Z".parse().unwrap();
    world.instance.freeze_at(noon);
    let incident = world.instance.create("incident", &[]);
    assert_eq!(world.poll_well().await.len(), 1);
    for state in ["2", "3"] {
        world.instance.shift(TimeDelta::milliseconds(300));
        world.instance.update(&incident, &[("state", state)]);
        let got = world.poll_well().await;
        assert_eq!(got.len(), 1);
        assert_eq!(
            (&got[0].record["state"], got[0].date.as_str()),
            (&json!(state), "2026-01-02T12:00:00Z")
        );
    }
    assert_eq!(world.poll_well().await, []);
}

/// A row is dated when its transaction writes it, and seen when that commits.
#[tokio::test]
async fn what_is_committed_late_within_the_overlap_arrives_once() {
    let world = World::with_incidents().await;
    let noon: DateTime<Utc> = "2026-01-02T12:00:00Z".parse().unwrap();
    world.instance.freeze_at(noon);
    let late = world.instance.write_uncommitted("incident", &[]);
    let id = late.sys_id().to_owned();
    world.instance.shift(TimeDelta::seconds(20));
    world.instance.create("incident", &[]);
    assert_eq!(world.poll_well().await.len(), 1);
    late.commit();
    let got = world.poll_well().await;
    assert_eq!(shown(&got), [("incident", id.as_str(), "CREATED")]);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test]
async fn a_record_of_a_subclass_that_is_polled_too_arrives_from_there_alone() {
    let world = World::new().await;
    world.poller("contacts", json!({}));
    world.poller("customers", json!({"resource": "customer_contact"}));
    let customer = world.instance.create("customer_contact", &[]);
    let colleague = world.instance.create("sys_user", &[]);
    assert_eq!(
        shown(&world.poll_well().await),
        [
            ("contacts", colleague.as_str(), "CREATED"),
            ("customer_contact", customer.as_str(), "CREATED"),
        ]
    );
}
