//! Records that are deleted, and come back.

use super::world::{Got, World, at, provider_error, unavailable};
use crate::{
    category::Category,
    event::Kind,
    poll::{Child, End},
    provider::FetchError,
};
use chrono::TimeDelta;

fn kinds(got: &[Got]) -> Vec<(&str, Kind)> {
    got.iter()
        .map(|event| (event.id.as_str(), event.kind))
        .collect()
}

/// A poller that has delivered the records `ids`.
async fn delivered(ids: &[&str]) -> World {
    let world = World::started_with_deletions().await;
    for id in ids {
        world.touch(id);
    }
    assert_eq!(world.poll_well().await.len(), ids.len());
    world.pass(5).await;
    world
}

#[tokio::test(start_paused = true)]
async fn a_deletion_is_delivered_once() {
    let world = delivered(&["a", "b"]).await;
    world.delete_now("a");
    assert_eq!(kinds(&world.poll_well().await), [("a", Kind::Deleted)]);
    for _ in 0..5 {
        world.pass(20).await;
        assert_eq!(world.poll_well().await, []);
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_poll_asks_each_list_once_and_writes_nothing() {
    let world = delivered(&["a"]).await;
    world.delete_now("a");
    world.poll_well().await;
    let written = world.store.written();
    let asked = |world: &World| {
        let provider = world.provider();
        (
            provider.requests.len(),
            provider.deletions.requests.len(),
            provider.deletions.asked.len(),
        )
    };
    let before = asked(&world);
    world.pass(60).await;
    assert_eq!(world.poll_well().await, []);
    assert_eq!(asked(&world), (before.0 + 1, before.1 + 1, before.2));
    assert_eq!(world.store.written(), written);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_comes_back_is_created_under_another_event_id() {
    let world = delivered(&["a"]).await;
    let record = world.provider().records["a"].clone();
    let first = world.receiver.acknowledged();
    world.delete_now("a");
    world.poll_well().await;
    // With the dates and the version that it had.
    world.provider().records.insert("a".to_owned(), record);
    let back = world.poll_well().await;
    assert_eq!(kinds(&back), [("a", Kind::Created)]);
    assert_ne!(back[0].event, first[0].event);
    assert_eq!(world.poll_well().await, []);
    world.pass(1).await;
    world.touch("a");
    assert_eq!(kinds(&world.poll_well().await), [("a", Kind::Updated)]);
}

/// The records are quiet, so that theirs says nothing.
#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_back_behind_the_deletions_is_followed() {
    let world = delivered(&["a", "b"]).await;
    world.pass(7_200).await;
    world.delete_now("a");
    assert_eq!(kinds(&world.poll_well().await), [("a", Kind::Deleted)]);
    world.provider().skew = TimeDelta::hours(-1);
    assert_eq!(world.poll_well().await, []);
    world.pass(60).await;
    let by_provider = world.now() - 3_600;
    world.provider().delete_at("b", by_provider);
    world.pass(600).await;
    assert_eq!(kinds(&world.poll_well().await), [("b", Kind::Deleted)]);
    assert_eq!(world.poll_well().await, []);
}

/// Whatever the provider calls its row.
#[tokio::test(start_paused = true)]
async fn a_deletion_has_another_id_than_any_version_of_its_record() {
    let world = World::started_with_deletions().await;
    world.touch("a");
    let version = world.poll_well().await;
    let now = world.now();
    world.provider().delete_at("a", now).key = "1".to_owned();
    let deletion = world.poll_well().await;
    assert_eq!(kinds(&deletion), [("a", Kind::Deleted)]);
    assert_ne!(deletion[0].event, version[0].event);
}

#[tokio::test(start_paused = true)]
async fn a_record_may_go_and_come_back_again_and_again() {
    let world = delivered(&["a"]).await;
    let record = world.provider().records["a"].clone();
    let mut events = Vec::new();
    for _ in 0..3 {
        world.pass(2).await;
        world.delete_now("a");
        let gone = world.poll_well().await;
        assert_eq!(kinds(&gone), [("a", Kind::Deleted)]);
        let record = record.clone();
        world.provider().records.insert("a".to_owned(), record);
        let back = world.poll_well().await;
        assert_eq!(kinds(&back), [("a", Kind::Created)]);
        events.extend([gone[0].event.clone(), back[0].event.clone()]);
    }
    events.sort();
    events.dedup();
    assert_eq!(events.len(), 6, "each has an id of its own");
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_and_restored_before_the_poll_is_not_deleted() {
    let world = delivered(&["a"]).await;
    world.delete_now("a");
    world.pass(1).await;
    world.touch("a");
    assert!(
        !kinds(&world.poll_well().await).contains(&("a", Kind::Deleted)),
        "it exists"
    );
    let asked = world.provider().deletions.asked.len();
    world.pass(5).await;
    assert_eq!(world.poll_well().await, []);
    assert_eq!(world.provider().deletions.asked.len(), asked, "asked once");
}

/// The list is read before the records beside it, and these may be many.
#[tokio::test(start_paused = true)]
async fn what_is_restored_while_the_records_are_read_is_not_deleted() {
    let mut world = delivered(&["a"]).await;
    world.plan.max_events = 100;
    world.provider().paging.page_size = 2;
    let record = world.provider().records["a"].clone();
    let now = world.now();
    world.provider().delete_at("a", now + 10);
    for (second, id) in [(1, "b"), (2, "c"), (3, "d"), (12, "e")] {
        world.provider().touch_at(id, now + second);
    }
    world.pass(20).await;
    let second_page = world.provider().requests.len() + 2;
    world.provider().before.insert(
        second_page,
        Box::new(move |provider| drop(provider.records.insert("a".to_owned(), record))),
    );
    let got = world.poll_well().await;
    assert!(!kinds(&got).contains(&("a", Kind::Deleted)), "{got:?}");
    assert_eq!(got.len(), 4);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_twice_before_the_poll_is_gone_once() {
    let world = delivered(&["a"]).await;
    world.delete_now("a");
    world.pass(1).await;
    world.delete_now("a");
    let gone = world.poll_well().await;
    assert_eq!(kinds(&gone), [("a", Kind::Deleted)]);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_of_what_was_never_seen_is_delivered_but_for_those_before_the_start() {
    let mut world = World::new();
    world.listen_for_deletions();
    world.provider().delete_at("before", -20);
    world.poll_well().await;
    world.pass(5).await;
    world.delete_now("unseen");
    assert_eq!(kinds(&world.poll_well().await), [("unseen", Kind::Deleted)]);
}

#[tokio::test(start_paused = true)]
async fn a_poller_that_begins_to_ask_for_deletions_asks_from_then_on() {
    let mut world = World::started().await;
    world.touch("a");
    world.poll_well().await;
    world.pass(600).await;
    world.delete_now("a");
    world.pass(10).await;
    world.listen_for_deletions();
    assert_eq!(world.poll_well().await, [], "it was deleted before");
    world.pass(1).await;
    world.delete_now("b");
    assert_eq!(kinds(&world.poll_well().await), [("b", Kind::Deleted)]);
}

#[tokio::test(start_paused = true)]
async fn deletions_given_up_and_taken_up_again_leave_out_those_between() {
    let mut world = delivered(&["a"]).await;
    let deletions = world.plan.deletions.take();
    world.poll_well().await;
    assert_eq!(world.store.checkpoint().deletes, None);
    world.pass(5).await;
    world.delete_now("a");
    world.pass(60).await;
    world.plan.deletions = deletions;
    assert_eq!(world.poll_well().await, []);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn records_and_deletions_come_in_the_order_of_their_dates() {
    let mut world = delivered(&["a", "b", "c"]).await;
    world.plan.max_events = 100;
    world.provider().paging.page_size = 2;
    let now = world.now();
    for (second, id) in [(1, "a"), (3, "b"), (5, "c")] {
        world.provider().delete_at(id, now + second);
    }
    for (second, id) in [(2, "x"), (4, "y"), (6, "z")] {
        world.provider().touch_at(id, now + second);
    }
    world.pass(20).await;
    let got = world.poll_well().await;
    let ids: String = got.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids, "axbycz");
}

#[tokio::test(start_paused = true)]
async fn a_tie_of_deletions_over_many_pages_is_delivered_once() {
    let world = delivered(&[]).await;
    let now = world.now();
    for number in 0..95 {
        world.provider().delete_at(&format!("id{number:03}"), now);
    }
    assert_eq!(world.poll_well().await.len(), 95);
    world.pass(5).await;
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_late_row_inside_the_reach_is_delivered_once() {
    let world = delivered(&["a", "b"]).await;
    let now = world.now();
    world.provider().delete_at("a", now).visible_from = now + 20;
    world.pass(5).await;
    world.delete_now("b");
    assert_eq!(kinds(&world.poll_well().await), [("b", Kind::Deleted)]);
    world.pass(20).await;
    assert_eq!(kinds(&world.poll_well().await), [("a", Kind::Deleted)]);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn deletions_that_cannot_be_read_leave_the_records_alone_and_come_once_they_can() {
    let world = delivered(&["a"]).await;
    world.delete_now("a");
    world.touch("b");
    let denied = FetchError::new(Category::Permission, "403 for sys_audit_delete");
    world.provider().deletions.failing = Some(denied);
    let outcome = world.poll().await;
    assert_eq!(outcome.end, End::Complete);
    let why = outcome.progress.deletes_unavailable.unwrap();
    assert!(why.contains("403"), "{why}");
    assert_eq!(outcome.progress.created, 1);
    world.provider().deletions.failing = None;
    world.pass(60).await;
    let outcome = world.poll().await;
    assert_eq!(outcome.progress.deletes_unavailable, None);
    assert_eq!(outcome.progress.deleted, 1);
}

#[tokio::test(start_paused = true)]
async fn a_list_whose_rows_are_all_hidden_is_unavailable() {
    let world = delivered(&["a"]).await;
    let now = world.now();
    for number in 0..40 {
        world
            .provider()
            .delete_at(&format!("a{number}"), now + number)
            .hidden = true;
    }
    world.pass(60).await;
    world.touch("b");
    let outcome = world.poll().await;
    assert_eq!(outcome.end, End::Complete);
    assert!(outcome.progress.deletes_unavailable.is_some());
    assert_eq!(outcome.progress.created, 1);
    assert!(world.provider().deletions.requests.len() < 12);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_behind_many_hidden_ones_is_delivered() {
    let world = delivered(&["a"]).await;
    let now = world.now();
    for number in 0..200 {
        let id = format!("hidden{number}");
        world.provider().delete_at(&id, now + number).hidden = true;
    }
    world.provider().delete_at("a", now + 200);
    world.pass(260).await;
    let outcome = world.poll().await;
    assert_eq!(outcome.end, End::Complete);
    assert_eq!(outcome.progress.deletes_unavailable, None);
    assert_eq!(outcome.progress.deleted, 1);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_breaks_off_ends_the_poll_once_the_records_are_done() {
    let world = delivered(&["a", "b"]).await;
    world.provider().paging.page_size = 1;
    world.delete_now("a");
    world.pass(1).await;
    world.delete_now("b");
    world.touch("c");
    let from = world.provider().deletions.requests.len() + 2;
    world.provider().deletions.failing = Some(provider_error());
    world.provider().deletions.failing_from = from;
    let outcome = world.poll().await;
    assert_eq!(outcome.end, End::ProviderFailed(provider_error()));
    let got = world.receiver.acknowledged();
    let last: Vec<_> = kinds(&got[2..]);
    assert_eq!(last, [("a", Kind::Deleted), ("c", Kind::Created)]);
    world.provider().deletions.failing = None;
    world.pass(5).await;
    assert_eq!(kinds(&world.poll_well().await), [("b", Kind::Deleted)]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_deleted_while_the_provider_does_not_say_what_exists() {
    let world = delivered(&["a", "b"]).await;
    world.delete_now("a");
    world.pass(1).await;
    world.touch("c");
    world.pass(1).await;
    world.delete_now("b");
    world.provider().deletions.unanswered = Some(provider_error());
    let outcome = world.poll().await;
    assert_eq!(outcome.end, End::ProviderFailed(provider_error()));
    assert_eq!((outcome.progress.created, outcome.progress.deleted), (1, 0));
    world.provider().deletions.unanswered = None;
    world.pass(60).await;
    let got = world.poll_well().await;
    assert_eq!(kinds(&got), [("a", Kind::Deleted), ("b", Kind::Deleted)]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_deletion_is_delivered_under_the_same_id_later() {
    let world = delivered(&["a"]).await;
    world.delete_now("a");
    world.receiver.script(|_| Some(unavailable()));
    assert!(matches!(
        world.poll().await.end,
        End::CallbackUnavailable(_)
    ));
    world.receiver.accept_all();
    world.pass(100).await;
    let got = world.poll_well().await;
    let posted = world.receiver.posted();
    assert_eq!(kinds(&got), [("a", Kind::Deleted)]);
    assert_eq!(posted[posted.len() - 2][0].event, got[0].event);
}

#[tokio::test(start_paused = true)]
async fn rows_of_foreign_classes_and_of_a_childs_are_left_alone() {
    let mut world = World::started_with_deletions().await;
    let deletions = world.plan.deletions.as_mut().unwrap();
    deletions
        .classes
        .extend(["child".to_owned(), "kept".to_owned()]);
    world.plan.excluded_classes = ["excluded".to_owned()].into();
    world.plan.children = vec![Child {
        uid: "child-uid".to_owned(),
        class: "child".to_owned(),
        query_fingerprint: String::new(),
        started_at: Some(at(50)),
        reached: None,
    }];
    world.pass(100).await;
    for (second, id, class) in [
        (40, "early", Some("child")),
        (60, "theirs", Some("child")),
        (61, "foreign", Some("foreign")),
        (62, "excluded", Some("excluded")),
        (63, "unnamed", None),
        (64, "ours", Some("kept")),
    ] {
        world.provider().delete_at(id, second).class = class;
    }
    let outcome = world.poll().await;
    let got = world.receiver.acknowledged();
    assert_eq!(
        kinds(&got),
        [("early", Kind::Deleted), ("ours", Kind::Deleted)]
    );
    assert_eq!(outcome.progress.bad_records, 1);
    assert_eq!(outcome.progress.excluded, 3);
}

#[tokio::test(start_paused = true)]
async fn a_record_of_a_class_that_the_list_is_not_asked_for_is_told_of() {
    let world = delivered(&["a"]).await;
    assert_eq!(world.poll().await.progress.unlisted_class, None);
    let now = world.now();
    world.provider().touch_at("b", now).class = "leaf";
    let outcome = world.poll().await;
    assert_eq!(outcome.progress.created, 1);
    assert_eq!(outcome.progress.unlisted_class.as_deref(), Some("leaf"));
}

#[tokio::test(start_paused = true)]
async fn a_row_dated_in_the_future_moves_no_watermark_past_the_clock() {
    let world = delivered(&["a", "b"]).await;
    world.provider().delete_at("a", 1_000_000);
    assert_eq!(kinds(&world.poll_well().await), [("a", Kind::Deleted)]);
    world.pass(10).await;
    world.delete_now("b");
    assert_eq!(kinds(&world.poll_well().await), [("b", Kind::Deleted)]);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_list_in_no_order_loses_no_deletion() {
    let world = delivered(&[]).await;
    world.provider().deletions.ignores_order = true;
    let now = world.now();
    for number in (0..35).rev() {
        world
            .provider()
            .delete_at(&format!("id{number:02}"), now + number);
    }
    world.pass(60).await;
    let outcome = world.poll().await;
    assert_eq!(outcome.progress.deleted, 35);
    world.pass(5).await;
    assert_eq!(world.poll().await.progress.deleted, 0);
}

#[tokio::test(start_paused = true)]
async fn a_flagged_record_is_deleted_once_and_carries_its_row() {
    let world = World::started().await;
    world.touch("a");
    world.poll_well().await;
    world.pass(5).await;
    let now = world.now();
    world.provider().touch_at("a", now).flagged = true;
    let gone = world.poll_well().await;
    assert_eq!(kinds(&gone), [("a", Kind::Deleted)]);
    assert_eq!(gone[0].version, 2, "the row as it came");
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_record_whose_flag_goes_back_is_created() {
    let world = World::started().await;
    world.provider().touch_at("a", 0).flagged = true;
    assert_eq!(kinds(&world.poll_well().await), [("a", Kind::Deleted)]);
    world.pass(1).await;
    let now = world.now();
    world.provider().touch_at("a", now).flagged = false;
    assert_eq!(kinds(&world.poll_well().await), [("a", Kind::Created)]);
    assert_eq!(world.poll_well().await, []);
}
