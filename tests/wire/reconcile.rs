//! Deletions that nobody announces, found by comparing lists of ids.

use serde_json::json;
use simulator::{
    receiver::Event,
    servicenow::{Fault, Instance, Request},
};

use crate::harness::World;

/// A poller of incidents that compares every second, in pages of two, and has seen these records.
async fn comparing(records: usize) -> (World, Vec<String>) {
    let world = World::new().await;
    world.poller(
        "incident",
        json!({"pageSize": 2, "deletes": {"mode": "Reconcile", "reconcileInterval": "1s"}}),
    );
    let created = (0..records).map(|_| world.instance.create("incident", &[]));
    let mut ids: Vec<_> = created.collect();
    ids.sort_unstable();
    assert_eq!(world.poll_well().await.len(), records);
    (world, ids)
}

/// The conditions of a request for a page of a list of ids, without its order.
fn listed(request: &Request) -> Option<&str> {
    let fields = request.parameter("sysparm_fields")?;
    let query = request.parameter("sysparm_query")?;
    let conditions = query.strip_suffix("ORDERBYsys_id")?;
    (fields == "sys_id,sys_class_name" && !conditions.contains("IN")).then_some(conditions)
}

/// Waits until the list was read from its beginning so often from now on.
async fn compared(world: &World, times: usize) {
    let lists = |world: &World| {
        let asked = world.instance.table_requests();
        let begun = asked.iter().filter(|request| listed(request) == Some(""));
        begun.count()
    };
    let before = lists(world);
    world.until(|world| lists(world) >= before + times).await;
}

/// The ids of which a deletion arrived, in order.
fn deleted(events: &[Event]) -> Vec<&str> {
    let deletions = events.iter().filter(|event| event.kind == "DELETED");
    let mut deleted: Vec<_> = deletions.map(|event| event.object_id.as_str()).collect();
    deleted.sort_unstable();
    deleted
}

#[tokio::test]
async fn a_record_that_vanished_is_deleted_once() {
    let (world, ids) = comparing(5).await;
    let pollen = world.start();
    compared(&world, 1).await;
    world.instance.delete(&ids[1]);
    let got = world.events(6).await;
    assert_eq!(deleted(&got), [ids[1].as_str()]);
    assert_eq!(got[5].record["sys_id"], ids[1].as_str());
    compared(&world, 2).await;
    assert_eq!(pollen.terminate().await.code, Some(0));
    assert_eq!(world.receiver.acknowledged().len(), 6);
}

#[tokio::test]
async fn an_error_in_mid_list_concludes_nothing() {
    let (world, ids) = comparing(5).await;
    world.instance.delete(&ids[1]);
    world
        .instance
        .before_table_requests(|instance: &Instance, request: &Request| {
            if listed(request).is_some_and(|conditions| !conditions.is_empty()) {
                instance.fail_next(Fault::Status(500));
            }
        });
    let mut pollen = world.start();
    pollen.has_said("the list of ids is not complete").await;
    assert_eq!(pollen.terminate().await.code, Some(0));
    assert_eq!(deleted(&world.receiver.acknowledged()), [""; 0]);

    world.instance.before_table_requests(|_, _| {});
    let got = world.poll_well().await;
    assert_eq!(deleted(&got), [ids[1].as_str()]);
}

#[tokio::test]
async fn a_page_hidden_by_access_rules_concludes_nothing() {
    let (world, ids) = comparing(7).await;
    world.instance.delete(&ids[6]);
    ids[2..4].iter().for_each(|id| world.instance.hide(id));
    let mut pollen = world.start();
    pollen.has_said("hidden by access rules").await;
    assert_eq!(pollen.terminate().await.code, Some(0));
    assert_eq!(deleted(&world.receiver.acknowledged()), [""; 0]);

    ids[2..4].iter().for_each(|id| world.instance.show(id));
    let got = world.poll_well().await;
    assert_eq!(deleted(&got), [ids[6].as_str()]);
}

#[tokio::test]
async fn a_mass_of_deletions_waits_for_the_annotation_and_what_is_back_stays() {
    let (world, ids) = comparing(24).await;
    ids[..12].iter().for_each(|id| world.instance.delete(id));
    let mut pollen = world.start();
    pollen.has_said("12 records are gone at once").await;
    let ended = pollen.terminate().await;
    assert_eq!(deleted(&world.receiver.acknowledged()), [""; 0]);

    let said = ended.errors.rsplit("pollen.dev/confirm-deletes: ").next();
    let run = said.unwrap().split('"').nth(1).unwrap().to_owned();
    world.manifests.edit("incident", |manifest| {
        manifest["metadata"]["annotations"] = json!({"pollen.dev/confirm-deletes": run});
    });
    let long_ago = "2020-01-01 00:00:00";
    for id in &ids[..2] {
        world.instance.create(
            "incident",
            &[
                ("sys_id", id),
                ("sys_created_on", long_ago),
                ("sys_updated_on", long_ago),
            ],
        );
    }
    let got = world.poll_well().await;
    assert_eq!(deleted(&got), ids[2..12]);
}
