//! What becomes of a notification: repeated unchanged, refused, or acknowledged.

use std::time::Duration;

use chrono::TimeDelta;
use futures::future::join_all;
use rstest::rstest;
use serde_json::json;
use simulator::{
    RetryAfter,
    receiver::{Answer, Receiver},
};
use tokio::time::Instant;

use crate::harness::{PATIENCE, World};

/// Incidents a second apart, and a poller that sends them `at_once`.
async fn world(incidents: usize, at_once: usize) -> (World, Vec<String>) {
    let world = World::with_incidents().await;
    world.set_callback("maxEventsPerNotification", json!(at_once));
    let create = |row| {
        let updated = format!("2026-01-02 03:04:{row:02}");
        world.instance.create(
            "incident",
            &[("sys_created_on", &updated), ("sys_updated_on", &updated)],
        )
    };
    let created = (0..incidents).map(create).collect();
    (world, created)
}

fn acknowledged(world: &World) -> Vec<String> {
    let events = world.receiver.acknowledged();
    events.into_iter().map(|event| event.object_id).collect()
}

#[tokio::test]
async fn a_notification_that_failed_is_repeated_unchanged() {
    let answers = [
        Answer::Status(500),
        Answer::Status(503),
        Answer::Status(409),
        Answer::Status(408),
        Answer::CloseConnection,
    ];
    join_all(answers.map(is_repeated_unchanged)).await;
}

async fn is_repeated_unchanged(answer: Answer) {
    let (world, created) = world(2, 10).await;
    world.receiver.answer_next(answer.clone());
    world.poll_once_retrying("15s").await.assert_said(0, &[]);
    let sent = world.receiver.notifications();
    assert_eq!(sent.len(), 2, "{answer:?}");
    assert_eq!(sent[1].body, sent[0].body, "{answer:?}");
    for header in [
        "elements-webhook-id",
        "elements-webhook-signature",
        "webhook-id",
    ] {
        assert_eq!(
            sent[1].headers[header], sent[0].headers[header],
            "{answer:?}: {header}"
        );
    }
    assert_eq!(acknowledged(&world), created, "{answer:?}");
}

#[rstest]
#[case::one_by_one(1)]
#[case::all_at_once(10)]
#[tokio::test]
async fn a_refused_event_is_named_and_blocks_what_is_behind_it(#[case] at_once: usize) {
    let (world, created) = world(4, at_once).await;
    let refused = created[2].clone();
    world.receiver.answer_by(move |incoming| {
        let refuses = incoming.object_ids().contains(&refused);
        Answer::Status(if refuses { 422 } else { 200 })
    });
    for _ in 0..2 {
        let ended = world.poll_once_retrying("10s").await;
        ended.assert_said(1, &[&created[2], "422", "mend the receiver"]);
        assert_eq!(acknowledged(&world), created[..2]);
    }
    world.receiver.answer_always(Answer::Status(200));
    world.poll_well().await;
    assert_eq!(acknowledged(&world), created);
}

#[tokio::test]
async fn a_refused_event_that_is_dropped_is_told_once() {
    let (world, created) = world(2, 1).await;
    world.set_callback("onRejected", json!("Skip"));
    let refused = created[0].clone();
    world.receiver.answer_by(move |incoming| {
        let refuses = incoming.object_ids().contains(&refused);
        Answer::Status(if refuses { 422 } else { 200 })
    });
    let ended = world.poll_once().await;
    ended.assert_said(0, &["was refused, and it was dropped"]);
    assert_eq!(ended.errors.matches(&created[0]).count(), 1, "{ended:?}");
}

/// The answer does not say which event it means.
#[tokio::test]
async fn of_a_notification_that_is_not_to_come_again_the_event_at_fault_alone_is_dropped() {
    let (world, mut created) = world(4, 10).await;
    world.set_callback("onRejected", json!("Skip"));
    let aborted = created[2].clone();
    world.receiver.answer_by(move |incoming| {
        if incoming.object_ids().contains(&aborted) {
            Answer::Abort(503)
        } else {
            Answer::Status(200)
        }
    });
    let ended = world.poll_once_retrying("10s").await;
    ended.assert_said(0, &[&created[2], "it was dropped", "abort-message"]);
    created.remove(2);
    assert_eq!(acknowledged(&world), created);
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_refuses() {
    let (world, created) = world(1, 1).await;
    let elsewhere = Receiver::new();
    let served = elsewhere.listen("127.0.0.1:0").await.unwrap();
    world.receiver.answer_always(Answer::Redirect(served.url()));
    let ended = world.poll_once_retrying("10s").await;
    ended.assert_said(1, &[&created[0], "307", "write the URL it redirects to"]);
    assert_eq!(elsewhere.notifications().len(), 0);
}

/// A poll that is stuck says nothing for a minute.
#[tokio::test]
async fn a_callback_that_fails_is_told_of_before_it_is_given_up() {
    let (world, created) = world(1, 1).await;
    world.receiver.answer_next(Answer::Status(503));
    let ended = world.poll_once_retrying("10s").await;
    ended.assert_said(0, &["503", "it is tried again in"]);
    assert_eq!(acknowledged(&world), created);
}

#[tokio::test]
async fn a_callback_that_asks_to_be_left_alone_is() {
    let answers = [
        Answer::RetryAfter(503, RetryAfter::Seconds(2)),
        Answer::RetryAfter(429, RetryAfter::Seconds(2)),
        // A date is whole seconds.
        Answer::RetryAfter(503, RetryAfter::HttpDate(3)),
    ];
    join_all(answers.map(is_left_alone_for_two_seconds)).await;
}

async fn is_left_alone_for_two_seconds(answer: Answer) {
    let (world, created) = world(1, 1).await;
    world.receiver.answer_next(answer.clone());
    world.poll_once_retrying("15s").await.assert_said(0, &[]);
    let sent = world.receiver.notifications();
    let pause = sent[1].at - sent[0].at;
    assert!(pause >= TimeDelta::seconds(2), "{answer:?}: {pause}");
    assert_eq!(acknowledged(&world), created, "{answer:?}");
}

#[tokio::test]
async fn a_callback_that_asks_for_more_time_than_there_is_fails_at_once() {
    let (world, _) = world(1, 1).await;
    let later = Answer::RetryAfter(503, RetryAfter::Seconds(3_600));
    world.receiver.answer_always(later);
    let begun = Instant::now();
    let ended = world.poll_once_retrying("20s").await;
    ended.assert_said(1, &["callback: ", "503"]);
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_callback_that_never_answers_is_given_up_after_its_timeout() {
    let (world, created) = world(1, 1).await;
    world.set_callback("timeout", json!("1s"));
    world.receiver.answer_next(Answer::Hang);
    let begun = Instant::now();
    let ended = world.poll_once().await;
    ended.assert_said(1, &["callback: ", "did not answer in time"]);
    assert!(begun.elapsed() < Duration::from_secs(10));
    world.poll_well().await;
    assert_eq!(acknowledged(&world), created);
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off_and_acknowledges() {
    let (world, created) = world(2, 1).await;
    world.receiver.answer_always(Answer::EndlessBody);
    world.poll_well().await;
    assert_eq!(acknowledged(&world), created);
}

#[tokio::test]
async fn notifications_share_connections() {
    let (world, created) = world(60, 1).await;
    world.poll_well().await;
    assert_eq!(acknowledged(&world), created);
    // Under load a connection may not be back yet when the next notification leaves.
    assert!(world.receiver.connections() <= 15);
}

#[tokio::test]
async fn notifications_in_flight_together_lose_and_repeat_none() {
    let (world, created) = world(40, 1).await;
    world.set_callback("maxInFlight", json!(4));
    world.poll_well().await;
    let mut got = acknowledged(&world);
    got.sort_by_key(|id| created.iter().position(|known| known == id));
    assert_eq!(got, created);
    assert!(
        world.receiver.connections() >= 2,
        "they were not in flight together"
    );
}

#[tokio::test]
async fn a_notification_carries_as_many_events_as_are_allowed() {
    let (world, created) = world(25, 10).await;
    world.poll_well().await;
    let sizes: Vec<_> = world
        .receiver
        .notifications()
        .into_iter()
        .map(|notification| notification.enclosed.unwrap())
        .collect();
    assert_eq!(sizes, [10, 10, 5]);
    assert_eq!(acknowledged(&world), created);
}

#[tokio::test]
async fn a_callback_that_is_gone_is_left_alone() {
    let (world, _) = world(3, 1).await;
    world.receiver.answer_always(Answer::Status(410));
    world.add_another_instance();
    let mut pollen = world.start();
    pollen.has_said("410 Gone").await;
    pollen.has_said("spec.events.callback.url").await;
    let asked = world.asked("incident");
    world.has_polled_elsewhere(2).await;
    assert_eq!(
        world.asked("incident"),
        asked,
        "asked though nothing can be sent"
    );
    assert_eq!(world.receiver.notifications().len(), 1);
    assert_eq!(pollen.terminate().await.code, Some(0));
}

/// While a callback is down one poll probes it, and then all goes on.
#[tokio::test]
async fn a_callback_that_comes_back_gets_everything_once() {
    let (world, created) = world(5, 2).await;
    for _ in 0..3 {
        world.receiver.answer_next(Answer::Status(503));
    }
    let pollen = world.start();
    world.receiver.await_events(5, PATIENCE).await.unwrap();
    assert_eq!(pollen.terminate().await.code, Some(0));
    assert_eq!(acknowledged(&world), created);
}

#[tokio::test]
async fn a_refused_event_is_told_while_its_delivery_goes_on() {
    let (world, created) = world(3, 1).await;
    world.set_callback("onRejected", json!("Skip"));
    world.receiver.answer_next(Answer::Status(422));
    world.receiver.answer_always(Answer::Hang);
    let mut pollen = world.start();
    world
        .receiver
        .await_notifications(2, PATIENCE)
        .await
        .unwrap();
    pollen.has_said("was refused, and it was dropped").await;
    pollen.has_said(&created[0]).await;
    assert!(acknowledged(&world).is_empty());
    pollen.kill().await;
}
