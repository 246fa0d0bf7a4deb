//! A provider whose pages come to no end.

use pollen::api::{PollerResource, conditions};
use serde_json::json;
use simulator::servicenow::Links;

use super::{
    release::Release,
    stage::{Conditioned as _, Stage, message_of, poller},
    telling::await_event,
};
use crate::control_plane::ControlPlane;

/// A poller of the whole table, page after page behind the links.
fn by_links() -> serde_json::Value {
    let mut of_all = poller("incident", "prod");
    of_all["spec"]["url"] = json!("/api/now/table/incident?sysparm_fields=number,state");
    of_all["spec"]["filterByUpdatedDate"] = json!(false);
    of_all["spec"]["pageSize"] = json!(10);
    of_all
}

#[tokio::test]
async fn a_poller_whose_sweeps_never_end_is_not_ready_through_a_restart_until_one_does() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let operator = release.start("pollen-0").await;
    stage
        .provider
        .configure(|settings| settings.sends_total = false);
    for _ in 0..15 {
        stage.provider.create("incident", &[]);
    }
    let [oauth, signing] = stage.secrets();
    stage
        .apply(&[oauth, signing, stage.instance(), by_links()])
        .await;
    stage.poller_is("incident", "True Findings").await;

    let lead = |links| {
        stage.provider.configure(|settings| settings.links = links);
    };
    lead(Links::Circular);
    stage.poller_is("incident", "True SweepUnfinished").await;
    let failing = stage.poller_is("incident", "False SweepUnfinished").await;
    assert!(message_of(&failing).contains("lead in a circle"));
    await_event(&stage, "SweepUnfinished incident Warning").await;

    operator.kill().await;
    let polls = || stage.provider.table_requests().len();
    let before = polls();
    let _operator = release.start("pollen-1").await;
    super::eventually("it polls again", async || {
        (polls() > before + 4).then_some(())
    })
    .await;
    let ready = |poller: &PollerResource| {
        conditions::find(&poller.conditions(), "Ready")
            .cloned()
            .unwrap()
    };
    assert_eq!(ready(&stage.poller("incident").await), ready(&failing));
    stage.instance_is("prod", "True Succeeded").await;

    lead(Links::Absolute);
    stage.poller_is("incident", "True Findings").await;
    let recovered = stage.poller("incident").await;
    assert!(conditions::find(&recovered.conditions(), "SweepComplete").is_none());
}
