//! Deletions that are too many to be believed: they wait for a person's annotation.

use pollen::api::{HeldDeletes, PollerResource};
use serde_json::json;

use super::{
    PATIENCE,
    release::Release,
    stage::{Stage, message_of, poller},
    telling::await_event,
};
use crate::control_plane::ControlPlane;

const RECORDS: usize = 24;
const GONE: usize = 12;

/// Applies a poller that compares every second, and has it deliver some records.
async fn settle_records(stage: &Stage<'_>) -> Vec<String> {
    let mut objects = stage.secrets().to_vec();
    let mut incident = poller("incident", "prod");
    incident["spec"]["deletes"] = json!({"mode": "Reconcile", "reconcileInterval": "1s"});
    objects.extend([stage.instance(), incident]);
    stage.apply(&objects).await;
    stage.poller_is("incident", "True Succeeded").await;
    let created = (0..RECORDS).map(|_| stage.provider.create("incident", &[]));
    let ids = created.collect();
    let came = stage.callback.await_events(RECORDS, PATIENCE).await;
    came.unwrap();
    stage
        .until("incident", |poller: &PollerResource| {
            poller.status.as_ref().and_then(|status| status.events) == Some(RECORDS as i64)
        })
        .await;
    ids
}

fn held(poller: &PollerResource) -> Option<&HeldDeletes> {
    let deletes = poller.status.as_ref()?.deletes.as_ref()?;
    deletes.held.as_ref()
}

/// Waits until a poll has followed the manifest as it is now.
async fn followed(stage: &Stage<'_>) -> PollerResource {
    let generation = stage.poller("incident").await.metadata.generation;
    stage
        .until("incident", |poller: &PollerResource| {
            let status = poller.status.as_ref();
            status.and_then(|status| status.observed_generation) == generation
        })
        .await
}

/// The ids of which a deletion arrived, in order.
fn deleted(stage: &Stage<'_>) -> Vec<String> {
    let events = stage.callback.events().into_iter();
    let mut deleted: Vec<_> = events
        .filter(|event| event.kind == "DELETED")
        .map(|event| event.object_id)
        .collect();
    deleted.sort();
    deleted
}

#[tokio::test]
async fn very_many_deletions_wait_for_the_annotation_with_their_id() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    let ids = settle_records(&stage).await;
    let mut gone = ids[..GONE].to_vec();
    gone.sort();
    // Between two requests, so that no comparison sees a few of them alone.
    let vanishing = gone.clone();
    stage.provider.before_table_request(1, move |provider| {
        vanishing.iter().for_each(|id| provider.delete(id))
    });
    stage.poller_is("incident", "True DeletesHeld").await;
    await_event(&stage, "DeletesHeld incident Warning").await;

    // Another comparison would hold them under another id.
    let rarely = json!({"spec": {"deletes": {"reconcileInterval": "24h"}}});
    stage.edit::<PollerResource>("incident", rarely).await;
    let waiting = followed(&stage).await;
    let HeldDeletes { id, count } = held(&waiting).unwrap().clone();
    assert_eq!(count, GONE as i64);
    let command = format!("--overwrite pollen.dev/confirm-deletes={id}");
    let message = message_of(&waiting);
    assert!(message.contains(&command), "{message}");

    stage
        .annotate("incident", "pollen.dev/confirm-deletes=another")
        .await;
    stage.provider.create("incident", &[]);
    let came = stage.callback.await_events(RECORDS + 1, PATIENCE).await;
    came.unwrap();
    assert_eq!(deleted(&stage), [""; 0]);
    let confirmed = format!("pollen.dev/confirm-deletes={id}");
    let arguments = ["annotate", "poller", "incident", "--overwrite", &confirmed];
    let arguments = [&arguments[..], &["-n", &stage.namespace]].concat();
    stage.plane.kubectl(&arguments).await.unwrap();
    let due = RECORDS + 1 + GONE;
    stage.callback.await_events(due, PATIENCE).await.unwrap();
    stage.poller_is("incident", "True Succeeded").await;
    let released = stage.poller("incident").await;
    assert_eq!(held(&released), None);
    assert_eq!(deleted(&stage), gone);
}
