//! A backlog stays at the provider: what a poll holds is bounded, however much has changed.

use tokio_util::sync::CancellationToken;

use super::world::{Endless, World, at, unavailable};
use crate::poll::{self, CheckpointStore as _, Edges, End, Outcome, Start};

/// As many as a year of a busy table.
const CHANGED: i64 = 1_000_000;

/// A poller that begins before all of it.
fn world() -> World {
    let mut world = World::new();
    world.plan.start = Start::At(at(0));
    world
}

async fn poll(world: &World, provider: &Endless) -> Outcome {
    let (mut store, stop) = (world.store.clone(), CancellationToken::new());
    let checkpoint = match store.load().await.unwrap() {
        Some(stored) => stored,
        None => poll::start(&world.plan, provider, &mut store, &world.clock, &stop)
            .await
            .unwrap(),
    };
    let edges = Edges {
        source: provider,
        callback: &world.receiver,
        store: &mut store,
    };
    poll::poll(&world.plan, checkpoint.into(), edges, &world.clock, &stop).await
}

#[tokio::test(start_paused = true)]
async fn behind_a_dead_callback_each_probe_reads_one_page_of_a_million_changes_and_keeps_nothing() {
    let (world, provider) = (world(), Endless::of(CHANGED));
    world.receiver.script(|_| Some(unavailable()));
    for probe in 1..=100 {
        let outcome = poll(&world, &provider).await;
        assert!(
            matches!(outcome.end, End::CallbackUnavailable(_)),
            "{:?}",
            outcome.end
        );
        let read = provider.pages() - 1;
        assert_eq!(
            read, probe,
            "but for the first question of all, a page each"
        );
        assert_eq!(provider.held(), (0, 1));
    }
    assert_eq!(world.receiver.posted().len(), 100, "a notification each");
    let stored = serde_json::to_string(&world.store.checkpoint()).unwrap();
    assert!(stored.len() < 2_000, "{} bytes are stored", stored.len());
}

#[tokio::test(start_paused = true)]
async fn a_sweep_of_a_backlog_holds_one_page_at_a_time_while_the_callback_takes_it() {
    let (mut world, provider) = (world(), Endless::of(CHANGED));
    (world.plan.max_events, world.plan.in_flight) = (100, 4);
    let mut posts = 0;
    world.receiver.script(move |_| {
        posts += 1;
        (posts > 200).then(unavailable)
    });
    let outcome = poll(&world, &provider).await;
    assert!(
        matches!(outcome.end, End::CallbackUnavailable(_)),
        "{:?}",
        outcome.end
    );
    assert!(
        (19_500..=20_000).contains(&outcome.progress.events()),
        "{}",
        outcome.progress.events()
    );
    assert_eq!(provider.held().1, 1, "the sweep ran ahead of the callback");
}
