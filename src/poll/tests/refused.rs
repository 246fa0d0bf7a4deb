//! Events that the callback refuses: found, and blocked at, dead-lettered or skipped.

use rstest::rstest;

use super::world::{World, at, rejected, unavailable};
use crate::{
    api::OnRejected,
    callback::{Delivery, Refused, Rejection},
    poll::{End, How},
};

/// A poller with one record of each second, and a callback that refuses those named.
async fn refusing(records: i64, refused: &'static [&'static str], policy: OnRejected) -> World {
    let mut world = World::started().await;
    world.plan.on_rejected = policy;
    for second in 1..=records {
        world.provider().touch_at(&format!("r{second}"), second);
    }
    world.pass(records.unsigned_abs()).await;
    world.receiver.script(|got| {
        let is_refused = got.iter().any(|event| refused.contains(&&*event.id));
        is_refused.then(rejected)
    });
    world
}

fn ids(world: &World) -> Vec<String> {
    let acknowledged = world.receiver.acknowledged().into_iter();
    acknowledged.map(|event| event.id).collect()
}

fn sizes(world: &World) -> Vec<usize> {
    world.receiver.posted().iter().map(Vec::len).collect()
}

fn refused(of: Refused) -> Delivery {
    Delivery::Rejected(Rejection {
        of,
        ..Rejection::default()
    })
}

#[rstest]
#[case::skipped(OnRejected::Skip, How::Skipped, &[])]
#[case::dead_lettered(OnRejected::DeadLetter, How::DeadLettered, &["r2", "r5"])]
#[tokio::test(start_paused = true)]
async fn what_is_set_aside_is_settled_and_told_and_holds_nothing_back(
    #[case] policy: OnRejected,
    #[case] how: How,
    #[case] letters: &[&str],
) {
    let world = refusing(7, &["r2", "r5"], policy).await;
    let outcome = world.poll().await;
    assert_eq!(outcome.end, End::Complete);
    assert_eq!(ids(&world), ["r1", "r3", "r4", "r6", "r7"]);
    assert_eq!(world.receiver.letters(), letters);
    assert_eq!(world.store.checkpoint().records.watermark, at(7));
    let told = outcome.progress.set_aside.iter();
    let told: Vec<_> = told.map(|event| (&*event.object_id, event.how)).collect();
    assert_eq!(told, [("r2", how), ("r5", how)]);
    assert_eq!(
        (outcome.progress.events(), outcome.progress.settled()),
        (5, 7)
    );
    assert_eq!(
        world.poll_well().await,
        [],
        "inside the overlap all is settled"
    );
    assert_eq!(world.receiver.letters(), letters);
}

#[tokio::test(start_paused = true)]
async fn of_many_events_set_aside_the_first_are_named_and_all_are_counted() {
    let mut world = refusing(30, &[], OnRejected::Skip).await;
    world.plan.max_events = 10;
    world.receiver.script(|_| Some(rejected()));
    let progress = world.poll().await.progress;
    assert_eq!((progress.skipped, progress.set_aside.len()), (30, 20));
    assert_eq!(progress.unnamed(), 10);
}

#[rstest]
#[case::down(unavailable())]
#[case::refused(rejected())]
#[case::gone(Delivery::Gone)]
#[tokio::test(start_paused = true)]
async fn while_dead_letters_are_not_taken_the_poller_waits_as_if_blocked(#[case] answer: Delivery) {
    let world = refusing(3, &["r2"], OnRejected::DeadLetter).await;
    world
        .receiver
        .letter_answers
        .lock()
        .unwrap()
        .push_back(answer);
    let outcome = world.poll().await;
    let End::Blocked {
        object_id,
        dead_letter,
        ..
    } = outcome.end
    else {
        panic!("{:?}", outcome.end)
    };
    assert!(object_id == "r2" && dead_letter.is_some());
    assert_eq!(ids(&world), ["r1"]);
    assert_eq!(world.store.checkpoint().records.watermark, at(1));
    assert_eq!(world.poll().await.end, End::Complete);
    assert_eq!(world.receiver.letters(), ["r2"]);
    assert_eq!(ids(&world), ["r1", "r3"]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_whose_settlement_was_not_stored_is_posted_again_under_the_same_id() {
    let world = refusing(3, &["r2"], OnRejected::DeadLetter).await;
    let before = world.store.checkpoint();
    assert_eq!(world.poll().await.end, End::Complete);
    world.store.edit(|checkpoint| *checkpoint = before);
    assert_eq!(world.poll().await.end, End::Complete);
    assert_eq!(world.receiver.letters(), ["r2", "r2"]);
    let posted = world.receiver.posted();
    let refused = posted.iter().flatten().filter(|got| got.id == "r2");
    let events: std::collections::BTreeSet<_> = refused.map(|got| &got.event).collect();
    assert_eq!(events.len(), 1);
}

#[rstest]
#[case(OnRejected::Skip)]
#[case(OnRejected::DeadLetter)]
#[tokio::test(start_paused = true)]
async fn where_no_event_is_at_fault_none_is_set_aside_and_none_is_looked_for(
    #[case] policy: OnRejected,
) {
    let world = refusing(6, &[], policy).await;
    world
        .receiver
        .script(|_| Some(refused(Refused::Everything)));
    let outcome = world.poll().await;
    assert!(matches!(
        outcome.end,
        End::Blocked {
            dead_letter: None,
            ..
        }
    ));
    assert_eq!(sizes(&world), [3], "one is enough to know");
    assert!(outcome.progress.set_aside.is_empty() && world.receiver.letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn among_a_thousand_events_a_refused_one_is_found_by_halves_and_order_is_kept() {
    let mut world = refusing(0, &[], OnRejected::Skip).await;
    world.plan.max_events = 1_000;
    world.provider().paging.page_size = 2_000;
    for second in 1..=1_000 {
        world.provider().touch_at(&format!("r{second}"), second);
    }
    world.pass(1_000).await;
    world
        .receiver
        .script(|got| got.iter().any(|event| event.id == "r387").then(rejected));
    assert_eq!(world.poll().await.progress.skipped, 1);
    assert!(sizes(&world).len() <= 21, "{:?}", sizes(&world));
    let expected = (1..=1_000).filter(|second| *second != 387);
    let expected: Vec<_> = expected.map(|second| format!("r{second}")).collect();
    assert_eq!(ids(&world), expected);
}

#[tokio::test(start_paused = true)]
async fn a_notification_over_the_receivers_limit_goes_in_halves_and_so_does_the_rest_of_the_page() {
    let mut world = refusing(20, &[], OnRejected::Block).await;
    world.plan.max_events = 8;
    world.provider().paging.page_size = 20;
    world
        .receiver
        .script(|got| (got.len() > 3).then(|| refused(Refused::Size)));
    assert_eq!(world.poll_well().await.len(), 20);
    assert_eq!(sizes(&world), [8, 4, 2, 2, 4, 2, 2, 2, 2, 2, 2, 2, 2]);
    let expected: Vec<_> = (1..=20).map(|second| format!("r{second}")).collect();
    assert_eq!(ids(&world), expected);
}

#[tokio::test(start_paused = true)]
async fn a_single_event_over_the_receivers_limit_is_rejected() {
    let world = refusing(4, &[], OnRejected::Skip).await;
    world.receiver.script(|got| {
        let has_large = got.iter().any(|event| event.id == "r2");
        has_large.then(|| refused(Refused::Size))
    });
    assert_eq!(world.poll().await.progress.skipped, 1);
    assert_eq!(ids(&world), ["r1", "r3", "r4"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_acknowledged_as_the_last_is_settled_and_nothing_follows() {
    let world = refusing(6, &[], OnRejected::Block).await;
    world.receiver.script(|_| Some(Delivery::AcknowledgedLast));
    assert_eq!(world.poll().await.end, End::CallbackGone);
    assert_eq!(world.store.checkpoint().records.watermark, at(3));
    assert_eq!(sizes(&world), [3]);
}

#[tokio::test(start_paused = true)]
async fn several_refused_events_in_flight_are_all_dead_lettered() {
    let mut world = refusing(9, &["r2", "r3", "r7"], OnRejected::DeadLetter).await;
    (world.plan.max_events, world.plan.in_flight) = (1, 4);
    assert_eq!(world.poll().await.end, End::Complete);
    let mut letters = world.receiver.letters();
    letters.sort();
    assert_eq!(letters, ["r2", "r3", "r7"]);
    assert_eq!(ids(&world).len(), 6);
}
