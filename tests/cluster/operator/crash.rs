//! kill -9 while events are delivered.

use std::{collections::BTreeMap, time::Duration};

use simulator::receiver::{Answer, Event};

use super::{PATIENCE, eventually, release::Release, stage::Stage};
use crate::control_plane::ControlPlane;

const RECORDS: usize = 60;

/// What tells one version of a record from another.
fn version(event: &Event) -> (String, String) {
    let count = event.record["sys_mod_count"].as_str().unwrap();
    (event.object_id.clone(), count.to_owned())
}

async fn events_counted(stage: &Stage<'_>) -> usize {
    let status = stage.poller("incident").await.status.unwrap_or_default();
    usize::try_from(status.events.unwrap_or_default()).unwrap()
}

#[tokio::test]
async fn after_a_kill_in_mid_delivery_nothing_is_lost_and_only_the_unstored_repeats_under_the_same_ids()
 {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    stage.set(&["incident"]).await;
    let mut operator = release.start("pollen-0").await;
    stage.poller_is("incident", "True Succeeded").await;
    stage
        .callback
        .answer_always(Answer::Slow(Duration::from_millis(60), 200));
    for _ in 0..RECORDS {
        stage.provider.create("incident", &[]);
    }
    // Each kill comes later in the delivery than the one before, and always between two stores.
    let mut stored = Vec::new();
    for arrived in [5, 30, 50] {
        stage
            .callback
            .await_notifications(arrived, PATIENCE)
            .await
            .unwrap();
        operator.kill().await;
        stored.push((
            events_counted(&stage).await,
            stage.callback.acknowledged().len(),
        ));
        operator = release.start("pollen-0").await;
    }
    let distinct = || {
        let events = stage.callback.acknowledged();
        let mut ids = BTreeMap::<_, Vec<_>>::new();
        for event in events {
            ids.entry(version(&event)).or_default().push(event.event_id);
        }
        ids
    };
    eventually("every record arrived", async || {
        (distinct().len() == RECORDS).then_some(())
    })
    .await;
    for (version, ids) in distinct() {
        assert!(ids.iter().all(|id| *id == ids[0]), "{version:?}: {ids:?}");
    }
    // The first that a stored checkpoint counts are settled: none of them is sent again.
    let (settled, acknowledged) = stored[2];
    let events = stage.callback.acknowledged();
    let before: Vec<_> = events[..settled.min(acknowledged)]
        .iter()
        .map(version)
        .collect();
    let after: Vec<_> = events[acknowledged..].iter().map(version).collect();
    assert!(
        settled > 0,
        "a checkpoint was stored between the kills: {stored:?}"
    );
    let repeated: Vec<_> = after
        .iter()
        .filter(|version| before.contains(version))
        .collect();
    assert!(repeated.is_empty(), "{repeated:?} of {stored:?}");
    drop(operator);
}
