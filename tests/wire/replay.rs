//! Replays, and edits after which one is the way to older records.

use serde_json::json;
use simulator::receiver::Event;

use crate::harness::World;

/// A poller of incidents from the second day on, which has delivered what there was.
async fn world() -> (World, Vec<Event>) {
    let world = World::new().await;
    world.set_callback("maxEventsPerNotification", json!(1));
    world.poller("incident", json!({"startFrom": "2026-01-02T00:00:00Z"}));
    for day in 1..=6 {
        let date = format!("2026-01-{day:02} 12:00:00");
        let number = format!("INC{day}");
        let fields = [
            ("sys_created_on", date.as_str()),
            ("sys_updated_on", &date),
            ("number", &number),
        ];
        world.instance.create("incident", &fields);
    }
    let delivered = world.poll_well().await;
    assert_eq!(
        numbers(&delivered),
        ["INC2", "INC3", "INC4", "INC5", "INC6"]
    );
    (world, delivered)
}

fn numbers(events: &[Event]) -> Vec<&str> {
    let numbers = events.iter().map(|event| event.record["number"].as_str());
    numbers.map(Option::unwrap).collect()
}

fn ids(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.event_id.as_str()).collect()
}

#[tokio::test]
async fn a_replay_delivers_a_stretch_of_time_once_more_and_once_alone() {
    let (world, delivered) = world().await;
    let replay =
        json!({"id": "again", "from": "2026-01-03T00:00:00Z", "to": "2026-01-05T00:00:00Z"});
    world.manifests.set("incident", "/spec/replay", replay);
    let ended = world.poll_once().await;
    let over = "incident  the replay \"again\" is over";
    assert_eq!(ended.output.matches(over).count(), 1, "{ended:?}");
    let got = world.receiver.acknowledged().split_off(delivered.len());
    assert_eq!(ids(&got), ids(&delivered[1..3]));
    let ended = world.poll_once().await;
    assert!(!ended.output.contains("replay"), "{ended:?}");
    assert_eq!(world.receiver.acknowledged().len(), delivered.len() + 2);
    world
        .manifests
        .set("incident", "/spec/replay/id", json!("older"));
    world.manifests.set(
        "incident",
        "/spec/replay/from",
        json!("2026-01-01T00:00:00Z"),
    );
    let got = world.poll_well().await;
    assert_eq!(numbers(&got), ["INC1", "INC2", "INC3", "INC4"]);
    world
        .manifests
        .set("incident", "/spec/replay/id", json!("again"));
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test]
async fn a_long_replay_goes_on_between_the_polls_of_a_running_process() {
    let (world, delivered) = world().await;
    world.manifests.set("incident", "/spec/pageSize", json!(2));
    let replay = json!({"id": "all", "from": "2026-01-01T00:00:00Z"});
    world.manifests.set("incident", "/spec/replay", replay);
    let pollen = world.start();
    world.events(delivered.len() + 6).await;
    let new = world.instance.create("incident", &[("number", "NEW")]);
    world.arrived(&new).await;
    pollen.terminate().await;
    assert_eq!(world.receiver.acknowledged().len(), delivered.len() + 7);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test]
async fn an_edit_of_where_it_starts_is_told_to_be_in_vain_and_moves_nothing() {
    let (world, _) = world().await;
    world
        .manifests
        .set("incident", "/spec/startFrom", json!("Beginning"));
    let ended = world.poll_once().await;
    ended.assert_said(
        0,
        &["spec.startFrom was edited and has no effect", "spec.replay"],
    );
    assert_eq!(world.receiver.acknowledged().len(), 5);
}

#[tokio::test]
async fn an_edit_of_the_query_is_told_with_where_it_reads_from_and_loses_nothing() {
    let (world, _) = world().await;
    let url = "/api/now/table/incident?sysparm_query=active=true\
               ^sys_updated_on>=${gmtDate:yyyy-MM-dd HH:mm:ss}";
    world.manifests.set("incident", "/spec/url", json!(url));
    // With conditions, deletions are unavailable, which every run would tell.
    let mode = json!({"mode": "Ignore"});
    world.manifests.set("incident", "/spec/deletes", mode);
    let date = "2026-01-06 12:00:01";
    let fields = [
        ("sys_created_on", date),
        ("sys_updated_on", date),
        ("number", "NEW"),
        ("active", "true"),
    ];
    world.instance.create("incident", &fields);
    let ended = world.poll_once().await;
    ended.assert_said(
        0,
        &[
            "what is asked was edited: records dated from 2026-01-06T11:59:",
            "spec.replay",
        ],
    );
    assert_eq!(numbers(&world.receiver.acknowledged()[5..]), ["NEW"]);
    let ended = world.poll_once().await;
    assert_eq!(ended.errors, "", "told once");
}
