//! CRDs are the cluster's, so these tests have a control plane of their own.

use std::path::{Path, PathBuf};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::Api;
use serde_json::{Value, json};

use super::{CHART, render};
use crate::control_plane::ControlPlane;

const KEEP: &str = "helm.sh/resource-policy";

/// The generated CRDs that stand in the chart.
fn generated() -> Vec<Value> {
    let files =
        std::fs::read_dir(Path::new(CHART).join("crds-files")).expect("charts/pollen/crds-files");
    let crds: Vec<Value> = files
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .map(|text| serde_saphyr::from_str(&text).unwrap())
        .collect();
    assert!(!crds.is_empty());
    crds
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap()
}

#[tokio::test]
async fn the_rendered_crds_are_the_generated_ones_but_for_labels_and_annotations() {
    let options = ["--set", "crds.annotations.owner=platform"];
    let objects = render(ControlPlane::shared().await, &options).await;
    for crd in generated() {
        let rendered = objects
            .iter()
            .find(|object| object["metadata"]["name"] == crd["metadata"]["name"])
            .unwrap();
        assert_eq!(rendered["spec"], crd["spec"], "{}", name(&crd));
        assert_eq!(rendered["metadata"]["annotations"]["owner"], "platform");
        assert_eq!(rendered["metadata"]["annotations"][KEEP], "keep");
    }
}

/// A copy of the chart whose CRDs have one more category, as a later version's might.
fn later_version(folder: &Path) -> PathBuf {
    let status = std::process::Command::new("cp")
        .arg("-r")
        .arg(CHART)
        .arg(folder)
        .status()
        .unwrap();
    assert!(status.success());
    let chart = folder.join("pollen");
    for file in std::fs::read_dir(chart.join("crds-files")).unwrap() {
        let path = file.unwrap().path();
        let mut crd: Value =
            serde_saphyr::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let categories = &mut crd["spec"]["names"]["categories"];
        match categories.as_array_mut() {
            Some(categories) => categories.push(json!("later")),
            None => *categories = json!(["later"]),
        }
        std::fs::write(&path, serde_saphyr::to_string(&crd).unwrap()).unwrap();
    }
    chart
}

#[tokio::test]
async fn crds_upgrade_with_the_release_and_outlive_it_unless_told_otherwise() {
    let plane = ControlPlane::start().await;
    let crds: Api<CustomResourceDefinition> = Api::all(plane.kube_client().await);
    let namespace = plane.namespace().await;
    let helm = async |command: &str, chart: &str, options: &[&str]| {
        plane
            .helm(
                &[
                    &[command, "pollen", chart, "--namespace", &namespace],
                    options,
                ]
                .concat(),
            )
            .await
            .unwrap()
    };
    let uninstall = async || {
        plane
            .helm(&["uninstall", "pollen", "--namespace", &namespace])
            .await
            .unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let later = later_version(folder.path());

    helm("install", CHART, &[]).await;
    for crd in generated() {
        let established = kube::runtime::wait::conditions::is_crd_established();
        kube::runtime::wait::await_condition(crds.clone(), name(&crd), established)
            .await
            .unwrap();
    }

    helm("upgrade", later.to_str().unwrap(), &[]).await;
    for crd in generated() {
        let categories = crds
            .get(name(&crd))
            .await
            .unwrap()
            .spec
            .names
            .categories
            .unwrap();
        assert!(
            categories.contains(&"later".to_owned()),
            "{}: {categories:?}",
            name(&crd)
        );
    }

    uninstall().await;
    for crd in generated() {
        let left = crds.get(name(&crd)).await.unwrap();
        assert!(
            left.metadata.deletion_timestamp.is_none(),
            "{} is kept",
            name(&crd)
        );
    }

    helm("install", CHART, &["--set", "crds.keep=false"]).await;
    uninstall().await;
    for crd in generated() {
        let gone =
            kube::runtime::wait::await_condition(crds.clone(), name(&crd), |crd: Option<&_>| {
                crd.is_none()
            });
        gone.await.unwrap();
    }
}
