//! Pages that move while they are read, tie, or lose rows to access rules.

use std::collections::HashSet;

use serde_json::json;
use simulator::servicenow::Instance;

use crate::harness::World;

/// `rows` incidents, a second apart.
fn create_in_turn(instance: &Instance, rows: usize) -> Vec<String> {
    let create = |row: usize| {
        let updated = format!("2026-01-02 03:{:02}:{:02}", row / 60, row % 60);
        instance.create(
            "incident",
            &[("sys_created_on", &updated), ("sys_updated_on", &updated)],
        )
    };
    (0..rows).map(create).collect()
}

/// A poller in pages of ten that has started and found nothing.
async fn started() -> World {
    let world = World::new().await;
    world.poller("incident", json!({"pageSize": 10}));
    assert_eq!(world.poll_well().await, []);
    world
}

fn ids(events: &[simulator::receiver::Event]) -> Vec<String> {
    let mut ids: Vec<_> = events.iter().map(|event| event.object_id.clone()).collect();
    ids.sort_unstable();
    ids
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn rows_updated_between_two_pages_push_no_other_out_of_sight() {
    let world = started().await;
    let created = create_in_turn(&world.instance, 35);
    let touched = [created[2].clone(), created[13].clone(), created[30].clone()];
    let mut expected = created;
    expected.extend_from_slice(&touched[..1]);
    world.before_page(2, 10, move |instance| {
        for id in &touched {
            instance.update(id, &[]);
        }
    });
    assert_eq!(ids(&world.poll_well().await), sorted(expected));
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test]
async fn a_tie_over_ten_pages_is_read_in_ten_requests_and_delivered_once() {
    let world = World::new().await;
    world.poller("incident", json!({"pageSize": 500}));
    world.set_callback("maxEventsPerNotification", json!(100));
    assert_eq!(world.poll_well().await, []);
    let second = "2026-01-02 03:04:05";
    for _ in 0..5_000 {
        world.instance.create(
            "incident",
            &[("sys_created_on", second), ("sys_updated_on", second)],
        );
    }
    let before = world.pages(500);
    let got = world.poll_well().await;
    // One more shows that nothing is dated later.
    let pages = world.pages(500) - before;
    assert!(pages <= 11, "{pages} pages");
    let distinct: HashSet<_> = got.iter().map(|event| &event.object_id).collect();
    assert_eq!((got.len(), distinct.len()), (5_000, 5_000));
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test]
async fn pages_that_access_rules_thin_or_empty_end_nothing() {
    let world = started().await;
    let created = create_in_turn(&world.instance, 70);
    let hidden = |row: &usize| (3..8).contains(row) || (15..52).contains(row);
    for row in (0..70).filter(hidden) {
        world.instance.hide(&created[row]);
    }
    let visible = (0..70).filter(|row| !hidden(row));
    let expected = visible.map(|row| created[row].clone()).collect();
    assert_eq!(ids(&world.poll_well().await), sorted(expected));
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test]
async fn without_totals_and_links_every_page_is_read_all_the_same() {
    let world = started().await;
    world.instance.configure(|settings| {
        settings.sends_total = false;
        settings.sends_link = false;
    });
    let created = create_in_turn(&world.instance, 35);
    assert_eq!(ids(&world.poll_well().await), sorted(created));
    assert_eq!(world.poll_well().await, []);
}

/// The provider cuts pages that are asked for larger than it allows.
#[tokio::test]
async fn pages_cut_below_the_size_asked_for_end_nothing() {
    let world = started().await;
    world.instance.configure(|settings| settings.max_limit = 4);
    let created = create_in_turn(&world.instance, 35);
    assert_eq!(ids(&world.poll_well().await), sorted(created));
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test]
async fn an_idle_poll_asks_each_list_once_and_writes_nothing() {
    let world = started().await;
    create_in_turn(&world.instance, 9);
    assert_eq!(world.poll_well().await.len(), 9);
    let record = world
        .manifests
        .state()
        .join("checkpoints/helpdesk/incident.json");
    let stored = std::fs::read(&record).unwrap();
    let before = (world.pages(10), world.asked("sys_audit_delete"));
    assert_eq!(world.poll_well().await, []);
    assert_eq!(world.pages(10) - before.0, 1);
    assert_eq!(world.asked("sys_audit_delete") - before.1, 1);
    assert_eq!(std::fs::read(&record).unwrap(), stored);
}
