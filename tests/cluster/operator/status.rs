//! The status on a real server: who writes it, and what others' writes lead to.

use kube::api::{Patch, PatchParams};
use pollen::api::PollerResource;
use serde_json::{Value, json};

use super::{
    PATIENCE, eventually,
    release::Release,
    stage::{Stage, poller},
};
use crate::control_plane::ControlPlane;

/// Merges a change into the poller's status, as only a cluster's admin may.
async fn edit_status(stage: &Stage<'_>, status: Value) {
    let change = Patch::Merge(json!({"status": status}));
    let parameters = PatchParams::default();
    stage
        .pollers()
        .patch_status("incident", &parameters, &change)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_checkpoint_that_somebody_else_wrote_is_what_the_next_poll_goes_on_from() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    stage.set(&["incident"]).await;
    stage.poller_is("incident", "True Succeeded").await;
    let first = stage.provider.create("incident", &[]);
    stage.callback.await_events(1, PATIENCE).await.unwrap();
    let counted = |poller: &PollerResource| poller.status.as_ref().unwrap().events == Some(1);
    stage.until("incident", counted).await;

    // As if restored from before the first record was told.
    let records = json!({"window": null, "settledAtStart": null});
    edit_status(&stage, json!({"checkpoint": {"records": records}})).await;
    let second = stage.provider.create("incident", &[]);
    eventually("both are told from what is stored", async || {
        let events = stage.callback.acknowledged();
        let of = |id: &str| events.iter().filter(|event| event.object_id == id).count();
        (of(&first) == 2 && of(&second) >= 1).then_some(())
    })
    .await;
    let events = stage.callback.acknowledged();
    let ids: Vec<_> = events
        .iter()
        .filter(|event| event.object_id == first)
        .collect();
    assert_eq!(ids[0].event_id, ids[1].event_id);
    stage.poller_is("incident", "True Succeeded").await;
}

#[tokio::test]
async fn a_write_to_the_status_starts_no_poll() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    let mut rare = poller("incident", "prod");
    rare["spec"]["refreshInterval"] = json!("1h");
    let [oauth, signing] = stage.secrets();
    stage.apply(&[oauth, signing, stage.instance(), rare]).await;
    stage.poller_is("incident", "True Succeeded").await;
    let of_incident = || {
        let requests = stage.provider.table_requests();
        let of_incident = requests
            .iter()
            .filter(|request| request.path.ends_with("/incident"));
        of_incident.count()
    };
    let before = of_incident();
    for events in 1..=5 {
        edit_status(&stage, json!({"events": events})).await;
    }
    // The watch shows an object that came later once it has shown the writes.
    stage.apply(&[poller("problem", "prod")]).await;
    stage.poller_is("problem", "True Succeeded").await;
    assert_eq!(of_incident(), before);
}
