//! Deletions that the provider tells, on a real API server.

use simulator::receiver::Signature;

use super::{
    PATIENCE,
    release::Release,
    stage::{Stage, message_of},
};
use crate::control_plane::ControlPlane;

#[tokio::test]
async fn a_deletion_arrives_and_a_withheld_right_is_a_condition_beside_records_that_go_on() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    stage.set(&["incident"]).await;
    stage.poller_is("incident", "True Succeeded").await;
    let incident = stage.provider.create("incident", &[]);
    stage.callback.await_events(1, PATIENCE).await.unwrap();
    stage.provider.delete(&incident);
    let events = stage.callback.await_events(2, PATIENCE).await.unwrap();
    assert_eq!(events[1].kind, "DELETED");
    assert_eq!(events[1].object_id, incident);
    let notification = stage.callback.notifications().pop().unwrap();
    assert_eq!(notification.signature, Signature::Valid);

    let withheld = vec!["sys_audit_delete".to_owned()];
    stage
        .provider
        .configure(|settings| settings.withheld_tables = withheld);
    let told = stage.poller_is("incident", "True DeletesUnavailable").await;
    assert!(message_of(&told).contains("sys_audit_delete"));
    let other = stage.provider.create("incident", &[]);
    stage.callback.await_events(3, PATIENCE).await.unwrap();
    stage.provider.delete(&other);

    stage
        .provider
        .configure(|settings| settings.withheld_tables.clear());
    // Else the list is asked for again in an hour.
    stage
        .annotate("incident", "pollen.dev/poll-requested-at=now")
        .await;
    let events = stage.callback.await_events(4, PATIENCE).await.unwrap();
    assert_eq!(
        (events[3].kind.as_str(), events[3].object_id.as_str()),
        ("DELETED", other.as_str())
    );
    stage.poller_is("incident", "True Succeeded").await;
}
