//! Windows too large for a status: PollerWindow objects, their owner, and what becomes of a poller
//! that lost one.

use kube::{
    Api,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use pollen::api::{PollerResource, PollerWindow};
use serde_json::json;

use super::{
    PATIENCE, eventually,
    release::Release,
    stage::{Stage, message_of},
};
use crate::control_plane::ControlPlane;

/// Versions, of which 4 KiB of the status hold fewer than four hundred.
const RECORDS: usize = 450;

fn windows(stage: &Stage<'_>) -> Api<PollerWindow> {
    Api::namespaced(stage.client.clone(), &stage.namespace)
}

async fn names(stage: &Stage<'_>) -> Vec<String> {
    let listed = windows(stage).list(&ListParams::default()).await.unwrap();
    let names = listed
        .items
        .into_iter()
        .filter_map(|object| object.metadata.name);
    names.collect()
}

/// Has the poller settle more than its status holds, and waits until that is stored.
async fn settle_many(stage: &Stage<'_>) {
    let batched = json!({"spec": {"events": {"callback": {"maxEventsPerNotification": 100}}}});
    stage
        .edit::<pollen::api::ConnectorInstance>("prod", batched)
        .await;
    for _ in 0..RECORDS {
        stage.provider.create("incident", &[]);
    }
    stage
        .callback
        .await_events(RECORDS, PATIENCE)
        .await
        .unwrap();
    stage
        .until("incident", |poller: &PollerResource| {
            poller.status.as_ref().and_then(|status| status.events) == Some(RECORDS as i64)
        })
        .await;
}

#[tokio::test]
async fn a_large_window_stands_in_objects_that_a_restart_reads_and_that_go_with_their_poller() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let operator = release.start("pollen-0").await;
    stage.set(&["incident"]).await;
    settle_many(&stage).await;
    let poller = stage.poller("incident").await;
    let checkpoint = poller.status.clone().unwrap().checkpoint.unwrap();
    let window = checkpoint.records.window.clone().unwrap();
    assert!(window.entries.len() <= 4_096, "{}", window.entries.len());
    let uid = poller.metadata.uid.clone().unwrap();
    let mut named: Vec<_> = checkpoint
        .segments()
        .map(|name| format!("{uid}-{name}"))
        .collect();
    named.sort();
    assert!(!named.is_empty());
    eventually("only what the status names is there", async || {
        (names(&stage).await == named).then_some(())
    })
    .await;
    for object in windows(&stage).list(&ListParams::default()).await.unwrap() {
        let owners = object.metadata.owner_references.unwrap();
        assert_eq!((owners.len(), &owners[0].uid), (1, &uid));
    }

    operator.terminate().await;
    let operator = release.start("pollen-0").await;
    stage.provider.create("incident", &[]);
    stage
        .callback
        .await_events(RECORDS + 1, PATIENCE)
        .await
        .unwrap();
    stage.poller_is("incident", "True Succeeded").await;
    assert_eq!(
        stage.callback.events().len(),
        RECORDS + 1,
        "nothing came twice"
    );

    drop(operator);
    stage.delete::<PollerResource>("incident").await;
    eventually("the windows are garbage", async || {
        names(&stage).await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_poller_that_lost_a_window_is_stalled_and_polls_nothing_until_it_is_restored() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let operator = release.start("pollen-0").await;
    stage.set(&["incident"]).await;
    settle_many(&stage).await;
    stage.poller_is("incident", "True Succeeded").await;
    operator.terminate().await;
    let name = names(&stage).await.remove(0);
    let mut backup = windows(&stage).get(&name).await.unwrap();
    windows(&stage)
        .delete(&name, &DeleteParams::default())
        .await
        .unwrap();
    let _operator = release.start("pollen-0").await;
    let told = stage
        .poller_is("incident", "False CheckpointDamaged stalled")
        .await;
    let (_, digest) = name.rsplit_once('-').unwrap();
    let message = message_of(&told);
    assert!(
        message.contains(digest) && message.contains("restore"),
        "{message}"
    );
    stage.provider.create("incident", &[]);

    backup.metadata.resource_version = None;
    backup.metadata.uid = None;
    windows(&stage)
        .create(&Default::default(), &backup)
        .await
        .unwrap();
    stage.poller_is("incident", "True Succeeded").await;
    stage
        .callback
        .await_events(RECORDS + 1, PATIENCE)
        .await
        .unwrap();
    let events = stage.callback.events();
    assert_eq!(events.len(), RECORDS + 1, "nothing came twice");
}

#[tokio::test]
async fn a_window_cannot_be_changed() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let spec = pollen::api::PollerWindowSpec {
        content: "A".repeat(699_052),
    };
    let object = PollerWindow::new("a-window", spec);
    windows(&stage)
        .create(&Default::default(), &object)
        .await
        .unwrap();
    let change = Patch::Merge(json!({"spec": {"content": "AAAA"}}));
    let changed = windows(&stage)
        .patch("a-window", &PatchParams::default(), &change)
        .await;
    let error = changed.unwrap_err().to_string();
    assert!(
        error.contains("cannot change, for a checkpoint names it by its digest"),
        "{error}"
    );
}
