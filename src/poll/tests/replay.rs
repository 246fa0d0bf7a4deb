//! Replays: a stretch of time once more, under the same ids, between the polls.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::world::{Got, World, at, provider_error, rejected};
use crate::{
    event::Kind,
    poll::{self, CheckpointStore as _, Edges, End, Held, Outcome, Progress, Replay, StoreError},
};

/// A poller that has settled ten records, dated ten seconds apart up to 100.
async fn settled() -> World {
    let world = World::started().await;
    for number in 1..=10 {
        let id = format!("r{number:02}");
        world.provider().touch_at(&id, number * 10);
    }
    world.pass(100).await;
    assert_eq!(world.poll_well().await.len(), 10);
    world
}

fn ask(world: &mut World, id: &str, from: i64, to: Option<i64>) {
    world.plan.replay = Some(Replay {
        id: id.to_owned(),
        from: at(from),
        to: to.map(at),
    });
}

/// One stretch, from what is stored.
async fn stretch(world: &World) -> Outcome {
    let mut store = world.store.clone();
    let held = Held::from(store.load().await.unwrap().unwrap());
    let edges = Edges {
        source: world,
        callback: &world.receiver,
        store: &mut store,
    };
    let stop = CancellationToken::new();
    let progress = Progress::default();
    poll::replay(&world.plan, held, progress, edges, &world.clock, &stop).await
}

fn is_done(world: &World) -> bool {
    !poll::is_replaying(&world.plan, &Held::from(world.store.checkpoint()))
}

/// Stretch after stretch, each of which must end well; what was acknowledged in them.
async fn replay(world: &World) -> Vec<Got> {
    let before = world.receiver.acknowledged().len();
    for _ in 0..100 {
        if is_done(world) {
            return world.receiver.acknowledged().split_off(before);
        }
        assert_eq!(stretch(world).await.end, End::Complete);
    }
    panic!("it does not end");
}

fn ids(got: &[Got]) -> Vec<&str> {
    got.iter().map(|got| got.id.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_stretch_of_time_is_delivered_once_more_under_the_same_ids() {
    let mut world = settled().await;
    let first = world.receiver.acknowledged();
    ask(&mut world, "again", 30, Some(50));
    let got = replay(&world).await;
    assert_eq!(got, first[2..5]);
    assert_eq!(world.store.checkpoint().records.watermark, at(100));
    assert_eq!(world.poll_well().await, []);
    assert_eq!(world.store.checkpoint().replay.unwrap().done, ["again"]);
    assert_eq!(replay(&world).await, [], "each id is run once");
}

#[tokio::test(start_paused = true)]
async fn its_end_is_stored_also_where_an_answer_takes_longer_than_a_write_may_wait() {
    let mut world = settled().await;
    ask(&mut world, "again", 100, None);
    world.receiver.turns.lock().unwrap().push_back(50);
    let passing = async {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        tokio::time::advance(Duration::from_secs(5)).await;
    };
    let (outcome, ()) = tokio::join!(stretch(&world), passing);
    assert_eq!(outcome.end, End::Complete);
    assert_eq!(world.store.checkpoint().replay.unwrap().done, ["again"]);
}

#[tokio::test(start_paused = true)]
async fn it_reads_no_further_than_what_was_settled_when_it_began() {
    for end in [None, Some(1_000)] {
        let mut world = settled().await;
        world.pass(50).await;
        world.touch("new");
        ask(&mut world, "again", 90, end);
        assert_eq!(ids(&replay(&world).await), ["r09", "r10"], "{end:?}");
        assert_eq!(ids(&world.poll_well().await), ["new"], "{end:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_it_delivers_inside_the_reach_is_not_repeated_by_the_next_poll() {
    let mut world = settled().await;
    // Visible too late for any poll, and dated inside the reach.
    world.provider().touch_at("late", 85).visible_from = 101;
    world.pass(1).await;
    ask(&mut world, "again", 80, None);
    assert_eq!(ids(&replay(&world).await), ["r08", "late", "r09", "r10"]);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_back_is_created_by_it_and_not_once_more_by_the_next_poll() {
    let mut world = settled().await;
    world.provider().touch_at("r10", 100).flagged = true;
    assert_eq!(world.poll_well().await[0].kind, Kind::Deleted);
    world.provider().records.get_mut("r10").unwrap().flagged = false;
    ask(&mut world, "again", 100, None);
    let got = replay(&world).await;
    assert_eq!((got.len(), got[0].kind), (1, Kind::Created));
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn it_reads_behind_the_start_of_the_poller() {
    let mut world = settled().await;
    world.provider().touch_at("old", -500);
    ask(&mut world, "older", -1_000, Some(0));
    assert_eq!(ids(&replay(&world).await), ["old"]);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn it_is_read_in_stretches_and_goes_on_in_another_process_without_a_repeat() {
    let mut world = settled().await;
    world.provider().paging.page_size = 2;
    for number in 0..60 {
        let id = format!("m{number:02}");
        world.provider().touch_at(&id, -1_000 + number);
    }
    ask(&mut world, "many", -2_000, None);
    let mut stretches = 0;
    let mut polls = Vec::new();
    let before = world.receiver.acknowledged().len();
    while !is_done(&world) {
        let requests = world.provider().requests.len();
        // A request that fails in every second stretch.
        if stretches % 2 == 1 {
            world
                .provider()
                .failing
                .insert(requests + 4, provider_error());
        }
        let end = stretch(&world).await.end;
        assert_eq!(end == End::Complete, stretches % 2 == 0, "{end:?}");
        assert!(world.provider().requests.len() - requests <= 10);
        world.provider().failing.clear();
        polls.extend(world.poll_well().await);
        stretches += 1;
    }
    assert!(stretches > 6, "{stretches}");
    assert_eq!(polls, []);
    let got = world.receiver.acknowledged().split_off(before);
    let mut unique = ids(&got);
    unique.dedup();
    assert_eq!((unique.len(), got.len()), (70, 70));
}

#[tokio::test(start_paused = true)]
async fn a_refused_event_stops_it_and_no_poll() {
    let mut world = settled().await;
    world
        .receiver
        .script(|got| got.iter().any(|got| got.id == "r05").then(rejected));
    ask(&mut world, "again", 40, None);
    assert!(matches!(stretch(&world).await.end, End::Blocked { .. }));
    world.pass(20).await;
    world.touch("new");
    assert_eq!(ids(&world.poll_well().await), ["new"]);
    world.receiver.accept_all();
    let got = replay(&world).await;
    assert_eq!(ids(&got), ["r05", "r06", "r07", "r08", "r09", "r10"]);
}

#[tokio::test(start_paused = true)]
async fn an_unordered_provider_is_replayed_in_one_stretch() {
    let mut world = settled().await;
    world.provider().paging.anchored = false;
    world.provider().paging.page_size = 3;
    ask(&mut world, "again", 20, Some(70));
    let mut got = replay(&world).await;
    got.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(ids(&got), ["r02", "r03", "r04", "r05", "r06", "r07"]);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn one_that_begins_in_the_future_waits() {
    let mut world = settled().await;
    ask(&mut world, "later", 200, None);
    assert!(is_done(&world), "nothing is to be read yet");
    world.pass(150).await;
    world.touch("new");
    world.poll_well().await;
    assert!(!is_done(&world));
    assert_eq!(ids(&replay(&world).await), ["new"]);
}

#[tokio::test(start_paused = true)]
async fn the_last_sixteen_ids_are_remembered() {
    let mut world = settled().await;
    for number in 0..20 {
        ask(&mut world, &format!("n{number}"), 100, None);
        replay(&world).await;
    }
    let done = world.store.checkpoint().replay.unwrap().done;
    assert_eq!((done.len(), done[0].as_str()), (16, "n4"));
}

/// A window without a version has no key yet, and a poll may make one in mid-replay.
#[tokio::test(start_paused = true)]
async fn a_replay_of_a_poller_that_has_delivered_nothing_yet_repeats_nothing() {
    let mut world = World::started().await;
    for number in 0..40 {
        world
            .provider()
            .touch_at(&format!("m{number:02}"), -1_000 + number);
    }
    world.provider().paging.page_size = 2;
    ask(&mut world, "older", -2_000, None);
    let before = world.receiver.acknowledged().len();
    stretch(&world).await;
    world.pass(1).await;
    world.touch("new");
    world.poll_well().await;
    while !is_done(&world) {
        stretch(&world).await;
    }
    let got = world.receiver.acknowledged().split_off(before);
    assert_eq!(got.len(), 41);
}

#[tokio::test(start_paused = true)]
async fn it_ends_behind_more_records_of_one_date_than_a_stretch_reads() {
    for by_key in [true, false] {
        let mut world = World::started().await;
        world.provider().paging.page_size = 2;
        world.provider().paging.by_key = by_key;
        for number in 0..40 {
            world.provider().touch_at(&format!("m{number:02}"), -1_000);
        }
        world.provider().touch_at("last", -500);
        ask(&mut world, "older", -2_000, Some(0));
        let mut stretches = 0;
        while !is_done(&world) && stretches < 10 {
            assert_eq!(stretch(&world).await.end, End::Complete);
            stretches += 1;
        }
        assert!(is_done(&world), "by key: {by_key}");
        assert_eq!(world.receiver.acknowledged().len(), 41);
    }
}

/// A stretch whose order turns out to be none, behind one that was cut off.
#[tokio::test(start_paused = true)]
async fn a_replay_that_a_later_stretch_finds_unordered_loses_nothing() {
    let mut world = settled().await;
    world.provider().paging.page_size = 2;
    ask(&mut world, "again", 0, Some(100));
    let cut_off = world.provider().requests.len() + 3;
    world.provider().failing.insert(cut_off, provider_error());
    assert!(matches!(stretch(&world).await.end, End::ProviderFailed(_)));
    world.provider().touch_at("late", 5);
    world.provider().ignores_filter = true;
    world.provider().paging.page_size = 100;
    let got = replay(&world).await;
    assert!(ids(&got).contains(&"late"), "{:?}", ids(&got));
}

/// Segments are stored before the checkpoint, and neither is where the disk is full.
#[tokio::test(start_paused = true)]
async fn a_stretch_that_is_not_stored_leaves_no_checkpoint_to_name_what_is_not_there() {
    let mut world = settled().await;
    world.plan.max_events = 500;
    world.provider().paging.page_size = 500;
    for number in 0..900 {
        let id = format!("m{number:03}");
        world.provider().touch_at(&id, -1_000);
    }
    ask(&mut world, "older", -2_000, Some(0));
    let full = StoreError::Unavailable("no space left".to_owned());
    *world.store.failing.lock().unwrap() = vec![full; 9];
    let cut_off = stretch(&world).await;
    assert!(matches!(cut_off.end, End::StoreFailed(_)));
    assert_eq!(world.receiver.acknowledged().len(), 510);
    world.store.failing.lock().unwrap().clear();
    world.store.segments.lock().unwrap().clear();
    let held = cut_off.checkpoint.unwrap();
    let polled = world.poll_from(held, &CancellationToken::new()).await;
    assert_eq!(polled.end, End::Complete);
    replay(&world).await;
    assert_eq!(world.receiver.acknowledged().len(), 910);
}
