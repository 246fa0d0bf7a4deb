//! `pollen explain` says of one record what the polls made of it, or will.

use serde_json::{Value, json};

use crate::harness::{Ended, World};

/// What stands behind `name` in an answer.
fn told<'a>(ended: &'a Ended, name: &str) -> &'a str {
    let lines = ended.output.lines();
    let mut found = lines.filter_map(|line| Some(line.strip_prefix(name)?.trim()));
    found
        .next()
        .unwrap_or_else(|| panic!("no {name} in {ended:?}"))
}

async fn answer(world: &World, record: &str) -> Ended {
    let ended = world
        .explain(&["--poller", "incident", "--record", record])
        .await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended
}

/// The id of the event that a poll sends of `record`, as its trace has it.
async fn event_traced(world: &World, record: &str) -> String {
    let ended = world.run(&["--once", "--log", "pollen::poll=trace"]).await;
    let line = ended
        .errors
        .lines()
        .find(|line| line.contains(record) && line.contains("event="));
    let line = line.unwrap_or_else(|| panic!("{record} in {ended:?}"));
    let (_, event) = line.split_once("event=\"").unwrap();
    event.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn a_change_is_foretold_and_afterwards_known_under_the_same_event_id() {
    let world = World::with_incidents().await;
    world.poll_well().await;
    let incident = world.instance.create("incident", &[]);
    let before = answer(&world, &incident).await;
    assert!(
        told(&before, "answer").contains("the next poll delivers it as created"),
        "{before:?}"
    );
    let event = event_traced(&world, &incident).await;
    assert_eq!(told(&before, "event id"), event);
    let after = answer(&world, &incident).await;
    assert!(told(&after, "answer").starts_with("delivered"), "{after:?}");
    assert_eq!(told(&after, "event id"), event);
    assert!(
        told(&after, "delivered").starts_with("as created"),
        "{after:?}"
    );
    world.instance.update(&incident, &[("state", "2")]);
    let edited = answer(&world, &incident).await;
    assert!(
        told(&edited, "answer").contains("delivers it as updated"),
        "{edited:?}"
    );
    assert_ne!(told(&edited, "event id"), event);
}

#[tokio::test]
async fn asking_delivers_and_stores_nothing() {
    let world = World::with_incidents().await;
    world.poll_well().await;
    let incident = world.instance.create("incident", &[]);
    let file = world
        .manifests
        .state()
        .join("checkpoints/helpdesk/incident.json");
    let stored = std::fs::read(&file).unwrap();
    answer(&world, &incident).await;
    assert_eq!(std::fs::read(&file).unwrap(), stored);
    assert_eq!(world.receiver.notifications().len(), 0);
}

#[tokio::test]
async fn it_answers_while_the_pollers_run() {
    let world = World::with_incidents().await;
    let incident = world.instance.create("incident", &[]);
    let pollen = world.start();
    world.events(1).await;
    let ended = answer_once_stored(&world, &incident).await;
    assert!(told(&ended, "answer").starts_with("delivered"), "{ended:?}");
    pollen.terminate().await;
}

/// The checkpoint of the event may be a moment behind its acknowledgement.
async fn answer_once_stored(world: &World, incident: &str) -> Ended {
    for _ in 0..40 {
        let ended = answer(world, incident).await;
        if told(&ended, "answer").starts_with("delivered") {
            return ended;
        }
    }
    answer(world, incident).await
}

#[tokio::test]
async fn what_no_event_is_made_of_is_told_with_the_reason() {
    let world = World::new().await;
    world.poller(
        "incident",
        json!({"startFrom": "2999-01-01T00:00:00Z", "url": "/api/now/table/incident?sysparm_query=active=true^sys_updated_on>${gmtDate:yyyy-MM-dd HH:mm:ss}"}),
    );
    world.poll_well().await;
    let early = world.instance.create("incident", &[("active", "true")]);
    let closed = world.instance.create("incident", &[("active", "false")]);
    for (record, reason) in [
        (early.as_str(), "dated before the poller started"),
        (closed.as_str(), "the query of spec.url leaves it out"),
        ("no-such-record", "shows no such record"),
    ] {
        let ended = answer(&world, record).await;
        assert!(
            told(&ended, "answer").contains(reason),
            "{reason}: {ended:?}"
        );
    }
}

#[tokio::test]
async fn a_record_of_another_pollers_class_is_left_to_that_poller() {
    let world = World::new().await;
    for resource in ["accounts", "customers"] {
        world.poller(resource, json!({}));
    }
    world.poll_well().await;
    let customer = world
        .instance
        .create("customer_account", &[("name", "Acme")]);
    let ended = world
        .explain(&["--poller", "accounts", "--record", &customer])
        .await;
    let answer = told(&ended, "answer");
    assert!(
        answer.contains("class customer_account") && answer.contains("the poller customers"),
        "{ended:?}"
    );
}

#[tokio::test]
async fn a_stated_version_is_looked_for_without_asking_anybody() {
    let world = World::with_incidents().await;
    let incident = world.instance.create("incident", &[]);
    let got = world.poll_well().await;
    let asked = world.instance.table_requests().len();
    let updated = got[0].record["sys_updated_on"].as_str().unwrap();
    let updated = format!("{}Z", updated.replace(' ', "T"));
    let version = got[0].record["sys_mod_count"].as_str().unwrap();
    for (version, expected) in [(version, "delivered:"), ("99", "not delivered yet")] {
        let stated = ["--updated", &updated, "--version", version];
        let ended = world
            .explain(
                &[
                    &["--poller", "incident", "--record", &incident],
                    &stated[..],
                ]
                .concat(),
            )
            .await;
        assert!(told(&ended, "answer").starts_with(expected), "{ended:?}");
    }
    let long_ago = ["--updated", "2020-01-01T00:00:00Z", "--version", "0"];
    let ended = world
        .explain(
            &[
                &["--poller", "incident", "--record", &incident],
                &long_ago[..],
            ]
            .concat(),
        )
        .await;
    assert!(
        told(&ended, "answer").starts_with("out of sight"),
        "{ended:?}"
    );
    assert_eq!(world.instance.table_requests().len(), asked);
}

/// Makes of a poller's manifest what kubectl prints of it in a cluster, where it has polled what the
/// state folder says.
fn as_in_a_cluster(world: &World, edit: impl FnOnce(&mut Value)) {
    let file = world
        .manifests
        .state()
        .join("checkpoints/helpdesk/incident.json");
    let record: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    std::fs::remove_dir_all(world.manifests.state()).unwrap();
    world.manifests.edit("incident", |poller| {
        poller["metadata"]["uid"] = record["uid"].clone();
        poller["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
        poller["status"] = json!({
            "checkpoint": record["checkpoint"],
            "conditions": [{
                "type": "Ready", "status": "False", "reason": "CallbackRejected", "message": "the callback refused it",
            }],
        });
        edit(poller);
    });
}

#[tokio::test]
async fn the_status_that_kubectl_prints_does_as_well_as_a_state_folder() {
    let world = World::with_incidents().await;
    let incident = world.instance.create("incident", &[]);
    world.poll_well().await;
    as_in_a_cluster(&world, |_| {});
    let ended = answer(&world, &incident).await;
    assert!(told(&ended, "answer").starts_with("delivered"), "{ended:?}");
    assert!(
        ended
            .output
            .contains("Ready=False CallbackRejected: the callback refused it"),
        "{ended:?}"
    );
}

#[tokio::test]
async fn a_checkpoint_that_cannot_be_used_is_no_answer() {
    let world = World::with_incidents().await;
    let incident = world.instance.create("incident", &[]);
    world.poll_well().await;
    as_in_a_cluster(&world, |poller| {
        poller["status"]["checkpoint"]["records"]["window"]["count"] = json!(77);
    });
    let ended = world
        .explain(&["--poller", "incident", "--record", &incident])
        .await;
    ended.assert_said(1, &["its count is another"]);
}

#[tokio::test]
async fn the_refresh_token_of_a_running_operator_is_not_used() {
    let world = World::with_incidents().await;
    world.poll_well().await;
    as_in_a_cluster(&world, |_| {});
    let kind = "/spec/authentication/type";
    world
        .manifests
        .set("servicenow", kind, json!("AuthorizationCode"));
    world.manifests.set(
        "servicenow",
        "/spec/authentication/redirectUri",
        json!("https://mycoolapp.com/oauth"),
    );
    let before = world.instance.table_requests().len();
    let ended = world
        .explain(&["--poller", "incident", "--record", "x"])
        .await;
    ended.assert_said(2, &["belongs to the process that polls", "--updated"]);
    assert_eq!(world.instance.table_requests().len(), before);
}

#[tokio::test]
async fn a_poller_that_is_not_there_is_named_beside_those_that_are() {
    let world = World::with_incidents().await;
    let ended = world
        .explain(&["--poller", "incidents", "--record", "x"])
        .await;
    ended.assert_said(2, &["\"incidents\"", "helpdesk/incident"]);
}
