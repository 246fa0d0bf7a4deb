//! Several operator processes: who polls, and how the work is handed over.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use pollen::api::ConnectorInstance;
use simulator::receiver::Answer;

use super::{PATIENCE, eventually, process::Operator, release::Release, stage::Stage};
use crate::control_plane::ControlPlane;

/// What the tests' releases give as `--lease-seconds`.
const LEASE: Duration = Duration::from_secs(6);

async fn holder(stage: &Stage<'_>) -> Option<String> {
    let leases: Api<Lease> = Api::namespaced(stage.client.clone(), &stage.namespace);
    leases
        .get("pollen")
        .await
        .unwrap()
        .spec
        .unwrap()
        .holder_identity
}

/// The time from now until the operator leads.
async fn until_it_leads(operator: &Operator) -> Duration {
    let begun = std::time::Instant::now();
    operator.await_leadership().await;
    begun.elapsed()
}

#[tokio::test]
async fn of_two_processes_one_polls_and_the_other_takes_over_after_a_kill() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let first = release.start("pollen-0").await;
    first.await_leadership().await;
    let second = release.start("pollen-1").await;
    eventually("the second is ready", async || {
        (second.get("/readyz").await.0 == 200).then_some(())
    })
    .await;
    stage.set(&["incident"]).await;
    stage.poller_is("incident", "True Succeeded").await;
    stage.provider.create("incident", &[]);
    stage.callback.await_events(1, PATIENCE).await.unwrap();
    assert!(!second.leads().await);
    assert_eq!(second.metric("pollen_pollers").await, Some(0.0));

    first.kill().await;
    let waited = until_it_leads(&second).await;
    // It saw the last renewal up to a look (a second) before the kill, and looks each second.
    assert!(waited <= LEASE + Duration::from_secs(3), "{waited:?}");
    assert_eq!(holder(&stage).await.as_deref(), Some("pollen-1"));
    stage.provider.create("incident", &[]);
    stage.callback.await_events(2, PATIENCE).await.unwrap();
    assert_eq!(
        stage.callback.events().len(),
        2,
        "what the first had told is not told again"
    );
}

#[tokio::test]
async fn a_process_that_is_asked_to_end_stores_its_checkpoint_and_hands_over_at_once() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let first = release.start("pollen-0").await;
    first.await_leadership().await;
    stage.set(&["incident"]).await;
    stage.poller_is("incident", "True Succeeded").await;
    // It ends in the midst of a delivery, whose notification in flight is answered late.
    stage
        .callback
        .answer_always(Answer::Slow(Duration::from_millis(300), 200));
    let second = release.start("pollen-1").await;
    for _ in 0..20 {
        stage.provider.create("incident", &[]);
    }
    stage
        .callback
        .await_notifications(3, PATIENCE)
        .await
        .unwrap();
    let (took, status) = first.terminate().await;
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    let waited = until_it_leads(&second).await;
    assert!(waited < LEASE / 2, "{waited:?}");

    stage.callback.await_events(20, PATIENCE).await.unwrap();
    stage.poller_is("incident", "True Succeeded").await;
    let events = stage.callback.events();
    let told: std::collections::BTreeSet<_> = events.iter().map(|event| &event.object_id).collect();
    assert_eq!(
        (told.len(), events.len()),
        (20, 20),
        "each once, over both processes"
    );
}

#[tokio::test]
async fn a_callback_that_hangs_does_not_keep_a_process_from_ending_within_ten_seconds() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let operator = release.start("pollen-0").await;
    stage.set(&["incident"]).await;
    stage.poller_is("incident", "True Succeeded").await;
    stage.callback.answer_always(Answer::Hang);
    stage.provider.create("incident", &[]);
    stage
        .callback
        .await_notifications(1, PATIENCE)
        .await
        .unwrap();
    let (took, status) = operator.terminate().await;
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(holder(&stage).await, None, "the Lease is released");
}

#[tokio::test]
async fn an_instance_is_its_first_releases_until_that_ones_lease_is_gone() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let first = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let operator = first.start("pollen-0").await;
    stage.set(&["incident"]).await;
    stage.poller_is("incident", "True Succeeded").await;
    // Another release, in another namespace and with rights everywhere.
    let own = stage.plane.namespace().await;
    let other = Release::install_with(stage.plane, &own, &[]).await;
    let watched = format!("--watch-namespace={}", stage.namespace);
    let rival = other.start_with("rival-0", &[&watched]).await;
    rival.await_leadership().await;
    eventually("it is told whose the instance is", async || {
        rival.log().contains("has this instance").then_some(())
    })
    .await;
    assert_eq!(rival.metric("pollen_pollers").await, Some(0.0));

    operator.terminate().await;
    let owner = format!("{own}/pollen");
    stage
        .until("prod", |instance: &ConnectorInstance| {
            instance.status.as_ref().unwrap().controller_name.as_deref() == Some(&owner)
        })
        .await;
    stage.provider.create("incident", &[]);
    stage.callback.await_events(1, PATIENCE).await.unwrap();
}
