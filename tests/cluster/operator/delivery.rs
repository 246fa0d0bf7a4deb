//! From `kubectl apply` to the callback.

use std::collections::BTreeMap;

use pollen::api::PollerResource;
use serde_json::json;
use simulator::{
    receiver::{Event, Signature},
    servicenow::Fault,
};

use super::{
    PATIENCE, eventually,
    release::Release,
    stage::{Stage, message_of, poller},
};
use crate::control_plane::ControlPlane;

/// What `kubectl get` shows in this column of the only poller.
async fn column(stage: &Stage<'_>, name: &str) -> String {
    let arguments = ["get", "pollers", "-n", &stage.namespace];
    let table = stage.plane.kubectl(&arguments).await.unwrap();
    let mut lines = table.lines();
    let header = lines.next().unwrap();
    let from = header.find(name).unwrap();
    let cell = lines.next().unwrap()[from..].trim_start();
    // Columns are three spaces apart or more.
    cell.split("   ").next().unwrap().trim().to_owned()
}

async fn wait_for(stage: &Stage<'_>, object: &str, condition: &str) {
    let condition = format!("--for=condition={condition}");
    let arguments = [
        "wait",
        &condition,
        object,
        "-n",
        &stage.namespace,
        "--timeout=60s",
    ];
    stage.plane.kubectl(&arguments).await.unwrap();
}

fn told(event: &Event) -> (String, String, String) {
    let text = |field: &str| event.record[field].as_str().unwrap_or_default().to_owned();
    (
        event.kind.clone(),
        event.object_id.clone(),
        text("sys_mod_count"),
    )
}

#[tokio::test]
async fn each_change_arrives_once_signed_and_in_the_envelope_of_open_connectors() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    let mut objects = stage.secrets().to_vec();
    objects.extend([stage.instance(), poller("incident", "prod")]);
    objects[3]["spec"]["pageSize"] = json!(2);
    stage.apply(&objects).await;
    wait_for(&stage, "poller/incident", "Ready").await;
    wait_for(&stage, "cinst/prod", "Ready").await;

    let first = stage.provider.create("incident", &[("number", "INC1")]);
    stage.callback.await_events(1, PATIENCE).await.unwrap();
    stage
        .provider
        .update(&first, &[("short_description", "the printer smokes")]);
    stage.callback.await_events(2, PATIENCE).await.unwrap();
    // A tie: more records of one second than a page holds.
    let moment = stage.provider.now().format("%Y-%m-%d %H:%M:%S").to_string();
    let dates = [
        ("sys_created_on", moment.as_str()),
        ("sys_updated_on", &moment),
    ];
    let tied: Vec<_> = (0..5)
        .map(|_| stage.provider.create("incident", &dates))
        .collect();
    stage.callback.await_events(7, PATIENCE).await.unwrap();

    let events = stage.callback.events();
    let mut expected = vec![
        ("CREATED".to_owned(), first.clone(), "0".to_owned()),
        ("UPDATED".to_owned(), first, "1".to_owned()),
    ];
    expected.extend(
        tied.into_iter()
            .map(|id| ("CREATED".to_owned(), id, "0".to_owned())),
    );
    let mut seen: Vec<_> = events.iter().map(told).collect();
    seen[2..].sort();
    expected[2..].sort();
    assert_eq!(seen, expected);
    for notification in stage.callback.notifications() {
        assert_eq!(notification.signature, Signature::Valid);
        assert_eq!(notification.enclosed, Ok(1));
    }
    assert!(events.iter().all(|event| event.object_type == "incident"));
}

#[tokio::test]
async fn the_printer_columns_and_kubectl_wait_tell_of_a_provider_that_fails_and_recovers() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    stage.set(&["incident"]).await;
    let operator = release.start("pollen-0").await;
    wait_for(&stage, "poller/incident", "Ready").await;
    stage.provider.create("incident", &[]);
    stage.callback.await_events(1, PATIENCE).await.unwrap();
    eventually("one event is counted", async || {
        (column(&stage, "EVENTS").await == "1").then_some(())
    })
    .await;
    let expected = [
        ("INSTANCE", "prod"),
        ("READY", "True"),
        ("REASON", "Succeeded"),
    ];
    for (name, value) in expected {
        assert_eq!(column(&stage, name).await, value, "{name}");
    }
    for date in ["LAST SETTLED", "LAST EVENT"] {
        let age = column(&stage, date).await;
        assert!(age.ends_with('s') || age.ends_with('m'), "{date}: {age}");
    }

    stage.provider.fail_always(Some(Fault::Status(503)));
    let failing = stage
        .poller_is("incident", "True ProviderUnavailable")
        .await;
    assert!(
        message_of(&failing).contains("503"),
        "{}",
        message_of(&failing)
    );
    wait_for(&stage, "poller/incident", "Ready=false").await;
    assert_eq!(column(&stage, "READY").await, "False");
    assert_eq!(column(&stage, "REASON").await, "ProviderUnavailable");

    stage.provider.fail_always(None);
    wait_for(&stage, "poller/incident", "Ready").await;
    assert_eq!(column(&stage, "REASON").await, "Succeeded");

    // Who reads the log alone learns it too, and not with every poll.
    let log = operator.log();
    let lines = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    assert_eq!(lines("ProviderUnavailable"), 1, "{log}");
    assert_eq!(lines("polls are well again"), 1, "{log}");
}

#[tokio::test]
async fn a_record_that_was_written_before_the_operator_ran_is_told_when_the_poller_was_there() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let before = stage
        .provider
        .create("incident", &[("sys_updated_on", "2020-01-01 00:00:00")]);
    stage.set(&["incident", "problem"]).await;
    let after = [
        stage.provider.create("incident", &[]),
        stage.provider.create("problem", &[]),
    ];
    let _operator = release.start("pollen-0").await;
    let events = stage.callback.await_events(2, PATIENCE).await.unwrap();
    let told: BTreeMap<_, _> = events
        .iter()
        .map(|event| (event.object_id.clone(), event.object_type.clone()))
        .collect();
    assert_eq!(
        told,
        BTreeMap::from([
            (after[0].clone(), "incident".to_owned()),
            (after[1].clone(), "problem".to_owned()),
        ])
    );
    let counted = |poller: &PollerResource| {
        poller.status.as_ref().and_then(|status| status.events) == Some(1)
    };
    stage.until("incident", counted).await;
    assert!(
        stage
            .callback
            .events()
            .iter()
            .all(|event| event.object_id != before)
    );
}
