//! Only acknowledged events move the checkpoint.

use tokio_util::sync::CancellationToken;

use super::world::{NEVER, World, at, rejected, unavailable};
use crate::{callback::Delivery, poll::End};

async fn world_with(records: i64) -> World {
    let world = World::started().await;
    for second in 1..=records {
        world.provider().touch_at(&format!("r{second}"), second);
    }
    world.pass(records.unsigned_abs()).await;
    world
}

#[tokio::test(start_paused = true)]
async fn notifications_carry_up_to_the_events_allowed() {
    let world = world_with(7).await;
    world.poll_well().await;
    let sizes: Vec<_> = world.receiver.posted().iter().map(Vec::len).collect();
    assert_eq!(sizes, [3, 3, 1]);
}

#[tokio::test(start_paused = true)]
async fn an_unavailable_callback_loses_nothing_and_repeats_nothing() {
    let world = world_with(7).await;
    let mut posts = 0;
    world.receiver.script(move |_| {
        posts += 1;
        (posts > 1).then(unavailable)
    });
    assert!(matches!(
        world.poll().await.end,
        End::CallbackUnavailable(_)
    ));
    assert_eq!(world.store.checkpoint().records.watermark, at(3));
    world.receiver.accept_all();
    let got: Vec<_> = world
        .poll_well()
        .await
        .into_iter()
        .map(|event| event.id)
        .collect();
    assert_eq!(got, ["r4", "r5", "r6", "r7"]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_event_is_found_and_blocks_what_is_behind_it() {
    let world = world_with(5).await;
    world
        .receiver
        .script(|got| got.iter().any(|event| event.id == "r2").then(rejected));
    let outcome = world.poll().await;
    assert!(matches!(outcome.end, End::Blocked { object_id, .. } if object_id == "r2"));
    let got: Vec<_> = world
        .receiver
        .acknowledged()
        .into_iter()
        .map(|event| event.id)
        .collect();
    assert_eq!(got, ["r1"]);
    assert_eq!(world.store.checkpoint().records.watermark, at(1));
}

#[tokio::test(start_paused = true)]
async fn a_newer_version_replaces_a_refused_one() {
    let world = world_with(2).await;
    world.receiver.script(|got| {
        got.iter()
            .any(|event| event.id == "r1" && event.version == 1)
            .then(rejected)
    });
    assert!(matches!(world.poll().await.end, End::Blocked { .. }));
    world.touch("r1");
    let mut got: Vec<_> = world
        .poll_well()
        .await
        .into_iter()
        .map(|event| (event.id, event.version))
        .collect();
    got.sort();
    assert_eq!(got, [("r1".to_owned(), 2), ("r2".to_owned(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_notification_refused_as_a_whole_goes_event_by_event() {
    let world = world_with(7).await;
    world.receiver.script(|got| (got.len() > 1).then(rejected));
    assert_eq!(world.poll_well().await.len(), 7);
}

#[tokio::test(start_paused = true)]
async fn several_notifications_refused_as_a_whole_all_go_event_by_event() {
    let mut world = world_with(9).await;
    world.plan.in_flight = 3;
    world.receiver.script(|got| (got.len() > 1).then(rejected));
    let mut got: Vec<_> = world
        .poll_well()
        .await
        .into_iter()
        .map(|event| event.id)
        .collect();
    got.sort();
    let all: Vec<_> = (1..=9).map(|second| format!("r{second}")).collect();
    assert_eq!(got, all);
}

#[tokio::test(start_paused = true)]
async fn with_several_in_flight_the_watermark_stops_before_a_gap() {
    let mut world = world_with(9).await;
    world.plan.max_events = 1;
    world.plan.in_flight = 4;
    world
        .receiver
        .script(|got| (got[0].id == "r2").then(unavailable));
    assert!(matches!(
        world.poll().await.end,
        End::CallbackUnavailable(_)
    ));
    assert_eq!(world.store.checkpoint().records.watermark, at(1));
    let first: Vec<_> = world
        .receiver
        .acknowledged()
        .into_iter()
        .map(|event| event.id)
        .collect();
    assert!(
        first.len() > 1 && !first.contains(&"r2".to_owned()),
        "{first:?}"
    );
    world.receiver.accept_all();
    let second: Vec<_> = world
        .poll_well()
        .await
        .into_iter()
        .map(|event| event.id)
        .collect();
    assert!(second.contains(&"r2".to_owned()));
    assert_eq!(
        first.len() + second.len(),
        9,
        "nothing settled behind the gap is repeated"
    );
}

#[tokio::test(start_paused = true)]
async fn two_events_of_one_record_are_never_in_flight_together() {
    let mut world = World::started().await;
    world.plan.max_events = 1;
    world.plan.in_flight = 4;
    world.provider().paging.anchored = false;
    let now = world.now();
    for row in 0..8 {
        let mut provider = world.provider();
        let record = provider.touch_at(&format!("r{row}"), now).clone();
        let twin = provider.touch_at(&format!("twin of r{row}"), now);
        twin.id = record.id;
        twin.version = 2;
    }
    let posted = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = posted.clone();
    world
        .receiver
        .turns
        .lock()
        .unwrap()
        .extend([9, 1, 1, 1, 1, 1, 1, 1]);
    world.receiver.script(move |got| {
        seen.lock()
            .unwrap()
            .push((got[0].id.clone(), got[0].version));
        Some(Delivery::Acknowledged)
    });
    world.poll_well().await;
    assert_eq!(posted.lock().unwrap().len(), 16);
    for row in 0..8 {
        let versions: Vec<_> = posted
            .lock()
            .unwrap()
            .iter()
            .filter(|(id, _)| *id == format!("r{row}"))
            .map(|(_, version)| *version)
            .collect();
        assert_eq!(versions, [1, 2], "r{row}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_keeps_what_was_acknowledged() {
    let world = world_with(7).await;
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    world.receiver.script(move |_| {
        stopping.cancel();
        None
    });
    assert_eq!(world.poll_until(&stop).await.end, End::Stopped);
    assert_eq!(world.store.checkpoint().records.watermark, at(3));
    world.receiver.accept_all();
    assert_eq!(world.poll_well().await.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_stop_hears_all_that_is_in_flight() {
    let mut world = world_with(7).await;
    (world.plan.max_events, world.plan.in_flight) = (1, 3);
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    world.receiver.turns.lock().unwrap().extend([1, 9, 9]);
    world.receiver.script(move |_| {
        stopping.cancel();
        None
    });
    assert_eq!(world.poll_until(&stop).await.end, End::Stopped);
    assert_eq!(world.receiver.acknowledged().len(), 3);
    world.receiver.accept_all();
    assert_eq!(world.poll_well().await.len(), 4, "none of the three again");
}

#[tokio::test(start_paused = true)]
async fn a_notification_without_an_answer_gives_way_to_a_stop() {
    let world = world_with(3).await;
    world.receiver.turns.lock().unwrap().push_back(NEVER);
    stops_within_ten_seconds(&world).await;
}

#[tokio::test(start_paused = true)]
async fn so_does_an_event_of_a_refused_notification_that_goes_by_itself() {
    let world = world_with(3).await;
    world.receiver.script(|got| (got.len() > 1).then(rejected));
    world.receiver.turns.lock().unwrap().extend([1, NEVER]);
    stops_within_ten_seconds(&world).await;
}

async fn stops_within_ten_seconds(world: &World) {
    let stop = CancellationToken::new();
    let polling = world.poll_until(&stop);
    tokio::pin!(polling);
    let begun = tokio::time::Instant::now();
    let ended = tokio::time::timeout(std::time::Duration::from_secs(60), &mut polling).await;
    assert!(ended.is_err(), "there is no answer to wait for");
    stop.cancel();
    assert_eq!(polling.await.end, End::Stopped);
    assert!(begun.elapsed().as_secs() < 70);
}
