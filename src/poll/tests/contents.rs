//! Versions by the digest of a record's content, and contents that vary from answer to answer.

use tokio_util::sync::CancellationToken;

use super::world::World;
use crate::poll::{End, StoreError};

#[tokio::test(start_paused = true)]
async fn content_that_varies_at_every_poll_is_left_out_of_the_comparison() {
    let mut world = World::started().await;
    world.plan.content = Some("digest of ignoreFields".to_owned());
    world.provider().varies = true;
    for row in 0..12 {
        world.touch(&format!("r{row:02}"));
    }
    assert_eq!(world.poll_well().await.len(), 12);
    let outcome = world.poll().await;
    assert_eq!(outcome.progress.events(), 12, "other content is a change");
    assert!(outcome.progress.notes[0].contains("spec.ignoreFields"));
    assert_eq!(world.poll_well().await, []);
    world.pass(1).await;
    world.touch("r03");
    assert_eq!(world.poll_well().await.len(), 1, "its date is another");

    world.plan.content = Some("digest of other ignoreFields".to_owned());
    assert_eq!(
        world.poll_well().await.len(),
        12,
        "the content counts again"
    );
}

#[tokio::test(start_paused = true)]
async fn content_that_varies_at_every_answer_lets_an_unordered_sweep_end_without_it() {
    let mut world = World::started().await;
    world.plan.content = Some("digest of ignoreFields".to_owned());
    world.provider().varies = true;
    world.provider().paging.anchored = false;
    for row in 0..12 {
        world.touch(&format!("r{row:02}"));
    }
    let outcome = world.poll().await;
    assert!(matches!(outcome.end, End::Unfinished(_)), "{outcome:?}");
    assert!(outcome.progress.notes[0].contains("spec.ignoreFields"));
    assert_eq!(world.poll_well().await, []);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_delivered_without_its_content_before_that_is_stored() {
    let mut world = World::started().await;
    world.plan.content = Some("digest of ignoreFields".to_owned());
    world.provider().varies = true;
    for row in 0..12 {
        world.touch(&format!("r{row:02}"));
    }
    world.poll_well().await;
    let away = || StoreError::Unavailable("connection refused".to_owned());
    let (failing, mut notifications) = (world.store.failing.clone(), 0);
    world.receiver.script(move |_| {
        notifications += 1;
        // The last write of the poll that finds that the contents vary.
        failing
            .lock()
            .unwrap()
            .extend((notifications == 4).then(away));
        None
    });
    let outcome = world.poll().await;
    assert_eq!(outcome.end, End::StoreFailed(away()));
    assert_eq!(world.receiver.acknowledged().len(), 24);

    world.pass(1).await;
    world.touch("r03");
    world.store.failing.lock().unwrap().extend([away(), away()]);
    let posted = world.receiver.posted().len();
    let running = CancellationToken::new();
    let outcome = world.poll_from(outcome.checkpoint.unwrap(), &running).await;
    assert_eq!(outcome.end, End::StoreFailed(away()));
    assert_eq!(world.receiver.posted().len(), posted);
    let outcome = world.poll_from(outcome.checkpoint.unwrap(), &running).await;
    assert_eq!((outcome.end, outcome.progress.events()), (End::Complete, 1));
    assert_eq!(world.poll_well().await, [], "which a restart knows");
}

#[tokio::test(start_paused = true)]
async fn content_of_a_few_records_that_changes_under_one_date_is_a_change() {
    let mut world = World::started().await;
    world.plan.content = Some("digest of ignoreFields".to_owned());
    world.provider().varies = true;
    for row in 0..9 {
        world.touch(&format!("r{row}"));
    }
    for _ in 0..3 {
        assert_eq!(world.poll_well().await.len(), 9, "too few to be sure");
    }
}
