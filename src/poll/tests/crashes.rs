//! A crash at every await point: nothing lost, repeats only under old ids.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{Got, Provider, World};
use crate::{
    event::Kind,
    poll::{End, StoreError},
};
use futures::FutureExt as _;
use tokio_util::sync::CancellationToken;

/// Polls once, but gives up after `turns` turns of the runtime, as a crash would.
pub(super) async fn crash_after(world: &World, turns: usize) -> bool {
    let mut poll = Box::pin(world.poll());
    for _ in 0..turns {
        if (&mut poll).now_or_never().is_some() {
            return false;
        }
        tokio::task::yield_now().await;
    }
    true
}

fn lost(world: &World) -> BTreeSet<(String, u64)> {
    let got: BTreeSet<_> = world
        .receiver
        .acknowledged()
        .into_iter()
        .map(|event| (event.id, event.version))
        .collect();
    let held: BTreeSet<_> = world
        .provider()
        .records
        .values()
        .map(|record| (record.id.clone(), u64::from(record.version)))
        .collect();
    held.difference(&got).cloned().collect()
}

/// Each version has one event id, however often it came.
fn one_id_per_version(got: &[Got]) -> bool {
    let mut ids = BTreeMap::new();
    got.iter().all(|event| {
        ids.entry((&event.id, event.version))
            .or_insert(&event.event)
            == &&event.event
    })
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_await_point_loses_nothing() {
    for turns in 1..400 {
        let world = World::started().await;
        for second in 0..25 {
            world.provider().touch_at(&format!("r{second:02}"), second);
        }
        world.pass(30).await;
        let crashed = crash_after(&world, turns).await;
        assert_eq!(world.poll().await.end, End::Complete);
        assert_eq!(lost(&world), BTreeSet::new(), "crash after {turns} turns");
        assert!(one_id_per_version(&world.receiver.acknowledged()));
        if !crashed {
            return;
        }
    }
    panic!("the poll never ended");
}

/// The store is out of reach.
fn away() -> StoreError {
    StoreError::Unavailable("connection refused".to_owned())
}

/// The receiver takes what comes, and then the store is out of reach.
fn lose_what_the_next_answer_settles(world: &World) {
    let failing = world.store.failing.clone();
    world.receiver.script(move |_| {
        failing.lock().unwrap().extend([away(), away()]);
        None
    });
}

/// The next process sends what the last one sent, and nothing else, under its id.
async fn assert_repeated_alike(world: &World) {
    world.receiver.accept_all();
    world.store.failing.lock().unwrap().clear();
    let repeated = world.poll_well().await;
    assert_eq!(repeated.len(), 1);
    let got = world.receiver.acknowledged();
    assert_eq!(got[got.len() - 2].event, repeated[0].event);
}

/// It is named by the deletion, which a restart must know.
#[tokio::test(start_paused = true)]
async fn what_comes_back_is_named_alike_after_a_crash() {
    let world = World::started_with_deletions().await;
    world.touch("a");
    world.poll_well().await;
    world.delete_now("a");
    world.store.failing.lock().unwrap().extend([away(), away()]);
    let outcome = world.poll().await;
    assert_eq!(outcome.end, End::StoreFailed(away()));
    assert_eq!(outcome.progress.deleted, 1);

    world.pass(1).await;
    world.touch("a");
    lose_what_the_next_answer_settles(&world);
    let held = outcome.checkpoint.unwrap();
    let outcome = world.poll_from(held, &CancellationToken::new()).await;
    assert_eq!(outcome.progress.created, 1);
    assert_repeated_alike(&world).await;
}

/// That it is back is known by then, and a restart must know it too.
#[tokio::test(start_paused = true)]
async fn what_changes_right_after_it_came_back_is_named_alike_after_a_crash() {
    for turns in 1..400 {
        let world = World::started_with_deletions().await;
        world.touch("a");
        world.poll_well().await;
        world.delete_now("a");
        world.poll_well().await;
        world.pass(2).await;
        let now = world.now();
        let second_page = {
            let mut provider = world.provider();
            provider.paging.page_size = 1;
            provider.touch_at("a", now - 1).version = 7;
            provider.touch_at("b", now - 1);
            provider.requests.len() + 2
        };
        let update = move |provider: &mut Provider| {
            provider.touch_at("a", now);
        };
        world
            .provider()
            .before
            .insert(second_page, Box::new(update));
        let crashed = crash_after(&world, turns).await;
        assert_eq!(world.poll().await.end, End::Complete);
        assert!(
            one_id_per_version(&world.receiver.acknowledged()),
            "{turns}"
        );
        if !crashed {
            return;
        }
    }
    panic!("the poll never ended");
}

/// The watermark moved and is not written yet: what is stored still knows of the deletion.
#[tokio::test(start_paused = true)]
async fn what_is_back_from_a_deletion_before_the_reach_is_named_alike_after_a_crash() {
    let mut world = World::started().await;
    world.plan.excluded_classes.insert("child".to_owned());
    world.touch("a");
    world.provider().records.get_mut("a").unwrap().flagged = true;
    assert_eq!(world.poll_well().await[0].kind, Kind::Deleted);

    world.pass(60).await;
    let now = world.now();
    world.provider().touch_at("b", now).class = "child";
    let held = world.poll().await.checkpoint.unwrap();
    world.pass(1).await;
    let now = world.now();
    world.provider().touch_at("a", now).flagged = false;
    lose_what_the_next_answer_settles(&world);
    let outcome = world.poll_from(held, &CancellationToken::new()).await;
    assert_eq!(outcome.end, End::StoreFailed(away()));

    assert_repeated_alike(&world).await;
}
