//! What an edit asks for beyond the next polls: a replay, an earlier start, another question.

use pollen::api::PollerResource;
use serde_json::{Value, json};

use super::{
    PATIENCE, eventually,
    release::Release,
    stage::{Stage, message_of},
    telling::await_event,
};
use crate::control_plane::ControlPlane;

async fn edit(stage: &Stage<'_>, spec: Value) {
    stage
        .edit::<PollerResource>("incident", json!({"spec": spec}))
        .await;
}

#[tokio::test]
async fn a_replay_runs_once_under_the_same_ids_and_moves_no_watermark() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    stage.set(&["incident"]).await;
    stage.poller_is("incident", "True Succeeded").await;
    stage.provider.create("incident", &[]);
    stage.callback.await_events(1, PATIENCE).await.unwrap();
    let settled = stage
        .until("incident", |poller: &PollerResource| {
            let status = poller.status.as_ref();
            status.and_then(|status| status.events) == Some(1)
        })
        .await;

    edit(
        &stage,
        json!({"replay": {"id": "once", "from": "2026-01-01T00:00:00Z"}}),
    )
    .await;
    let events = stage.callback.await_events(2, PATIENCE).await.unwrap();
    assert_eq!(events[0].event_id, events[1].event_id);
    let done = stage
        .until("incident", |poller: &PollerResource| {
            let status = poller.status.as_ref().unwrap();
            let checkpoint = status.checkpoint.as_ref().unwrap();
            let replay = checkpoint.replay.as_ref();
            replay.is_some_and(|replay| replay.done == ["once"])
        })
        .await;
    let watermark = |poller: &PollerResource| {
        let checkpoint = poller.status.as_ref().unwrap().checkpoint.as_ref().unwrap();
        checkpoint.records.watermark
    };
    assert_eq!(watermark(&done), watermark(&settled));
    stage.poller_is("incident", "True Succeeded").await;

    // Another edit keeps the id, and an event behind it shows that polls went on.
    edit(&stage, json!({"pageSize": 50})).await;
    stage.provider.create("incident", &[]);
    stage.callback.await_events(3, PATIENCE).await.unwrap();
    eventually("the poller counts three", async || {
        let status = stage.poller("incident").await.status.unwrap();
        (status.events == Some(3)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_edit_of_the_start_or_of_the_question_is_told() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    stage.set(&["incident"]).await;
    stage.poller_is("incident", "True Succeeded").await;

    edit(&stage, json!({"startFrom": "2026-01-01T00:00:00Z"})).await;
    let told = stage.poller_is("incident", "True StartFromIgnored").await;
    assert!(
        message_of(&told).contains("spec.replay"),
        "{}",
        message_of(&told)
    );

    let url = "/api/now/table/incident?sysparm_query=active=true\
               ^sys_updated_on>=${gmtDate:yyyy-MM-dd HH:mm:ss}";
    let deletes = json!({"mode": "Ignore"});
    edit(
        &stage,
        json!({"startFrom": null, "url": url, "deletes": deletes}),
    )
    .await;
    await_event(&stage, "QueryEdited incident Warning").await;
    stage.poller_is("incident", "True Succeeded").await;
}
