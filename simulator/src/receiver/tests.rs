use std::time::Duration;

use reqwest::{Client, Response, redirect};
use serde_json::json;

use super::*;
use crate::RetryAfter;

/// Longer than any machine takes, never waited for in a test that passes.
const PATIENCE: Duration = Duration::from_secs(10);

struct Scene {
    receiver: Receiver,
    served: Served,
    client: Client,
}

impl Scene {
    async fn new(receiver: Receiver) -> Self {
        let served = receiver.listen("127.0.0.1:0").await.unwrap();
        let client = Client::builder().redirect(redirect::Policy::none());
        Self {
            receiver,
            served,
            client: client.build().unwrap(),
        }
    }

    fn request(&self, object_id: &str) -> reqwest::RequestBuilder {
        let event = json!({"eventType": "CREATED", "objectId": object_id, "objectType": "incident", "date": "2026-01-01T00:00:00Z"});
        let message =
            json!({"eventId": "E", "raw": {"incident": [{"number": "1"}]}, "events": [event]});
        let body = json!({"message": message}).to_string();
        self.client
            .post(format!("{}/events", self.served.url()))
            .body(body)
    }

    async fn post(&self, object_id: &str) -> reqwest::Result<Response> {
        self.request(object_id).send().await
    }

    fn statuses(&self) -> Vec<Option<u16>> {
        let notifications = self.receiver.notifications();
        notifications.iter().map(|each| each.status).collect()
    }
}

#[tokio::test]
async fn queued_answers_go_before_the_standing_one_and_only_successes_count() {
    let scene = Scene::new(Receiver::new()).await;
    scene.receiver.answer_next(Answer::Status(503));
    scene.receiver.answer_always(Answer::Status(204));
    for expected in [503, 204, 204] {
        assert_eq!(scene.post("a").await.unwrap().status(), expected);
    }
    assert_eq!(scene.statuses(), [Some(503), Some(204), Some(204)]);
    let events = scene.receiver.await_events(2, PATIENCE).await.unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].record, json!({"number": "1"}));
}

#[tokio::test]
async fn an_answer_may_depend_on_the_records_that_arrive() {
    let scene = Scene::new(Receiver::new()).await;
    scene.receiver.answer_by(|incoming| {
        let refused = incoming.object_ids().contains(&"bad".to_owned());
        Answer::Status(if refused { 400 } else { 200 })
    });
    assert_eq!(scene.post("good").await.unwrap().status(), 200);
    assert_eq!(scene.post("bad").await.unwrap().status(), 400);
}

#[tokio::test]
async fn headers_say_when_and_where_to_come_back() {
    let scene = Scene::new(Receiver::new()).await;
    let answer = Answer::RetryAfter(429, RetryAfter::Seconds(7));
    scene.receiver.answer_next(answer);
    scene
        .receiver
        .answer_next(Answer::Redirect("/there".to_owned()));
    let throttled = scene.post("a").await.unwrap();
    assert_eq!(
        (
            throttled.status().as_u16(),
            &throttled.headers()["retry-after"]
        ),
        (429, &"7".parse().unwrap())
    );
    let redirected = scene.post("a").await.unwrap();
    assert_eq!(
        (
            redirected.status().as_u16(),
            &redirected.headers()["location"]
        ),
        (307, &"/there".parse().unwrap())
    );
}

#[tokio::test]
async fn what_gets_no_answer_is_in_the_ledger_unacknowledged() {
    let scene = Scene::new(Receiver::new()).await;
    scene.receiver.answer_next(Answer::CloseConnection);
    assert!(scene.post("a").await.unwrap_err().is_request());
    for (arrived, answer) in [(2, Answer::Hang), (3, Answer::Slow(PATIENCE, 200))] {
        scene.receiver.answer_next(answer);
        tokio::select! {
            answer = scene.post("a") => panic!("answered: {answer:?}"),
            seen = scene.receiver.await_notifications(arrived, PATIENCE) => { seen.unwrap(); }
        }
    }
    assert_eq!(scene.statuses(), [None, None, None]);
    assert_eq!(scene.receiver.events().len(), 3);
    assert_eq!(scene.receiver.acknowledged(), []);
}

#[tokio::test]
async fn connections_are_counted_not_requests() {
    let scene = Scene::new(Receiver::new()).await;
    for _ in 0..3 {
        scene.post("a").await.unwrap();
    }
    assert_eq!(scene.receiver.connections(), 1);
}

#[tokio::test]
async fn an_endless_body_goes_on_as_long_as_it_is_read() {
    let scene = Scene::new(Receiver::new()).await;
    scene.receiver.answer_next(Answer::EndlessBody);
    let mut response = scene.post("a").await.unwrap();
    let mut read = 0;
    while read < 1_000_000 {
        read += response.chunk().await.unwrap().unwrap().len();
    }
}

#[tokio::test]
async fn signatures_are_checked_of_the_bytes_that_arrived() {
    let scene = Scene::new(Receiver::with_keys(&["key"])).await;
    let signature = "sha256=p3dyTZQ+tI3Gm8qKSm1XoE2z+ex+HeTlgehgJlvfMDI=";
    let url = scene.served.url();
    for body in ["{}", "{} "] {
        let request = scene.client.post(&url).body(body);
        let request = request.header("elements-webhook-signature", signature);
        request.send().await.unwrap();
    }
    let notifications = scene.receiver.notifications();
    let signatures: Vec<_> = notifications.iter().map(|each| each.signature).collect();
    assert_eq!(signatures, [Signature::Valid, Signature::Wrong]);
    assert_eq!(notifications[0].standard_webhooks, Signature::NotChecked);
    assert!(notifications[0].enclosed.is_err());
}
