//! `helm upgrade` while events are delivered.

use std::{collections::BTreeSet, time::Duration};

use simulator::receiver::Answer;

use super::{PATIENCE, release::Release, stage::Stage};
use crate::control_plane::ControlPlane;

#[tokio::test]
async fn an_upgrade_in_mid_delivery_loses_and_repeats_nothing() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    stage.set(&["incident"]).await;
    let old = release.start("pollen-old").await;
    stage.poller_is("incident", "True Succeeded").await;
    stage
        .callback
        .answer_always(Answer::Slow(Duration::from_millis(100), 200));
    for _ in 0..40 {
        stage.provider.create("incident", &[]);
    }
    stage
        .callback
        .await_notifications(5, PATIENCE)
        .await
        .unwrap();
    release
        .upgrade(&["--set", "apiWritesPerSecond=200,logLevel=debug"])
        .await;
    // As a rolling update does: the new pod is there before the old one is asked to end.
    let new = release.start("pollen-new").await;
    assert!(old.leads().await);
    let (_, status) = old.terminate().await;
    assert!(status.success(), "{status}");
    new.await_leadership().await;
    stage.callback.await_events(40, PATIENCE).await.unwrap();
    stage.poller_is("incident", "True Succeeded").await;
    assert!(
        new.log().contains("DEBUG"),
        "it runs with the new arguments"
    );
    let events = stage.callback.events();
    let told: BTreeSet<_> = events.iter().map(|event| &event.object_id).collect();
    assert_eq!((told.len(), events.len()), (40, 40));
}
