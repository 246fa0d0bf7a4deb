//! Checkpoints that are foreign, damaged, too new, or not to be written.

use std::time::Duration;

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use super::world::{World, at, provider_error};
use crate::{
    category::Category,
    poll::{End, StoreError},
    provider::FetchError,
};

async fn settled() -> World {
    let world = World::started().await;
    world.touch("a");
    world.poll_well().await;
    world
}

async fn refusal(world: &World) -> String {
    let before = world.provider().requests.len();
    match world.poll().await.end {
        End::Unusable(reason) => {
            assert_eq!(world.provider().requests.len(), before, "nothing is asked");
            reason
        }
        end => panic!("{end:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_of_a_newer_build_is_left_alone() {
    let world = settled().await;
    world.store.edit(|checkpoint| checkpoint.version = 99);
    assert!(refusal(&world).await.contains("upgrade Pollen"));
    assert_eq!(world.store.checkpoint().version, 99);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_window_is_refused_and_never_read_as_empty() {
    let world = settled().await;
    world.store.edit(|checkpoint| {
        checkpoint
            .records
            .window
            .as_mut()
            .unwrap()
            .entries
            .truncate(4);
    });
    assert!(refusal(&world).await.contains("startFrom"));
}

#[tokio::test(start_paused = true)]
async fn the_checkpoint_of_another_poller_is_refused() {
    let world = settled().await;
    world
        .store
        .edit(|checkpoint| checkpoint.uid = "another".to_owned());
    assert!(refusal(&world).await.contains("another"));
}

#[tokio::test(start_paused = true)]
async fn a_lost_claim_ends_the_poll_and_forgets_its_checkpoint() {
    let world = settled().await;
    world.pass(5).await;
    world.touch("b");
    let lost = StoreError::ClaimLost("resourceVersion 7".to_owned());
    world.store.failing.lock().unwrap().push(lost);
    let outcome = world.poll().await;
    assert!(matches!(
        outcome.end,
        End::StoreFailed(StoreError::ClaimLost(_))
    ));
    assert!(outcome.checkpoint.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_for_a_while_costs_no_repeat_in_this_process() {
    let world = settled().await;
    world.pass(5).await;
    world.touch("b");
    let away = StoreError::Unavailable("connection refused".to_owned());
    *world.store.failing.lock().unwrap() = vec![away; 2];
    let outcome = world.poll().await;
    assert!(matches!(
        outcome.end,
        End::StoreFailed(StoreError::Unavailable(_))
    ));
    let held = outcome.checkpoint.unwrap();
    assert_eq!(held.checkpoint.records.watermark, at(5));
    assert!(held.is_unwritten());
    let outcome = world.poll_from(held, &CancellationToken::new()).await;
    assert_eq!((outcome.end, outcome.progress.events()), (End::Complete, 0));
    assert!(!outcome.checkpoint.unwrap().is_unwritten());
    assert_eq!(world.store.checkpoint().records.watermark, at(5));
}

#[tokio::test(start_paused = true)]
async fn a_watermark_that_an_order_had_to_prove_is_taken_back_in_what_is_stored() {
    let world = World::started().await;
    for (id, second) in [("a", 10), ("b", 300), ("c", 200)] {
        world.provider().touch_at(id, second);
    }
    world.provider().paging.page_size = 2;
    world.provider().ignores_order = true;
    world.provider().ignores_filter = true;
    let unordered = world.provider().requests.len() + 3;
    world.provider().failing.insert(unordered, provider_error());
    world.pass(400).await;
    assert!(matches!(world.poll().await.end, End::ProviderFailed(_)));
    assert_eq!(world.receiver.acknowledged().len(), 2);
    assert_eq!(world.store.checkpoint().records.watermark, at(0));
}

#[tokio::test(start_paused = true)]
async fn an_edit_of_what_is_asked_reads_back_to_the_last_sweep_and_repeats_nothing() {
    let mut world = settled().await;
    world.plan.query_fingerprint = "something else".to_owned();
    world.pass(10).await;
    world.touch("b");
    let got = world.poll_well().await;
    assert_eq!(got.len(), 1);
    assert_eq!(world.store.checkpoint().query_fingerprint, "something else");
}

#[tokio::test(start_paused = true)]
async fn a_window_beyond_the_capacity_shrinks_by_whole_dates() {
    let mut world = World::started().await;
    world.store.capacity = Some(20);
    for second in 1..=20 {
        world
            .provider()
            .touch_at(&format!("r{second}"), second)
            .created = -1_000;
    }
    world.pass(20).await;
    world.poll_well().await;
    for second in 21..=29 {
        world
            .provider()
            .touch_at(&format!("r{second}"), second)
            .created = -1_000;
    }
    world.pass(9).await;
    let outcome = world.poll().await;
    assert_eq!(outcome.progress.events(), 9);
    assert!(outcome.progress.notes[0].contains("shorten spec.overlap"));
    let checkpoint = world.store.checkpoint();
    assert_eq!(checkpoint.records.window.unwrap().count, 20);
    assert_eq!(checkpoint.records.window_since, at(11));
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_tie_beyond_the_capacity_is_said_and_drops_nothing() {
    let mut world = World::started().await;
    world.store.capacity = Some(5);
    for row in 0..9 {
        world.provider().touch_at(&format!("r{row}"), 3);
    }
    world.pass(5).await;
    let outcome = world.poll().await;
    assert!(matches!(outcome.end, End::WindowTooLarge(reason) if reason.contains("more than 5")));
}

#[tokio::test(start_paused = true)]
async fn a_watermark_moved_without_events_is_written_every_ten_minutes() {
    let mut world = World::started().await;
    world.plan.excluded_classes.insert("child".to_owned());
    let written = world.store.written();
    let mut held = world.poll().await.checkpoint.unwrap();
    for _ in 0..40 {
        world.pass(60).await;
        let now = world.now();
        world.provider().touch_at("a", now).class = "child";
        let outcome = world.poll_from(held, &CancellationToken::new()).await;
        assert_eq!(outcome.end, End::Complete);
        held = outcome.checkpoint.unwrap();
    }
    let writes = world.store.written() - written;
    assert!((3..=5).contains(&writes), "{writes} writes in 40 minutes");
}

#[tokio::test(start_paused = true)]
async fn writes_within_a_poll_are_a_second_apart() {
    let mut world = World::started().await;
    world.plan.max_events = 1;
    for second in 0..10 {
        world.provider().touch_at(&format!("r{second}"), second);
    }
    world.pass(10).await;
    let written = world.store.written();
    world.poll_well().await;
    assert_eq!(
        world.store.written() - written,
        2,
        "after the first settlement, and at the end"
    );
}

#[tokio::test(start_paused = true)]
async fn a_widened_overlap_reads_back_no_further_than_the_stored_window() {
    let mut world = World::started().await;
    world.pass(100).await;
    world.touch("a");
    world.poll_well().await;
    world.pass(100).await;
    world.touch("b");
    world.pass(100).await;
    world.touch("c");
    // The second request fails, so that the checkpoint is stored in mid-sweep.
    world.provider().paging.page_size = 2;
    let next = world.provider().requests.len() + 2;
    world.provider().failing.insert(next, provider_error());
    assert!(matches!(world.poll().await.end, End::ProviderFailed(_)));
    world.provider().paging.page_size = 10;
    world.plan.reach = TimeDelta::seconds(1_000);
    assert_eq!(world.poll_well().await.len(), 1, "only c is new");
}

#[tokio::test(start_paused = true)]
async fn a_widened_overlap_repeats_nothing_that_has_left_the_window() {
    let mut world = World::started().await;
    for id in ["a", "b"] {
        world.pass(100).await;
        world.touch(id);
        assert_eq!(world.poll_well().await.len(), 1);
    }
    world.plan.reach = TimeDelta::seconds(1_000);
    assert_eq!(world.poll_well().await, []);
}

/// The watermark of a sweep that a later poll goes on with lies ahead of where it goes back to.
#[tokio::test(start_paused = true)]
async fn a_sweep_found_unordered_by_a_later_poll_is_read_from_where_the_first_began() {
    let world = World::started().await;
    world.provider().paging.page_size = 2;
    for (id, second) in [("a", 300), ("b", 301), ("c", 302)] {
        world.provider().touch_at(id, second);
    }
    let cut_off = world.provider().requests.len() + 2;
    world.provider().failing.insert(cut_off, provider_error());
    world.pass(400).await;
    assert!(matches!(world.poll().await.end, End::ProviderFailed(_)));
    assert_eq!(world.store.checkpoint().records.watermark, at(301));
    // What an ordered provider would have shown first.
    world.provider().touch_at("skipped", 100);
    world.provider().ignores_filter = true;
    world.provider().paging.page_size = 10;
    let got = world.poll_well().await;
    assert_eq!(
        got.iter().map(|got| got.id.as_str()).collect::<Vec<_>>(),
        ["c", "skipped"]
    );
}

#[tokio::test(start_paused = true)]
async fn rows_of_any_date_beyond_the_capacity_are_told_with_what_helps() {
    let mut world = World::started().await;
    world.store.capacity = Some(5);
    world.plan.drop_before_bound = false;
    for second in 1..=9 {
        world.provider().touch_at(&format!("r{second}"), second);
    }
    world.pass(10).await;
    let End::WindowTooLarge(reason) = world.poll().await.end else {
        panic!("they were taken");
    };
    assert!(reason.contains("filterByUpdatedDate: true"), "{reason}");
}

/// What the clock of the records says of the list is not true: it is asked before them, and may fail
/// where they are read.
#[tokio::test(start_paused = true)]
async fn the_list_of_deletions_has_the_clock_of_when_it_was_asked_itself() {
    let world = World::started_with_deletions().await;
    world.pass(10).await;
    world.delete_now("a");
    world.provider().page_takes = Duration::from_secs(3);
    assert_eq!(world.poll_well().await.len(), 1);
    let swept_at = |world: &World| world.store.checkpoint().deletes.unwrap().swept_at;
    // The answer was dated at 10, and may have been read as early as it was asked for, so much before.
    assert_eq!(swept_at(&world), Some(at(10 - 3)));
    let denied = FetchError::new(Category::Permission, "403");
    world.provider().deletions.failing = Some(denied);
    world.pass(100).await;
    world.touch("b");
    assert_eq!(world.poll_well().await.len(), 1);
    assert!(world.store.checkpoint().records.swept_at > Some(at(100)));
    assert_eq!(swept_at(&world), Some(at(10 - 3)));
}
