//! kill -9 at random moments while records change and tokens rotate, with the checkpoint in the status.

use std::time::Duration;

use serde_json::json;
use simulator::receiver::Receiver;

use super::{
    release::Release,
    stage::{Stage, poller, secret},
};
use crate::{
    control_plane::ControlPlane,
    kill::{Kills, Order, TABLES},
};

/// Over what a start takes and the second between two polls.
const LONGEST_LIFE: Duration = Duration::from_millis(2_500);

/// After so long without a notification none is expected any more.
const STILL: Duration = Duration::from_secs(10);

/// Two pollers of an instance that lives on a refresh token.
async fn set(stage: &Stage<'_>) {
    let settings = stage.provider.settings();
    let [_, signing] = stage.secrets();
    let oauth = json!({
        "clientId": settings.client_id,
        "clientSecret": settings.client_secret,
        "refreshToken": stage.provider.issue_refresh_token(),
    });
    let mut instance = stage.instance();
    instance["spec"]["authentication"]["type"] = json!("RefreshToken");
    let mut objects = vec![secret("oauth", oauth), signing, instance];
    objects.extend(TABLES.map(|table| {
        let mut poller = poller(table, "prod");
        poller["spec"]["pageSize"] = json!(5);
        poller
    }));
    stage.apply(&objects).await;
    for table in TABLES {
        stage.poller_is(table, "True Succeeded").await;
    }
}

/// Returns when nothing more arrives: the judgement then says what is missing.
async fn settled(receiver: &Receiver) {
    let mut seen = None;
    while seen != Some(receiver.notifications().len()) {
        let sent = receiver.notifications().len();
        seen = Some(sent);
        // Many at once: the ledger is long by now, and read whole each time.
        let more = receiver.await_notifications(sent + 100, STILL);
        more.await.ok();
    }
}

async fn kill(order: Order) {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    // The same pod each time, as when its container is restarted: its Lease is its own.
    let operator = release.start("pollen-0").await;
    set(&stage).await;
    operator.kill().await;
    let mut kills = Kills::begin(order, (&stage.provider, &stage.callback), LONGEST_LIFE);
    while kills.go_on() {
        let operator = release.start("pollen-0").await;
        kills.moment().await;
        operator.kill().await;
    }
    kills.end();
    let _operator = release.start("pollen-0").await;
    settled(&stage.callback).await;
    kills.judge();
}

#[tokio::test]
async fn no_kill_at_a_random_moment_loses_a_change_or_renames_an_event() {
    kill(Order::of(8)).await;
}

#[tokio::test]
#[ignore = "takes minutes: make kill"]
async fn no_kill_of_many_loses_a_change_or_renames_an_event() {
    kill(Order::given()).await;
}
