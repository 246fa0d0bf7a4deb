//! What a poll without a change costs the API server: nothing.

use super::{eventually, release::Release, stage::Stage};
use crate::{audit::Request, control_plane::ControlPlane};

const POLLS: usize = 10;

/// Writes but for the renewals of the Lease, which come every few seconds whether anything is polled
/// or not.
fn writes(requests: &[Request]) -> Vec<String> {
    let writes = requests.iter().filter(|request| request.is_write());
    let others = writes.filter(|request| request.object.resource != "leases");
    others
        .map(|request| {
            format!(
                "{} {} {}",
                request.verb, request.object.resource, request.object.subresource
            )
        })
        .collect()
}

#[tokio::test]
async fn ten_idle_polls_send_no_event_and_write_nothing_to_the_api_server() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    stage.set(&["incident", "problem"]).await;
    let record = stage.provider.create("incident", &[]);
    let _operator = release.start("pollen-0").await;
    stage
        .callback
        .await_events(1, super::PATIENCE)
        .await
        .unwrap();
    for poller in ["incident", "problem"] {
        stage.poller_is(poller, "True Succeeded").await;
    }
    stage.instance_is("prod", "True Succeeded").await;

    let before = stage.plane.requests_by(&release.user()).await;
    stage.provider.clear_requests();
    let polls = |table: &str| {
        let path = format!("/api/now/table/{table}");
        let requests = stage.provider.table_requests();
        requests
            .iter()
            .filter(|request| request.path == path)
            .count()
    };
    eventually("both pollers polled often", async || {
        (polls("incident") >= POLLS && polls("problem") >= POLLS).then_some(())
    })
    .await;
    let after = stage.plane.requests_by(&release.user()).await;

    assert_eq!(writes(&after[before.len()..]), Vec::<String>::new());
    assert!(
        !writes(&before).is_empty(),
        "the audit log shows the operator's writes"
    );
    let told: Vec<_> = stage
        .callback
        .events()
        .into_iter()
        .map(|event| event.object_id)
        .collect();
    assert_eq!(told, [record]);
}

#[tokio::test]
async fn the_lease_is_renewed_at_its_own_pace_however_much_is_polled() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let operator = release.start("pollen-0").await;
    operator.await_leadership().await;
    let renewals = async || {
        let requests = stage.plane.requests_by(&release.user()).await;
        let leases = requests
            .iter()
            .filter(|request| request.object.resource == "leases");
        leases.filter(|request| request.is_write()).count()
    };
    let (begun, first) = (std::time::Instant::now(), renewals().await);
    eventually("the Lease was renewed", async || {
        (renewals().await >= first + 3).then_some(())
    })
    .await;
    // A sixth of six seconds.
    assert!(
        begun.elapsed().as_secs_f64() >= 2.0,
        "{:?}",
        begun.elapsed()
    );
}
