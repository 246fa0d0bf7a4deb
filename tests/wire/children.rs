//! Pollers of one instance, one of whom polls a class of what the other polls.

use serde_json::json;
use simulator::receiver::Event;

use crate::harness::World;

/// The poller of all users, and that of those among them that are customers' contacts.
const PARENT: &str = "contacts";
const CHILD: &str = "customers";

/// The class that the child takes, as its records and events name it.
const CLASS: &str = "customer_contact";

fn add(world: &World, poller: &str, start: &str) {
    match poller {
        CHILD => world.poller(CHILD, json!({"resource": CLASS, "startFrom": start})),
        parent => world.poller(parent, json!({"startFrom": start})),
    }
}

/// A record that was created on this second of a day long past.
fn record(world: &World, table: &str, second: u32) -> String {
    let date = format!("2026-01-02 03:04:{second:02}");
    let dates = [("sys_created_on", date.as_str()), ("sys_updated_on", &date)];
    world.instance.create(table, &dates)
}

/// Which object under which type.
fn shown(events: &[Event]) -> Vec<(&str, &str)> {
    let mut told: Vec<_> = events
        .iter()
        .map(|event| (event.object_type.as_str(), event.object_id.as_str()))
        .collect();
    told.sort_unstable();
    told
}

/// Both pollers, each of which has delivered one record of its own.
async fn both() -> World {
    let world = World::new().await;
    add(&world, PARENT, "2026-01-01T00:00:00Z");
    add(&world, CHILD, "2026-01-01T00:00:00Z");
    let (colleague, customer) = (record(&world, "sys_user", 1), record(&world, CLASS, 2));
    let got = world.poll_well().await;
    assert_eq!(
        shown(&got),
        [(PARENT, colleague.as_str()), (CLASS, &customer)]
    );
    world
}

#[tokio::test]
async fn each_change_comes_from_one_poller_whichever_was_there_first() {
    for [first, second] in [[PARENT, CHILD], [CHILD, PARENT]] {
        let world = World::new().await;
        add(&world, first, "Now");
        assert_eq!(world.poll_well().await, []);
        let early = world.instance.create(CLASS, &[]);
        add(&world, second, "Now");
        world.poll_well().await;
        let late = world.instance.create(CLASS, &[]);
        world.poll_well().await;
        let got = world.receiver.acknowledged();
        let mut ids: Vec<_> = got.iter().map(|event| event.object_id.as_str()).collect();
        ids.sort_unstable();
        let mut expected = [early.as_str(), late.as_str()];
        expected.sort_unstable();
        assert_eq!(ids, expected, "{first} before {second}");
        assert_eq!(world.poll_well().await, []);
    }
}

#[tokio::test]
async fn what_a_suspended_child_had_not_delivered_comes_from_its_parent_once_it_is_deleted() {
    let world = both().await;
    world.manifests.set(CHILD, "/spec/suspend", json!(true));
    let left = record(&world, CLASS, 3);
    let colleague = record(&world, "sys_user", 59);
    let got = world.poll_well().await;
    assert_eq!(shown(&got), [(PARENT, colleague.as_str())]);
    world.manifests.remove(CHILD);
    let got = world.poll_well().await;
    assert_eq!(shown(&got), [(PARENT, left.as_str())]);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test]
async fn what_a_child_leaves_out_since_it_has_a_filter_comes_from_its_parent() {
    let world = both().await;
    let filtered = "/api/now/table/customer_contact?sysparm_query=active=true\
                    ^sys_updated_on>=${gmtDate:yyyy-MM-dd HH:mm:ss}";
    world.manifests.set(CHILD, "/spec/url", json!(filtered));
    world
        .manifests
        .set(CHILD, "/spec/subclasses", json!("Include"));
    let left = record(&world, CLASS, 3);
    let got = world.poll_well().await;
    assert_eq!(shown(&got), [(PARENT, left.as_str())]);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test]
async fn a_record_that_changes_its_class_goes_on_from_the_poller_of_that_class() {
    let world = both().await;
    let record = record(&world, "sys_user", 5);
    world.poll_well().await;
    world.instance.update(&record, &[("sys_class_name", CLASS)]);
    let got = world.poll_well().await;
    assert_eq!(shown(&got), [(CLASS, record.as_str())]);
    assert_eq!(world.poll_well().await, []);
}
