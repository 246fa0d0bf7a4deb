//! Ends in the middle of the work: nothing lost, repeats only under the same ids.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::future::join_all;
use serde_json::json;
use simulator::{
    receiver::{Answer, Event},
    servicenow::Instance,
};
use tokio::time::Instant;

use crate::harness::{PATIENCE, World};

/// A poller that sends event by event, and incidents that it has not read yet.
async fn world(incidents: usize) -> World {
    let world = World::with_incidents().await;
    world.set_callback("maxEventsPerNotification", json!(1));
    for row in 0..incidents {
        let updated = format!("2026-01-02 03:04:{row:02}");
        world.instance.create(
            "incident",
            &[("sys_created_on", &updated), ("sys_updated_on", &updated)],
        );
    }
    world
}

/// A record and its version.
type Version = (String, String);

fn version_of(event: &Event) -> Version {
    let version = event.record["sys_mod_count"].as_str().unwrap();
    (event.object_id.clone(), version.to_owned())
}

/// Every version that a listing showed was acknowledged, and each under one id alone.
fn assert_nothing_lost_and_repeats_alike(instance: &Instance, got: &[Event]) {
    let mut ids: BTreeMap<Version, BTreeSet<&str>> = BTreeMap::new();
    for event in got {
        ids.entry(version_of(event))
            .or_default()
            .insert(&event.event_id);
    }
    for version in instance.history() {
        let version = (version.sys_id, version.mod_count.to_string());
        let ids = ids.get(&version).map_or(0, BTreeSet::len);
        assert_eq!(ids, 1, "{version:?} arrived under so many ids");
    }
}

#[tokio::test]
async fn a_kill_in_mid_delivery_loses_nothing_and_repeats_under_the_same_id() {
    let world = world(40).await;
    for _ in 0..15 {
        world.receiver.answer_next(Answer::Status(200));
    }
    world.receiver.answer_next(Answer::Hang);
    let pollen = world.start();
    world
        .receiver
        .await_notifications(16, PATIENCE)
        .await
        .unwrap();
    pollen.kill().await;
    world.poll_well().await;
    let sent = world.receiver.events();
    assert_nothing_lost_and_repeats_alike(&world.instance, &sent);
    let versions: BTreeSet<_> = sent.iter().map(version_of).collect();
    // At most what was acknowledged since the last write, a second ago, and what was in flight.
    assert!(sent.len() - versions.len() <= 16, "{} sent", sent.len());
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test]
async fn a_signal_ends_the_process_within_seconds_and_keeps_what_was_acknowledged() {
    // A notification without an answer, and one that is repeated for a minute.
    let hindrances = [Answer::Hang, Answer::Status(503)];
    join_all(hindrances.map(is_ended_by_a_signal)).await;
}

async fn is_ended_by_a_signal(hindrance: Answer) {
    let world = world(40).await;
    for _ in 0..15 {
        world.receiver.answer_next(Answer::Status(200));
    }
    world.receiver.answer_always(hindrance);
    let pollen = world.start();
    world
        .receiver
        .await_notifications(16, PATIENCE)
        .await
        .unwrap();
    let begun = Instant::now();
    assert_eq!(pollen.terminate().await.code, Some(0));
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(world.receiver.acknowledged().len(), 15);
    world.receiver.answer_always(Answer::Status(200));
    assert_eq!(world.poll_well().await.len(), 25);
    assert_nothing_lost_and_repeats_alike(&world.instance, &world.receiver.events());
}

#[tokio::test]
async fn a_second_signal_ends_the_process_at_once_and_says_what_was_delivered() {
    let world = world(2).await;
    let mut pollen = world.start();
    world.events(2).await;
    world.receiver.answer_always(Answer::Hang);
    world.instance.create("incident", &[]);
    world
        .receiver
        .await_notifications(3, PATIENCE)
        .await
        .unwrap();
    pollen.signal().await;
    pollen.has_said("stopping").await;
    let begun = Instant::now();
    pollen.signal().await;
    let ended = pollen.ended().await;
    assert!(begun.elapsed() < Duration::from_secs(3));
    ended.assert_said(1, &["stopped: at once: 2 events were delivered"]);
}

/// Killed again and again while records change.
#[tokio::test]
async fn no_kill_while_records_change_loses_a_change() {
    let world = world(0).await;
    let mut records = Vec::new();
    for round in 0..4 {
        let pollen = world.start();
        for _ in 0..10 {
            records.push(world.instance.create("incident", &[]));
        }
        let touched = &records[round * 10];
        world.arrived(touched).await;
        world.instance.update(touched, &[("state", "2")]);
        pollen.kill().await;
    }
    world.poll_well().await;
    assert_nothing_lost_and_repeats_alike(&world.instance, &world.receiver.acknowledged());
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test]
async fn a_state_that_is_in_use_is_left_to_its_process() {
    let world = world(1).await;
    let pollen = world.start();
    world.events(1).await;
    let ended = world.poll_once().await;
    ended.assert_said(1, &["another pollen process", "--state"]);
    pollen.kill().await;
    assert_eq!(world.poll_once().await.code, Some(0));
}
