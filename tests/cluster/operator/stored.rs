//! Objects and CRDs of other versions. The CRDs are the cluster's, so these tests have a control plane
//! of their own.

use std::path::PathBuf;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use pollen::api::PollerResource;
use serde_json::{Value, json};

use super::{
    PATIENCE, eventually,
    release::Release,
    stage::{Stage, message_of, poller},
};
use crate::control_plane::ControlPlane;

const CRD: &str = "pollerresources.pollen.dev";

fn generated() -> Value {
    let file =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("crds/pollen.dev_pollerresources.yaml");
    serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn schema(crd: &mut Value) -> &mut Value {
    &mut crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
}

/// Replaces the CRD and waits until the server goes by it, as `shows` tells from a dry run's outcome.
async fn put(stage: &Stage<'_>, crd: &Value, dry_run: &Value, shows: impl Fn(bool) -> bool) {
    let crds: Api<CustomResourceDefinition> = Api::all(stage.client.clone());
    let change = Patch::Merge(json!({"spec": {"versions": crd["spec"]["versions"]}}));
    crds.patch(CRD, &PatchParams::default(), &change)
        .await
        .unwrap();
    eventually("the server goes by the changed CRD", async || {
        shows(is_accepted(stage, dry_run).await).then_some(())
    })
    .await;
}

/// Whether the server would take the object.
async fn is_accepted(stage: &Stage<'_>, object: &Value) -> bool {
    let kind = kube::core::ApiResource::erase::<PollerResource>(&());
    let api: Api<kube::core::DynamicObject> =
        Api::namespaced_with(stage.client.clone(), &stage.namespace, &kind);
    let dry_run = PatchParams {
        dry_run: true,
        ..PatchParams::apply("test").force().validation_strict()
    };
    let name = object["metadata"]["name"].as_str().unwrap();
    api.patch(name, &dry_run, &Patch::Apply(object))
        .await
        .is_ok()
}

#[tokio::test]
async fn an_object_that_an_earlier_rule_let_in_stops_nobody_and_is_taken_when_it_is_mended() {
    let plane = ControlPlane::start().await;
    let stage = Stage::on(&plane).await;
    let release = Release::install(&plane, &stage.namespace, &stage.namespace).await;
    let mut malformed = poller("malformed", "prod");
    malformed["spec"]["resource"] = json!("problem");
    malformed["spec"]["refreshInterval"] = json!("every now and then");

    let mut lax = generated();
    schema(&mut lax)["properties"]["spec"]["properties"]["refreshInterval"] =
        json!({"type": "string"});
    put(&stage, &lax, &malformed, |accepted| accepted).await;
    stage.apply(&[malformed.clone()]).await;
    let mut another = malformed.clone();
    another["metadata"]["name"] = json!("another");
    put(&stage, &generated(), &another, |accepted| !accepted).await;

    let _operator = release.start("pollen-0").await;
    stage.set(&["incident"]).await;
    stage.provider.create("incident", &[]);
    stage.callback.await_events(1, PATIENCE).await.unwrap();
    // Its conditions are read by kubectl, for whom a spec is what it is.
    let reason = r#"{.status.conditions[?(@.type=="Stalled")].reason}"#;
    let told = format!("--for=jsonpath={reason}=MalformedObject");
    let object = ["poller/malformed", "-n", &stage.namespace, "--timeout=60s"];
    plane
        .kubectl(&[&["wait", &told], &object[..]].concat())
        .await
        .unwrap();
    // The watch of the others goes on while the object is touched.
    stage.annotate("malformed", "touched=yes").await;
    stage.apply(&[poller("problems", "prod")]).await;
    stage.poller_is("problems", "True Succeeded").await;

    let mended = json!({"spec": {"refreshInterval": "1s"}});
    stage.edit::<PollerResource>("malformed", mended).await;
    stage.poller_is("malformed", "True Succeeded").await;
}

#[tokio::test]
async fn a_rule_that_is_tightened_later_stops_no_poller_that_was_there_before() {
    let plane = ControlPlane::start().await;
    let stage = Stage::on(&plane).await;
    let release = Release::install(&plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    stage.set(&["incident"]).await;
    stage.poller_is("incident", "True Succeeded").await;
    let mut stricter = generated();
    let spec = &mut schema(&mut stricter)["properties"]["spec"];
    let rules = spec["x-kubernetes-validations"].as_array_mut().unwrap();
    rules.push(json!({"rule": "has(self.pageSize)", "message": "write a pageSize"}));
    put(&stage, &stricter, &poller("another", "prod"), |accepted| {
        !accepted
    })
    .await;

    stage.provider.create("incident", &[]);
    stage.callback.await_events(1, PATIENCE).await.unwrap();
    let counted = |poller: &PollerResource| poller.status.as_ref().unwrap().events == Some(1);
    stage.until("incident", counted).await;
    stage.poller_is("incident", "True Succeeded").await;
}

#[tokio::test]
async fn nothing_is_polled_under_a_crd_that_would_cut_the_status_until_it_is_replaced() {
    let plane = ControlPlane::start().await;
    let stage = Stage::on(&plane).await;
    let release = Release::install(&plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    stage.set(&["incident"]).await;
    let before = stage.provider.create("incident", &[]);
    stage.callback.await_events(1, PATIENCE).await.unwrap();
    stage.poller_is("incident", "True Succeeded").await;
    // Strict validation of a field that a later release might write.
    let mut with_field = poller("incident", "prod");
    with_field["status"] = json!({"lastSettled": "2026-01-01T00:00:00Z"});

    let mut older = generated();
    let status = &mut schema(&mut older)["properties"]["status"]["properties"];
    status
        .as_object_mut()
        .unwrap()
        .remove("lastSettled")
        .unwrap();
    put(&stage, &older, &with_field, |accepted| !accepted).await;
    let first = stage.provider.create("incident", &[]);
    let told = stage
        .poller_is("incident", "False CRDOutdated stalled")
        .await;
    assert!(
        message_of(&told).contains("apply the CRDs"),
        "{}",
        message_of(&told)
    );
    stage.provider.clear_requests();
    let second = stage.provider.create("incident", &[]);

    put(&stage, &generated(), &with_field, |accepted| accepted).await;
    assert!(
        stage.provider.table_requests().is_empty(),
        "nothing was polled meanwhile"
    );
    stage.poller_is("incident", "True Succeeded").await;
    stage.callback.await_events(3, PATIENCE).await.unwrap();
    let events = stage.callback.events();
    let ids: Vec<_> = events.iter().map(|event| &event.object_id).collect();
    assert_eq!(
        ids,
        [&before, &first, &second],
        "each once, the refused checkpoint's too"
    );
}
