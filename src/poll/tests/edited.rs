//! Checkpoints that somebody has edited: refused with what to do, and nothing is asked or sent.

use chrono::DateTime;
use rstest::rstest;

use super::world::{World, at};
use crate::{
    api::{Checkpoint, ReplayProgress, RunningReplay, StartFrom, Stream},
    poll::{End, Start},
};

/// A poller with a settled version, after a complete sweep.
async fn settled() -> World {
    let world = World::started().await;
    world.pass(100).await;
    world.touch("a");
    world.poll_well().await;
    world
}

/// A replay of the checkpoint that is under way.
fn replaying(checkpoint: &mut Checkpoint) -> &mut RunningReplay {
    let records = Stream {
        window: None,
        ..checkpoint.records.clone()
    };
    let running = RunningReplay {
        id: "again".to_owned(),
        from: at(0),
        until: at(50),
        records,
    };
    let replay = checkpoint.replay.insert(ReplayProgress::default());
    replay.running.insert(running)
}

#[rstest]
#[case::version(|c: &mut Checkpoint| c.version = 0, "version is 0")]
#[case::negative_version(|c: &mut Checkpoint| c.version = -1, "version is -1")]
#[case::uid(|c: &mut Checkpoint| c.uid.clear(), "belongs to the poller with uid")]
#[case::start(|c: &mut Checkpoint| c.started_at = at(1_000), "startedAt is later than its records.watermark")]
#[case::start_year(|c: &mut Checkpoint| c.started_at = DateTime::<chrono::Utc>::MIN_UTC, "startedAt is in the year")]
#[case::clock(|c: &mut Checkpoint| c.swept_at = Some(DateTime::<chrono::Utc>::MAX_UTC), "sweptAt is in the year")]
#[case::watermark_back(|c: &mut Checkpoint| c.records.watermark = at(-1), "later than its records.watermark")]
#[case::watermark_year(
    |c: &mut Checkpoint| c.records.watermark = DateTime::<chrono::Utc>::MAX_UTC,
    "records.watermark is in the year"
)]
#[case::settled_at_start(
    |c: &mut Checkpoint| c.records.settled_at_start = Some(at(101)),
    "records.settledAtStart is later than its records.watermark"
)]
#[case::window_since(
    |c: &mut Checkpoint| c.records.window_since = DateTime::<chrono::Utc>::MIN_UTC,
    "records.windowSince is in the year"
)]
#[case::key(|c: &mut Checkpoint| c.records.window.as_mut().unwrap().key = "AAAA".into(), "16 bytes")]
#[case::no_key(|c: &mut Checkpoint| c.records.window.as_mut().unwrap().key.clear(), "16 bytes")]
#[case::count(|c: &mut Checkpoint| c.records.window.as_mut().unwrap().count += 1, "count is another")]
#[case::negative_count(|c: &mut Checkpoint| c.records.window.as_mut().unwrap().count = -1, "count is another")]
#[case::no_entries(|c: &mut Checkpoint| c.records.window.as_mut().unwrap().entries.clear(), "count is another")]
#[case::no_base64(|c: &mut Checkpoint| c.records.window.as_mut().unwrap().entries = "§".into(), "no base64")]
#[case::deletes(
    |c: &mut Checkpoint| {
        let mut deletes = c.records.clone();
        deletes.settled_at_start = Some(at(101));
        c.deletes = Some(deletes);
    },
    "deletes.settledAtStart is later"
)]
#[case::replay(
    |c: &mut Checkpoint| replaying(c).records.watermark = DateTime::<chrono::Utc>::MIN_UTC,
    "replay.running.records.watermark is in the year"
)]
#[case::replay_from(
    |c: &mut Checkpoint| replaying(c).from = DateTime::<chrono::Utc>::MIN_UTC,
    "replay.running.from is in the year"
)]
#[case::replay_until(
    |c: &mut Checkpoint| replaying(c).until = DateTime::<chrono::Utc>::MAX_UTC,
    "replay.running.until is in the year"
)]
#[tokio::test(start_paused = true)]
async fn no_poll_goes_on_from_what_no_poll_has_written(
    #[case] edit: fn(&mut Checkpoint),
    #[case] said: &str,
) {
    let world = settled().await;
    world.store.edit(edit);
    let (stored, asked) = (world.store.checkpoint(), world.provider().requests.len());
    world.touch("b");
    let End::Unusable(reason) = world.poll().await.end else {
        panic!("it was believed");
    };
    assert!(reason.contains(said), "{reason}");
    assert!(reason.contains("startFrom"), "what to do: {reason}");
    assert_eq!(world.provider().requests.len(), asked);
    assert_eq!(world.store.checkpoint(), stored);
}

#[tokio::test(start_paused = true)]
async fn a_query_edited_before_a_start_in_the_future_leaves_a_checkpoint_to_go_on_from() {
    let mut world = World::new();
    start_at(&mut world, 1_000);
    world.poll_well().await;
    world.plan.query_fingerprint = "something else".to_owned();
    world.poll_well().await;
    world.poll_well().await;
    assert_eq!(world.store.checkpoint().started_at, at(1_000));
}

fn start_at(world: &mut World, second: i64) {
    world.plan.start = Start::At(at(second));
    world.plan.start_from = StartFrom::At(at(second));
}

/// A clock that stands far before the start looks like one that was set back.
#[tokio::test(start_paused = true)]
async fn a_start_in_the_future_is_waited_for_however_many_polls_come_before() {
    let mut world = World::new();
    start_at(&mut world, 1_000);
    for _ in 0..3 {
        world.touch("early");
        let outcome = world.poll().await;
        assert_eq!((outcome.end, outcome.progress.events()), (End::Complete, 0));
        assert_eq!(outcome.progress.notes, Vec::<String>::new());
        world.pass(60).await;
    }
    assert_eq!(world.store.checkpoint().started_at, at(1_000));
    world.pass(900).await;
    world.touch("late");
    assert_eq!(world.poll_well().await.len(), 1);
}
