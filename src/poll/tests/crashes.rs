//! A crash at every await point, and random histories: nothing lost, repeats only under old ids.

use std::collections::{BTreeMap, BTreeSet};

use futures::FutureExt as _;
use proptest::prelude::*;

use super::world::{Got, World, unavailable};
use crate::poll::{End, StoreError};

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

#[derive(Clone, Debug)]
enum Action {
    Touch(u8),
    Late(u8, u8),
    Pass(u8),
    Poll,
    Crash(u8),
    CallbackFails(u8),
    WriteFails,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        6 => (0..12_u8).prop_map(Action::Touch),
        1 => (0..12_u8, 1..25_u8).prop_map(|(id, by)| Action::Late(id, by)),
        3 => (0..20_u8).prop_map(Action::Pass),
        3 => Just(Action::Poll),
        2 => (1..60_u8).prop_map(Action::Crash),
        1 => (0..4_u8).prop_map(Action::CallbackFails),
        1 => Just(Action::WriteFails),
    ]
}

#[derive(Clone, Debug)]
struct Settings {
    page_size: u32,
    in_flight: usize,
    max_events: usize,
    anchored: bool,
    by_key: bool,
    ignores_order: bool,
}

fn settings() -> impl Strategy<Value = Settings> {
    (
        2..8_u32,
        1..4_usize,
        1..4_usize,
        any::<bool>(),
        any::<bool>(),
        prop::bool::weighted(0.2),
    )
        .prop_map(
            |(page_size, in_flight, max_events, anchored, by_key, ignores_order)| Settings {
                page_size,
                in_flight,
                max_events,
                // A connector that states an order and doesn't keep it is noticed only where a page
                // shows it; what no page shows is outside the promise.
                anchored: anchored && !ignores_order,
                by_key,
                ignores_order,
            },
        )
}

/// Plays a history; what was lost, the repeats without a crash, and whether ids held.
async fn play(settings: &Settings, history: &[Action]) -> Result<(), TestCaseError> {
    let mut world = World::new();
    world.plan.in_flight = settings.in_flight;
    world.plan.max_events = settings.max_events;
    {
        let mut provider = world.provider();
        provider.paging.page_size = settings.page_size;
        provider.paging.anchored = settings.anchored;
        provider.paging.by_key = settings.by_key;
        provider.ignores_order = settings.ignores_order;
    }
    world.poll().await;
    let mut crashed = false;
    for action in history {
        crashed |= act(&world, action).await;
    }
    world.receiver.accept_all();
    world.store.failing.lock().unwrap().clear();
    // Late rows become visible, and passes that gave up are repeated.
    for _ in 0..4 {
        world.pass(8).await;
        world.poll().await;
    }
    let got = world.receiver.acknowledged();
    prop_assert_eq!(lost(&world), BTreeSet::new());
    prop_assert!(one_id_per_version(&got));
    if !crashed {
        let distinct: BTreeSet<_> = got.iter().map(|event| &event.event).collect();
        prop_assert_eq!(distinct.len(), got.len(), "repeats without a crash");
    }
    let written = world.store.written();
    world.poll().await;
    prop_assert_eq!(
        world.receiver.acknowledged().len(),
        got.len(),
        "an idle poll sends"
    );
    prop_assert_eq!(world.store.written(), written, "an idle poll writes");
    Ok(())
}

/// Plays one action; whether something happened after which repeats are allowed.
async fn act(world: &World, action: &Action) -> bool {
    match *action {
        Action::Touch(id) => world.touch(&format!("r{id}")),
        Action::Late(id, by) => {
            let now = world.now();
            world
                .provider()
                .touch_at(&format!("late{id}"), now)
                .visible_from = now + i64::from(by);
        }
        Action::Pass(seconds) => world.pass(u64::from(seconds)).await,
        Action::Poll => drop(world.poll().await),
        Action::Crash(turns) => return crash_after(world, usize::from(turns)).await,
        Action::CallbackFails(after) => {
            let mut left = after;
            world.receiver.script(move |_| {
                let fails = left == 0;
                left = left.checked_sub(1).unwrap_or(3);
                fails.then(unavailable)
            });
        }
        Action::WriteFails => {
            let error = StoreError::Unavailable("connection refused".to_owned());
            world.store.failing.lock().unwrap().push(error);
            return true;
        }
    }
    false
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_history_of_crashes_and_faults_loses_or_invents_a_change(
        settings in settings(),
        history in proptest::collection::vec(action(), 1..50),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(play(&settings, &history))?;
    }
}
