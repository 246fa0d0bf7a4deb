//! What an operator costs that has nothing to do. `make bench-memory` runs this on a release build.

use std::time::Instant;

use serde_json::json;

use super::{
    eventually,
    process::Operator,
    release::Release,
    stage::{Stage, poller},
};
use crate::control_plane::ControlPlane;

const GOAL_KIB: u64 = 40 * 1024;

#[tokio::test]
#[ignore = "a debug build is larger: make bench-memory"]
async fn an_operator_at_rest_fits_into_forty_mebibytes() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let operator = release.start("pollen-0").await;
    operator.await_leadership().await;
    println!("idle, without objects: {} KiB", operator.resident_kib());
    stage.set(&["incident"]).await;
    stage.provider.create("incident", &[]);
    stage
        .callback
        .await_events(1, super::PATIENCE)
        .await
        .unwrap();
    let polls = async || {
        operator
            .metric("pollen_polls_total{result=\"complete\"}")
            .await
    };
    eventually("ten polls", async || {
        polls().await.filter(|polls| *polls >= 10.0)
    })
    .await;
    let resident = operator.resident_kib();
    println!("at rest, one instance and one poller: {resident} KiB");
    assert!(resident <= GOAL_KIB, "{resident} KiB");
}

const FLEET: usize = 1_000;
/// Against growth: what was measured when this was written, and a quarter more.
const MOST_PER_POLLER_KIB: f64 = 40.0;

async fn await_polls(operator: &Operator, wanted: f64) {
    let polls = async || {
        operator
            .metric("pollen_polls_total{result=\"complete\"}")
            .await
    };
    eventually("the pollers polled", async || {
        polls().await.filter(|polls| *polls >= wanted)
    })
    .await;
}

#[tokio::test]
#[ignore = "a debug build is larger: make bench-memory"]
async fn a_fleet_at_rest_costs_no_more_than_it_did() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    stage.set(&["incident"]).await;
    let operator = release.start("pollen-0").await;
    await_polls(&operator, 10.0).await;
    let alone = operator.resident_kib();
    operator.kill().await;
    let fleet: Vec<_> = (0..FLEET).map(rare).collect();
    stage.apply(&fleet).await;
    let fleet = f64::from(u32::try_from(FLEET).unwrap());

    let begun = Instant::now();
    let operator = release.start("pollen-0").await;
    await_polls(&operator, fleet).await;
    println!("{FLEET} new pollers polled after {:?}", begun.elapsed());
    operator.kill().await;
    let begun = Instant::now();
    let operator = release.start("pollen-0").await;
    await_polls(&operator, fleet).await;
    println!("{FLEET} pollers resumed after {:?}", begun.elapsed());
    let resident = operator.resident_kib();
    let each = f64::from(u32::try_from(resident.saturating_sub(alone)).unwrap()) / fleet;
    println!("{FLEET} pollers at rest: {resident} KiB, {each:.1} KiB each");
    assert!(each <= MOST_PER_POLLER_KIB, "{each} KiB");
}

/// A poller that polls once.
fn rare(number: usize) -> serde_json::Value {
    let mut object = poller(&format!("incident-{number}"), "prod");
    object["spec"]["resource"] = json!("incident");
    object["spec"]["refreshInterval"] = json!("1h");
    object
}
