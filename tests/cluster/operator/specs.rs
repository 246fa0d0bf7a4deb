//! What an edit of the manifests changes, and what it leaves alone.

use pollen::api::{ConnectorInstance, PollerResource};
use serde_json::{Value, json};

use super::{
    PATIENCE, eventually,
    release::Release,
    stage::{Stage, message_of, poller},
};
use crate::control_plane::ControlPlane;

fn annotated(key: &str, value: &str) -> Value {
    json!({"metadata": {"annotations": {key: value}}})
}

/// Waits until the next poll of a table, and the ones that it may have overtaken, are over.
async fn another_poll(stage: &Stage<'_>) {
    let before = stage.provider.table_requests().len();
    let polled = || stage.provider.table_requests().len() >= before + 2;
    eventually("another poll", async || polled().then_some(())).await;
}

fn ids(stage: &Stage<'_>) -> Vec<String> {
    stage
        .callback
        .events()
        .into_iter()
        .map(|event| event.object_id)
        .collect()
}

#[tokio::test]
async fn an_edit_of_interval_and_url_acts_at_once_and_keeps_the_checkpoint() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    let mut objects = stage.secrets().to_vec();
    objects.extend([stage.instance(), poller("incident", "prod")]);
    objects[3]["spec"]["refreshInterval"] = json!("1h");
    stage.apply(&objects).await;
    stage.poller_is("incident", "True Succeeded").await;
    let first = stage.provider.create("incident", &[("active", "true")]);

    let edited = json!({"spec": {"refreshInterval": "1s"}});
    stage.edit::<PollerResource>("incident", edited).await;
    stage.callback.await_events(1, PATIENCE).await.unwrap();
    let url = "/api/now/table/incident?sysparm_query=active=true^sys_updated_on>${gmtDate:yyyy-MM-dd HH:mm:ss}";
    stage
        .edit::<PollerResource>("incident", json!({"spec": {"url": url}}))
        .await;
    stage
        .until("incident", |poller: &PollerResource| {
            poller
                .status
                .as_ref()
                .and_then(|status| status.observed_generation)
                == Some(3)
        })
        .await;
    let started = |poller: PollerResource| poller.status.unwrap().checkpoint.unwrap().started_at;
    let start = started(stage.poller("incident").await);
    stage.provider.create("incident", &[("active", "false")]);
    let second = stage.provider.create("incident", &[("active", "true")]);
    stage.callback.await_events(2, PATIENCE).await.unwrap();
    another_poll(&stage).await;

    assert_eq!(ids(&stage), [first, second]);
    assert_eq!(started(stage.poller("incident").await), start);
}

#[tokio::test]
async fn a_suspended_poller_rests_and_tells_what_it_missed_when_it_goes_on() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    stage.set(&["incident"]).await;
    stage.poller_is("incident", "True Succeeded").await;

    stage
        .edit::<PollerResource>("incident", json!({"spec": {"suspend": true}}))
        .await;
    let suspended = stage.poller_is("incident", "True Suspended").await;
    assert_eq!(suspended.status.unwrap().observed_generation, Some(2));
    stage.provider.clear_requests();
    let missed = stage.provider.create("incident", &[]);
    stage
        .edit::<ConnectorInstance>("prod", json!({"spec": {"suspend": true}}))
        .await;
    stage.instance_is("prod", "True Suspended").await;
    assert!(stage.provider.table_requests().is_empty());

    stage
        .edit::<PollerResource>("incident", json!({"spec": {"suspend": false}}))
        .await;
    stage
        .edit::<ConnectorInstance>("prod", json!({"spec": {"suspend": null}}))
        .await;
    stage.callback.await_events(1, PATIENCE).await.unwrap();
    stage.poller_is("incident", "True Succeeded").await;
    assert_eq!(ids(&stage), [missed]);
}

#[tokio::test]
async fn a_deleted_poller_polls_no_more_and_leaves_the_board() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let operator = release.start("pollen-0").await;
    stage.set(&["incident", "problem"]).await;
    for poller in ["incident", "problem"] {
        stage.poller_is(poller, "True Succeeded").await;
    }
    stage.delete::<PollerResource>("problem").await;
    let board = async || operator.get("/debug/pollers").await.1;
    eventually("the board shows one poller", async || {
        let board = board().await;
        (board.contains("incident") && !board.contains("problem")).then_some(())
    })
    .await;
    assert_eq!(operator.metric("pollen_pollers").await, Some(1.0));
    stage.provider.clear_requests();
    another_poll(&stage).await;
    let requests = stage.provider.table_requests();
    assert!(
        !requests
            .iter()
            .any(|request| request.path.ends_with("/problem"))
    );
}

#[tokio::test]
async fn a_poll_request_acts_once() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let operator = release.start("pollen-0").await;
    let mut objects = stage.secrets().to_vec();
    objects.extend([stage.instance(), poller("incident", "prod")]);
    objects[3]["spec"]["refreshInterval"] = json!("1h");
    stage.apply(&objects).await;
    stage.poller_is("incident", "True Succeeded").await;
    let polls = async || {
        operator
            .metric("pollen_polls_total{result=\"complete\"}")
            .await
    };
    eventually("the first poll", async || {
        (polls().await == Some(1.0)).then_some(())
    })
    .await;

    let first = stage.provider.create("incident", &[]);
    let request = annotated("pollen.dev/poll-requested-at", "one");
    stage
        .edit::<PollerResource>("incident", request.clone())
        .await;
    stage.callback.await_events(1, PATIENCE).await.unwrap();
    let handled = |value: &'static str| {
        move |poller: &PollerResource| {
            let status = poller.status.as_ref().unwrap();
            status.last_handled_poll_request.as_deref() == Some(value)
        }
    };
    stage.until("incident", handled("one")).await;
    // Away and back again: the same request, which was acted on.
    let none = json!({"metadata": {"annotations": {"pollen.dev/poll-requested-at": null}}});
    stage.edit::<PollerResource>("incident", none).await;
    stage.edit::<PollerResource>("incident", request).await;
    let second = stage.provider.create("incident", &[]);
    stage
        .edit::<PollerResource>("incident", annotated("pollen.dev/poll-requested-at", "two"))
        .await;
    stage.callback.await_events(2, PATIENCE).await.unwrap();
    stage.until("incident", handled("two")).await;

    assert_eq!(ids(&stage), [first, second]);
    eventually("three polls", async || {
        (polls().await == Some(3.0)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn with_events_off_nothing_is_polled_and_switching_them_on_is_where_now_begins() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    let mut objects = stage.secrets().to_vec();
    objects.extend([stage.instance(), poller("incident", "prod")]);
    objects[2]["spec"]["events"]["enabled"] = json!(false);
    stage.apply(&objects).await;
    stage.instance_is("prod", "True EventsDisabled").await;
    stage.poller_is("incident", "True EventsDisabled").await;
    assert!(stage.provider.requests().is_empty());
    let earlier = "2020-01-01 00:00:00";
    stage.provider.create(
        "incident",
        &[("sys_updated_on", earlier), ("sys_created_on", earlier)],
    );

    stage
        .edit::<ConnectorInstance>("prod", json!({"spec": {"events": {"enabled": true}}}))
        .await;
    stage.poller_is("incident", "True Succeeded").await;
    let told = stage.provider.create("incident", &[]);
    stage.callback.await_events(1, PATIENCE).await.unwrap();
    assert_eq!(ids(&stage), [told]);
    let instance = stage.instance_is("prod", "True Succeeded").await;
    let enabled = instance.status.unwrap().events_enabled_at.unwrap();
    let start = stage
        .poller("incident")
        .await
        .status
        .unwrap()
        .checkpoint
        .unwrap()
        .started_at;
    assert!(
        (start - enabled).num_seconds().abs() <= 1,
        "{start} {enabled}"
    );
}

#[tokio::test]
async fn a_poller_without_its_instance_waits_for_it() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    stage.apply(&[poller("incident", "prod")]).await;
    let waiting = stage.poller_is("incident", "False InstanceNotFound").await;
    assert!(
        message_of(&waiting).contains("\"prod\""),
        "{}",
        message_of(&waiting)
    );
    stage.set(&["incident"]).await;
    stage.poller_is("incident", "True Succeeded").await;
    stage.delete::<ConnectorInstance>("prod").await;
    stage.poller_is("incident", "False InstanceNotFound").await;
}

#[tokio::test]
async fn an_instance_that_was_applied_before_its_secret_tells_what_changed_in_between() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    let [oauth, signing] = stage.secrets();
    stage
        .apply(&[signing, stage.instance(), poller("incident", "prod")])
        .await;
    stage.instance_is("prod", "False SecretNotFound").await;
    stage.poller_is("incident", "False InstanceNotReady").await;
    // A second later than the objects, so that it is theirs to tell.
    let between = stage.provider.create("incident", &[]);
    stage.apply(&[oauth]).await;
    stage.callback.await_events(1, PATIENCE).await.unwrap();
    assert_eq!(ids(&stage), [between]);
    stage.instance_is("prod", "True Succeeded").await;
}
