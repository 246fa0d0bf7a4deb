//! The chart, by Helm against a real API server: what it installs, what its pods may do, how it upgrades.

mod crds;
mod install;
mod rights;
mod values;

use crate::control_plane::{ControlPlane, Outcome};

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/pollen");

/// The chart without its CRDs, which are cluster-wide and therefore not every test's to install.
pub(crate) const WITHOUT_CRDS: [&str; 2] = ["--set", "crds.enabled=false"];

/// Installs the release `pollen` into a namespace of its own, which is returned.
async fn install(plane: &ControlPlane, options: &[&str]) -> String {
    let namespace = plane.namespace().await;
    release(
        plane,
        "install",
        &namespace,
        &[&WITHOUT_CRDS, options].concat(),
    )
    .await
    .unwrap();
    namespace
}

pub(crate) async fn release(
    plane: &ControlPlane,
    command: &str,
    namespace: &str,
    options: &[&str],
) -> Outcome {
    plane
        .helm(
            &[
                &[command, "pollen", CHART, "--namespace", namespace],
                options,
            ]
            .concat(),
        )
        .await
}

/// What the chart renders, as JSON objects.
async fn render(plane: &ControlPlane, options: &[&str]) -> Vec<serde_json::Value> {
    let text = release(plane, "template", "pollen-system", options)
        .await
        .unwrap();
    documents(&text)
}

fn documents(text: &str) -> Vec<serde_json::Value> {
    text.split("\n---")
        .map(|document| serde_saphyr::from_str(document).unwrap())
        .filter(|document: &serde_json::Value| document.is_object())
        .collect()
}
