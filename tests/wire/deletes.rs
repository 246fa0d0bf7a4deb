//! Records that are deleted, and come back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use simulator::receiver::{Answer, Event, Signature};

use crate::harness::{PATIENCE, World};

const LIST: &str = "sys_audit_delete";

fn kinds(events: &[Event]) -> Vec<(&str, &str)> {
    events
        .iter()
        .map(|event| (event.object_id.as_str(), event.kind.as_str()))
        .collect()
}

/// A poller that has delivered an incident, and its id.
async fn with_an_incident() -> (World, String) {
    let world = World::with_incidents().await;
    let id = world.instance.create("incident", &[("number", "INC1")]);
    assert_eq!(kinds(&world.poll_well().await), [(id.as_str(), "CREATED")]);
    (world, id)
}

fn withhold(world: &World, tables: &[&str]) {
    let tables: Vec<_> = tables.iter().map(|&table| table.to_owned()).collect();
    world
        .instance
        .configure(|settings| settings.withheld_tables = tables);
}

#[tokio::test]
async fn a_deletion_arrives_once_and_signed_and_carries_the_id_alone() {
    let (world, id) = with_an_incident().await;
    world.instance.delete(&id);
    let got = world.poll_well().await;
    assert_eq!(kinds(&got), [(id.as_str(), "DELETED")]);
    assert_eq!(got[0].object_type, "incident");
    assert_eq!(got[0].record, json!({ "sys_id": id }));
    let notification = world.receiver.notifications().pop().unwrap();
    assert_eq!(notification.signature, Signature::Valid);
    assert_eq!(notification.standard_webhooks, Signature::Valid);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test]
async fn a_record_that_comes_back_as_it_was_is_created_again() {
    let (world, id) = with_an_incident().await;
    let first = world.receiver.events()[0].event_id.clone();
    world.instance.delete(&id);
    world.poll_well().await;
    world.instance.restore(&id);
    let back = world.poll_well().await;
    assert_eq!(kinds(&back), [(id.as_str(), "CREATED")]);
    assert_ne!(back[0].event_id, first);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test]
async fn what_was_deleted_and_restored_before_the_poll_is_not_deleted() {
    let (world, id) = with_an_incident().await;
    world.instance.delete(&id);
    world.instance.restore(&id);
    assert_eq!(world.poll_well().await, []);
    world.instance.update(&id, &[("state", "2")]);
    assert_eq!(kinds(&world.poll_well().await), [(id.as_str(), "UPDATED")]);
}

#[tokio::test]
async fn a_restored_record_that_access_rules_hide_is_not_deleted() {
    let (world, id) = with_an_incident().await;
    let gone = world.instance.create("incident", &[]);
    world.poll_well().await;
    world.instance.delete(&gone);
    world.instance.delete(&id);
    world.instance.restore(&id);
    world.instance.hide(&id);
    assert_eq!(
        kinds(&world.poll_well().await),
        [(gone.as_str(), "DELETED")]
    );
}

#[tokio::test]
async fn a_deletion_of_what_was_never_seen_arrives() {
    let (world, _) = with_an_incident().await;
    let unseen = world.instance.create("incident", &[]);
    world.instance.delete(&unseen);
    assert_eq!(
        kinds(&world.poll_well().await),
        [(unseen.as_str(), "DELETED")]
    );
}

#[tokio::test]
async fn the_deletion_of_a_childs_record_is_the_childs() {
    let world = World::new().await;
    world.poller("task", json!({}));
    world.poller("incident", json!({}));
    let incident = world.instance.create("incident", &[]);
    let problem = world.instance.create("problem", &[]);
    assert_eq!(world.poll_well().await.len(), 2);
    world.instance.delete(&incident);
    world.instance.delete(&problem);
    let got = world.poll_well().await;
    let mut shown: Vec<_> = got
        .iter()
        .map(|event| (event.object_type.as_str(), event.object_id.as_str()))
        .collect();
    shown.sort_unstable();
    assert_eq!(
        shown,
        [("incident", incident.as_str()), ("task", problem.as_str())]
    );
}

#[tokio::test]
async fn without_the_right_to_deletions_records_go_on_and_deletions_come_with_the_right() {
    let (world, id) = with_an_incident().await;
    withhold(&world, &[LIST]);
    world.instance.delete(&id);
    let other = world.instance.create("incident", &[]);
    let ended = world.poll_once().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let told = format!("{ended:?}");
    assert!(told.contains("deletions are not found"), "{told}");
    assert!(told.contains(LIST), "{told}");
    let got = world.receiver.acknowledged();
    assert_eq!(kinds(&got[1..]), [(other.as_str(), "CREATED")]);
    withhold(&world, &[]);
    assert_eq!(kinds(&world.poll_well().await), [(id.as_str(), "DELETED")]);
}

#[tokio::test]
async fn a_poller_with_other_conditions_says_that_it_finds_no_deletions() {
    let world = World::new().await;
    let url = "/api/now/table/incident?sysparm_query=active=true";
    world.poller("incident", json!({ "url": url }));
    let ended = world.poll_once().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let told = format!("{ended:?}");
    assert!(told.contains("conditions beside the date"), "{told}");
    assert_eq!(world.asked(LIST), 0);
}

#[tokio::test]
async fn a_poller_that_ignores_deletions_asks_for_none_and_says_nothing() {
    let (world, id) = with_an_incident().await;
    let mode = json!({"mode": "Ignore"});
    world.manifests.set("incident", "/spec/deletes", mode);
    let before = world.asked(LIST);
    world.instance.delete(&id);
    assert_eq!(world.poll_well().await, []);
    assert_eq!(world.asked(LIST), before);
}

#[tokio::test]
async fn a_kill_in_mid_delivery_of_deletions_loses_none_and_repeats_under_the_same_id() {
    let world = World::with_incidents().await;
    world.set_callback("maxEventsPerNotification", json!(1));
    let ids: Vec<_> = (0..40)
        .map(|_| world.instance.create("incident", &[]))
        .collect();
    assert_eq!(world.poll_well().await.len(), 40);
    ids.iter().for_each(|id| world.instance.delete(id));
    for _ in 0..15 {
        world.receiver.answer_next(Answer::Status(200));
    }
    world.receiver.answer_next(Answer::Hang);
    let pollen = world.start();
    let heard = world.receiver.await_notifications(40 + 16, PATIENCE);
    heard.await.unwrap();
    pollen.kill().await;
    world.poll_well().await;
    let mut deletions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for event in world.receiver.events() {
        if event.kind == "DELETED" {
            let ids = deletions.entry(event.object_id).or_default();
            ids.insert(event.event_id);
        }
    }
    assert_eq!(deletions.len(), 40, "none is lost");
    assert!(deletions.values().all(|ids| ids.len() == 1));
    assert_eq!(world.poll_well().await, []);
}
