//! What an operator costs that has nothing to do. `make bench-memory` runs this on a release build.

use super::{eventually, release::Release, stage::Stage};
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
