//! Pollers of one instance, as far as they must know each other.

use std::collections::{BTreeMap, BTreeSet};

use pollen::api::PollerResource;
use serde_json::{Value, json};

use super::{
    PATIENCE, eventually,
    release::Release,
    stage::{Stage, poller},
};
use crate::control_plane::ControlPlane;

/// A poller that polls when it is started and when it is asked to.
fn rare(resource: &str) -> Value {
    let mut object = poller(resource, "prod");
    object["spec"]["refreshInterval"] = json!("1h");
    object
}

fn requests(stage: &Stage<'_>, table: &str) -> usize {
    let path = format!("/api/now/table/{table}");
    let requests = stage.provider.table_requests();
    requests
        .iter()
        .filter(|request| request.path == path)
        .count()
}

/// Waits until a new poller, which polls each second, has polled five times: whoever is to start anew
/// for its sake has done so by then.
async fn after_some_polls(stage: &Stage<'_>, name: &str, table: &str) {
    stage.poller_is(name, "True Succeeded").await;
    let enough = requests(stage, table) + 5;
    eventually("the new poller polls", async || {
        (requests(stage, table) >= enough).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_new_poller_starts_nobody_anew_whose_records_it_does_not_take() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    let [oauth, signing] = stage.secrets();
    stage
        .apply(&[oauth, signing, stage.instance(), rare("task")])
        .await;
    stage.poller_is("task", "True Succeeded").await;
    let before = requests(&stage, "task");

    stage
        .apply(&[poller("kb_knowledge", "prod")].map(renamed))
        .await;
    after_some_polls(&stage, "kb-knowledge", "kb_knowledge").await;
    assert_eq!(requests(&stage, "task"), before);
}

/// Under a name that Kubernetes takes.
fn renamed(mut object: Value) -> Value {
    let resource = object["metadata"]["name"].take();
    let name = resource.as_str().unwrap().replace('_', "-");
    object["metadata"]["name"] = json!(name);
    object["spec"]["resource"] = resource;
    object
}

#[tokio::test]
async fn a_parent_leaves_records_to_the_poller_of_a_child_that_came_later() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    let [oauth, signing] = stage.secrets();
    stage
        .apply(&[oauth, signing, stage.instance(), rare("task")])
        .await;
    stage.poller_is("task", "True Succeeded").await;
    stage.apply(&[poller("incident", "prod")]).await;
    after_some_polls(&stage, "incident", "incident").await;

    let (incident, problem) = (
        stage.provider.create("incident", &[]),
        stage.provider.create("problem", &[]),
    );
    stage.callback.await_events(1, PATIENCE).await.unwrap();
    stage
        .annotate("task", "pollen.dev/poll-requested-at=now")
        .await;
    stage.callback.await_events(2, PATIENCE).await.unwrap();
    // The parent, which began anew when the child came, may poll before the child does.
    let told: BTreeSet<_> = stage
        .callback
        .events()
        .into_iter()
        .map(|event| (event.object_type, event.object_id))
        .collect();
    let expected = [
        ("incident".to_owned(), incident),
        ("task".to_owned(), problem),
    ];
    assert_eq!(told, expected.into());
}

/// How often each record was told of, under which type.
fn told(stage: &Stage<'_>) -> BTreeMap<String, Vec<String>> {
    let mut told: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for event in stage.callback.acknowledged() {
        let types = told.entry(event.object_id).or_default();
        types.push(event.object_type);
    }
    told
}

/// The parent polls on while the child comes: no record may come from both, and none from nobody.
#[tokio::test]
async fn while_a_child_is_added_each_record_comes_from_one_poller() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    let [oauth, signing] = stage.secrets();
    stage
        .apply(&[oauth, signing, stage.instance(), poller("task", "prod")])
        .await;
    stage.poller_is("task", "True Succeeded").await;

    let mut records = Vec::new();
    let is_told_by_child = || {
        told(&stage)
            .values()
            .flatten()
            .any(|kind| kind == "incident")
    };
    stage.apply(&[poller("incident", "prod")]).await;
    eventually("the child delivers", async || {
        records.push(stage.provider.create("incident", &[]));
        is_told_by_child().then_some(())
    })
    .await;
    eventually("all is told", async || {
        (told(&stage).len() == records.len()).then_some(())
    })
    .await;
    // A second telling would come with the polls that follow.
    let enough = requests(&stage, "task") + 3;
    eventually("the parent polls on", async || {
        (requests(&stage, "task") >= enough).then_some(())
    })
    .await;
    let twice: Vec<_> = told(&stage)
        .into_iter()
        .filter(|(_, types)| types.len() > 1)
        .collect();
    assert_eq!(twice, [], "{} records", records.len());
}

#[tokio::test]
async fn what_a_deleted_child_had_not_delivered_comes_from_its_parent() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    let [oauth, signing] = stage.secrets();
    let mut child = poller("incident", "prod");
    stage
        .apply(&[
            oauth,
            signing,
            stage.instance(),
            poller("task", "prod"),
            child.clone(),
        ])
        .await;
    stage.poller_is("task", "True Succeeded").await;
    stage.poller_is("incident", "True Succeeded").await;
    child["spec"]["suspend"] = json!(true);
    stage.apply(&[child]).await;
    stage.poller_is("incident", "True Suspended").await;

    let left = stage.provider.create("incident", &[]);
    let enough = requests(&stage, "task") + 3;
    eventually("the parent has seen it", async || {
        (requests(&stage, "task") >= enough).then_some(())
    })
    .await;
    assert_eq!(told(&stage).len(), 0);
    stage.delete::<PollerResource>("incident").await;
    stage.callback.await_events(1, PATIENCE).await.unwrap();
    assert_eq!(told(&stage), [(left, vec!["task".to_owned()])].into());
}
