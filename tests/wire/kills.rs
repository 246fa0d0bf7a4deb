//! kill -9 at random moments while records change and tokens rotate.

use std::time::Duration;

use serde_json::json;

use crate::{
    harness::World,
    kill::{Kills, Order, TABLES},
};

/// Over the second between two polls.
const LONGEST_LIFE: Duration = Duration::from_millis(1_200);

/// Two pollers whose events come one by one, and a refresh token that is renewed at each start.
async fn world() -> World {
    let world = World::new().await;
    world.set_callback("maxEventsPerNotification", json!(1));
    world.manifests.edit("servicenow", |instance| {
        let authentication = &mut instance["spec"]["authentication"];
        authentication["type"] = json!("AuthorizationCode");
        authentication["redirectUri"] = json!("https://mycoolapp.com/oauth");
    });
    for table in TABLES {
        world.poller(table, json!({"pageSize": 5}));
    }
    // The code serves once, whoever is killed: it has done its part before.
    world.poll_well().await;
    world
}

async fn kill(order: Order) {
    let world = world().await;
    let mut kills = Kills::begin(order, (&world.instance, &world.receiver), LONGEST_LIFE);
    while kills.go_on() {
        let pollen = world.start();
        kills.moment().await;
        pollen.kill().await;
    }
    kills.end();
    world.poll_well().await;
    kills.judge();
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test]
async fn no_kill_at_a_random_moment_loses_a_change_or_renames_an_event() {
    kill(Order::of(20)).await;
}

#[tokio::test]
#[ignore = "takes minutes: make kill"]
async fn no_kill_of_many_loses_a_change_or_renames_an_event() {
    kill(Order::given()).await;
}
