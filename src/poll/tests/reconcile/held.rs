//! Deletions that wait for a person.

use super::{BY_LIST, compared, deleted, id};

#[tokio::test(start_paused = true)]
async fn a_mass_of_deletions_is_held_until_a_person_confirms_it() {
    let mut world = compared(60).await;
    world.delete(0..20);
    assert_eq!(world.compare().await, []);
    let held = world.held().unwrap();
    assert_eq!(held.count, 20);
    let written = world.store.written();
    world.confirm("another run");
    assert_eq!(world.poll_well().await, []);
    assert_eq!(world.store.written(), written, "waiting writes nothing");
    world.confirm(&held.id);
    let got = world.poll_well().await;
    assert_eq!(deleted(&got).len(), 20);
    assert_eq!(world.held(), None);
    assert_eq!(world.compare().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_confirmation_releases_only_what_is_still_missing() {
    let mut world = compared(60).await;
    world.delete(0..20);
    world.compare().await;
    let held = world.held().unwrap();
    world.provider().touch_at(&id(3), -1_000);
    world.provider().touch_at(&id(4), -1_000);
    world.confirm(&held.id);
    let got = world.poll_well().await;
    assert_eq!(deleted(&got).len(), 18);
    assert!(!deleted(&got).contains(&id(3).as_str()));
    assert_eq!(world.compare().await, [], "what came back is known");
}

#[tokio::test(start_paused = true)]
async fn records_that_come_back_are_held_no_longer() {
    let world = compared(60).await;
    world.delete(0..20);
    world.compare().await;
    for number in 0..5 {
        world.provider().touch_at(&id(number), -1_000);
    }
    assert_eq!(world.poll_well().await, []);
    assert_eq!(world.held().unwrap().count, 15);
    for number in 5..20 {
        world.provider().touch_at(&id(number), -1_000);
    }
    assert_eq!(world.poll_well().await, []);
    assert_eq!(world.held(), None);
    assert_eq!(world.compare().await, []);
}

#[tokio::test(start_paused = true)]
async fn the_next_comparison_replaces_what_is_held() {
    let world = compared(60).await;
    world.delete(0..20);
    world.compare().await;
    let first = world.held().unwrap();
    world.delete(20..25);
    assert_eq!(world.compare().await, []);
    let second = world.held().unwrap();
    assert_ne!(first.id, second.id);
    assert_eq!(second.count, 25);
}

#[tokio::test(start_paused = true)]
async fn what_a_person_confirmed_is_proved_by_a_list_where_no_id_can_be_asked_for() {
    let mut world = compared(60).await;
    world.provider().listing = BY_LIST;
    world.delete(0..20);
    assert_eq!(world.compare().await, []);
    let held = world.held().unwrap();
    world.provider().touch_at(&id(3), -1_000);
    world.delete([30]);
    world.confirm(&held.id);
    assert_eq!(deleted(&world.poll_well().await).len(), 19);
    assert_eq!(deleted(&world.compare().await), [id(30)]);
}

#[tokio::test(start_paused = true)]
async fn what_was_held_waits_also_when_fewer_are_missing_than_would_be_held() {
    let mut world = compared(60).await;
    world.delete(0..12);
    world.compare().await;
    let held = world.held().unwrap();
    for number in 0..5 {
        world.provider().touch_at(&id(number), -1_000);
    }
    assert_eq!(world.compare().await, [], "nobody has confirmed the others");
    let left = world.held().unwrap();
    assert_eq!((left.count, &left.id), (7, &held.id));
    world.confirm(&held.id);
    assert_eq!(deleted(&world.poll_well().await).len(), 7);
}
