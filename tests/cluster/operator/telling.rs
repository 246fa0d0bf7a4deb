//! What the operator shows to people and their tools: Kubernetes events, health, metrics.

use pollen::api::PollerResource;
use serde_json::{Value, json};
use simulator::receiver::Answer;

use super::{
    eventually,
    release::Release,
    stage::{Stage, message_of, poller, secret},
};
use crate::control_plane::ControlPlane;

/// The Kubernetes events about the stage's objects, as `REASON OBJECT TYPE`.
async fn events(stage: &Stage<'_>) -> Vec<String> {
    let arguments = [
        "get",
        "events.events.k8s.io",
        "-n",
        &stage.namespace,
        "-o",
        "json",
    ];
    let list: Value =
        serde_json::from_str(&stage.plane.kubectl(&arguments).await.unwrap()).unwrap();
    let items = list["items"].as_array().unwrap().iter();
    items
        .filter(|event| event["regarding"]["apiVersion"] == "pollen.dev/v1alpha1")
        .map(|event| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            [
                &event["reason"],
                &event["regarding"]["name"],
                &event["type"],
            ]
            .map(text)
            .join(" ")
        })
        .collect()
}

pub(super) async fn await_event(stage: &Stage<'_>, expected: &str) {
    eventually(expected, async || {
        events(stage)
            .await
            .contains(&expected.to_owned())
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_refused_event_is_told_and_so_is_that_it_went_through() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    stage.set(&["incident"]).await;
    stage.poller_is("incident", "True Succeeded").await;
    stage.callback.answer_always(Answer::Status(422));
    let record = stage.provider.create("incident", &[]);
    let blocked = stage
        .poller_is("incident", "False CallbackRejected stalled")
        .await;
    assert!(
        message_of(&blocked).contains(&record),
        "{}",
        message_of(&blocked)
    );
    await_event(&stage, "CallbackRejected incident Warning").await;

    stage.callback.answer_always(Answer::Status(204));
    stage.poller_is("incident", "True Succeeded").await;
    await_event(&stage, "Recovered incident Normal").await;
    // Polls in between said the same and told nothing new.
    let told = events(&stage).await;
    let blocked = told
        .iter()
        .filter(|event| event.starts_with("CallbackRejected incident"));
    assert_eq!(blocked.count(), 1, "{told:?}");
}

#[tokio::test]
async fn each_event_that_is_skipped_is_told_with_its_record() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    let mut objects = stage.secrets().to_vec();
    objects.extend([stage.instance(), poller("incident", "prod")]);
    objects[2]["spec"]["events"]["callback"]["onRejected"] = json!("Skip");
    stage.apply(&objects).await;
    stage.poller_is("incident", "True Succeeded").await;
    stage.callback.answer_always(Answer::Status(422));
    // Two in quick succession are no series of one.
    for _ in 0..2 {
        let record = stage.provider.create("incident", &[]);
        eventually("the skipped record is told", async || {
            let arguments = [
                "get",
                "events.events.k8s.io",
                "-n",
                &stage.namespace,
                "-o",
                "json",
            ];
            let list = stage.plane.kubectl(&arguments).await.unwrap();
            let list: Value = serde_json::from_str(&list).unwrap();
            let mut events = list["items"].as_array().unwrap().iter();
            let is_told = events.any(|event| {
                event["reason"] == "EventSkipped"
                    && event["regarding"]["fieldPath"] == format!("records{{{record}}}")
                    && event["note"].as_str().unwrap().contains(&record)
            });
            is_told.then_some(())
        })
        .await;
    }
    stage.poller_is("incident", "True Succeeded").await;
}

#[tokio::test]
async fn refused_credentials_are_told_once_on_the_instance() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    stage.set(&["incident", "problem"]).await;
    stage.instance_is("prod", "True Succeeded").await;
    stage
        .apply(&[secret(
            "oauth",
            json!({"clientId": "demo-client", "clientSecret": "no"}),
        )])
        .await;
    stage
        .instance_is("prod", "False AuthenticationFailed stalled")
        .await;
    await_event(&stage, "AuthenticationFailed prod Warning").await;
    for poller in ["incident", "problem"] {
        stage
            .until(poller, |poller: &PollerResource| {
                let status = poller.status.as_ref().unwrap();
                status
                    .conditions
                    .iter()
                    .any(|condition| condition.type_ == "Ready" && condition.status != "True")
            })
            .await;
    }
    let told = events(&stage).await;
    let refused = told
        .iter()
        .filter(|event| event.starts_with("AuthenticationFailed"));
    assert_eq!(refused.count(), 1, "{told:?}");
}

#[tokio::test]
async fn health_and_metrics_are_served() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let operator = release.start("pollen-0").await;
    assert_eq!(operator.get("/livez").await.0, 200);
    eventually("ready", async || {
        (operator.get("/readyz").await.0 == 200).then_some(())
    })
    .await;
    stage.set(&["incident"]).await;
    stage.poller_is("incident", "True Succeeded").await;
    stage.provider.create("incident", &[]);
    eventually("an event is counted", async || {
        let events = operator
            .metric("pollen_events_total{kind=\"created\"}")
            .await;
        (events == Some(1.0)).then_some(())
    })
    .await;
    let (_, text) = operator.get("/metrics").await;
    for name in [
        "pollen_polls_total{result=\"complete\"}",
        "pollen_records_read_total",
        "pollen_requests_total",
        "pollen_api_writes_total{what=\"checkpoint\"}",
        "pollen_last_poll_timestamp_seconds",
        "pollen_build_info{",
        &format!(
            "pollen_poller_events_total{{namespace=\"{}\",poller=\"incident\",kind=\"created\"}} 1",
            stage.namespace
        ),
    ] {
        assert!(
            text.lines().any(|line| line.starts_with(name)),
            "{name} in\n{text}"
        );
    }
    let (_, board) = operator.get("/debug/pollers").await;
    let board: Value = serde_json::from_str(&board).unwrap();
    assert_eq!(board[0]["name"], "incident");
    assert_eq!(board[0]["result"], "complete");
}

#[tokio::test]
async fn a_process_whose_watches_are_forbidden_is_alive_and_not_ready() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let elsewhere = stage.plane.namespace().await;
    let operator = release
        .start_with("pollen-0", &[&format!("--watch-namespace={elsewhere}")])
        .await;
    eventually("it tries", async || {
        operator.log().contains("forbidden").then_some(())
    })
    .await;
    assert_eq!(operator.get("/livez").await.0, 200);
    assert_eq!(operator.get("/readyz").await.0, 503);
    assert!(!operator.leads().await);
}
