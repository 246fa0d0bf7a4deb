//! Windows too large for a checkpoint: their segments through crashes, faults and hands.

use std::{collections::BTreeSet, sync::atomic::Ordering};

use futures::FutureExt as _;
use tokio_util::sync::CancellationToken;

use super::world::World;
use crate::{
    api::{CHECKPOINT_VERSION, WHOLE_CHECKPOINT_VERSION},
    poll::{End, StoreError},
};

/// Changes whose versions are too many for a checkpoint.
const MANY: i64 = 500;

async fn started() -> World {
    let mut world = World::started().await;
    world.plan.max_events = 50;
    world.provider().paging.page_size = 100;
    world
}

fn change_many(world: &World, name: &str) {
    let now = world.now();
    for record in 0..MANY {
        world
            .provider()
            .touch_at(&format!("{name}{record}"), now)
            .created = -1_000;
    }
}

/// A poller that has segments.
async fn settled() -> World {
    let world = started().await;
    change_many(&world, "a");
    assert_eq!(world.poll_well().await.len(), MANY as usize);
    world
}

fn named(world: &World) -> BTreeSet<String> {
    let checkpoint = world.store.checkpoint();
    checkpoint.segments().map(str::to_owned).collect()
}

fn present(world: &World) -> BTreeSet<String> {
    world
        .store
        .segments
        .lock()
        .unwrap()
        .keys()
        .cloned()
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_large_window_stands_in_segments_and_a_restart_repeats_nothing() {
    let world = started().await;
    assert_eq!(world.store.checkpoint().version, WHOLE_CHECKPOINT_VERSION);
    change_many(&world, "a");
    world.poll_well().await;
    let checkpoint = world.store.checkpoint();
    assert_eq!(
        checkpoint.version, CHECKPOINT_VERSION,
        "an older release must leave it alone"
    );
    let window = checkpoint.records.window.unwrap();
    assert!(window.entries.len() <= 4_096);
    assert_eq!(window.count, MANY);
    assert_eq!(named(&world), present(&world));
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_segment_is_dropped_when_the_window_has_passed_it_and_then_the_format_goes_back() {
    let world = settled().await;
    let written = world.store.written();
    for id in ["b", "c"] {
        world.pass(31).await;
        world.touch(id);
        world.poll_well().await;
    }
    assert_eq!(present(&world), BTreeSet::new());
    let formats = world.store.formats.lock().unwrap().split_off(written);
    assert_eq!(
        formats[0], CHECKPOINT_VERSION,
        "there may be something left to remove"
    );
    assert_eq!(formats.last(), Some(&WHOLE_CHECKPOINT_VERSION));
}

#[tokio::test(start_paused = true)]
async fn polls_of_one_process_read_no_segment_again() {
    let world = settled().await;
    let mut held = world.poll().await.checkpoint.unwrap();
    let (read, written) = (
        world.store.segment_reads.load(Ordering::Relaxed),
        world.store.written(),
    );
    assert!(read > 0);
    for _ in 0..3 {
        world.pass(5).await;
        let outcome = world.poll_from(held, &CancellationToken::new()).await;
        assert_eq!(
            (&outcome.end, outcome.progress.events()),
            (&End::Complete, 0)
        );
        held = outcome.checkpoint.unwrap();
    }
    assert_eq!(world.store.segment_reads.load(Ordering::Relaxed), read);
    assert_eq!(world.store.written(), written);
}

#[tokio::test(start_paused = true)]
async fn a_missing_or_damaged_segment_is_refused_and_never_read_as_empty() {
    let world = settled().await;
    let requests = world.provider().requests.len();
    let name = named(&world).pop_first().unwrap();
    let whole = world.store.segments.lock().unwrap().remove(&name).unwrap();
    for damaged in [
        None,
        Some(whole.slice(..40)),
        Some([&whole[..], &[0]].concat().into()),
    ] {
        if let Some(content) = damaged {
            world
                .store
                .segments
                .lock()
                .unwrap()
                .insert(name.clone(), content);
        }
        match world.poll().await.end {
            End::Unusable(why) => {
                assert!(why.contains(&name) && why.contains("startFrom"), "{why}");
            }
            end => panic!("{end:?}"),
        }
    }
    assert_eq!(
        world.provider().requests.len(),
        requests,
        "nothing is asked"
    );
    world.store.segments.lock().unwrap().insert(name, whole);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_segment_that_cannot_be_read_now_is_read_later() {
    let world = settled().await;
    let away = StoreError::Unavailable("connection refused".to_owned());
    world.store.failing_reads.lock().unwrap().push(away.clone());
    assert_eq!(world.poll().await.end, End::StoreFailed(away));
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn segments_without_their_checkpoint_leave_the_old_one_readable_and_are_removed_later() {
    let mut world = settled().await;
    let before = named(&world);
    // All in one notification, so that the first write has too much for the checkpoint.
    world.plan.max_events = MANY as usize;
    world.provider().paging.page_size = MANY as u32;
    world.pass(5).await;
    change_many(&world, "b");
    let away = StoreError::Unavailable("connection refused".to_owned());
    *world.store.failing.lock().unwrap() = vec![away; 2];
    let outcome = world.poll().await;
    assert!(matches!(outcome.end, End::StoreFailed(_)));
    assert_eq!(named(&world), before);
    assert!(present(&world).is_superset(&before) && present(&world) != before);
    // Another process goes on from what is stored.
    world.poll_well().await;
    assert_eq!(named(&world), present(&world));
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn what_a_stopping_process_writes_includes_its_segments() {
    let world = started().await;
    change_many(&world, "a");
    let away = StoreError::Unavailable("connection refused".to_owned());
    *world.store.failing.lock().unwrap() = vec![away; 2];
    let held = world.poll().await.checkpoint.unwrap();
    let settled = world.receiver.acknowledged().len();
    assert!(held.is_unwritten() && settled > 0);
    held.save(&mut world.store.clone()).await.unwrap();
    assert_eq!(world.poll_well().await.len(), MANY as usize - settled);
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_await_point_loses_no_segment_and_no_change() {
    for turns in (1..).step_by(3) {
        let world = settled().await;
        world.pass(5).await;
        change_many(&world, "b");
        let mut poll = Box::pin(world.poll());
        let mut crashed = true;
        for _ in 0..turns {
            if (&mut poll).now_or_never().is_some() {
                crashed = false;
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(poll);
        assert!(
            named(&world).is_subset(&present(&world)),
            "after {turns} turns"
        );
        world.poll_well().await;
        let got = world.receiver.acknowledged();
        let ids: BTreeSet<_> = got.iter().map(|event| &event.id).collect();
        assert_eq!(ids.len(), 2 * MANY as usize, "after {turns} turns");
        world.pass(1).await;
        world.touch("last");
        world.poll_well().await;
        assert_eq!(named(&world), present(&world), "after {turns} turns");
        if !crashed {
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rows_of_any_date_that_come_again_are_kept_in_segments_too() {
    let mut world = started().await;
    world.plan.drop_before_bound = false;
    world.provider().ignores_filter = true;
    change_many(&world, "a");
    assert_eq!(world.poll_well().await.len(), MANY as usize);
    for _ in 0..3 {
        world.pass(100).await;
        world.touch("b");
        assert_eq!(world.poll_well().await.len(), 1);
    }
    let window = world.store.checkpoint().records.window.unwrap();
    assert!(window.count > MANY && !window.segments.is_empty());
}

/// An older release must not take what is left for the whole before a write has shown what is gone.
#[tokio::test(start_paused = true)]
async fn the_format_goes_back_only_behind_a_stored_checkpoint_without_segments() {
    let world = settled().await;
    world.pass(100).await;
    world.touch("b");
    let formats = world.store.formats.lock().unwrap().len();
    let away = StoreError::Unavailable("connection refused".to_owned());
    *world.store.failing.lock().unwrap() = vec![away; 3];
    let mut held = world.poll().await.checkpoint.unwrap();
    assert!(held.is_unwritten());
    for id in ["c", "d"] {
        world.store.failing.lock().unwrap().clear();
        world.pass(100).await;
        world.touch(id);
        let outcome = world.poll_from(held, &CancellationToken::new()).await;
        held = outcome.checkpoint.unwrap();
    }
    let formats = world.store.formats.lock().unwrap()[formats..].to_vec();
    let without = formats
        .iter()
        .skip_while(|format| **format == CHECKPOINT_VERSION);
    assert_eq!(formats.first(), Some(&CHECKPOINT_VERSION), "{formats:?}");
    assert!(without.count() > 0, "{formats:?}");
}
