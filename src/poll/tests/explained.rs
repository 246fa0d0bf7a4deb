//! What is told of a record is what the polls do with it.

use chrono::TimeDelta;
use serde_json::json;

use super::world::{BEGIN, World, at};
use crate::{
    poll::{CheckpointStore as _, Child, Explainer, Explanation, Fate},
    provider::{Ask, PageSource as _, Step},
};

/// What is told of every record that the provider holds, each with its id.
async fn told(world: &World) -> Vec<(String, Explanation)> {
    let mut store = world.store.clone();
    let stored = store.load().await.unwrap();
    let explainer = Explainer::open(&world.plan, world, stored, &mut store, &world.clock).await;
    let explainer = explainer.unwrap();
    let everything = Ask {
        bound: world.bound(at(-1_000_000)),
        until: None,
        step: Step::First,
    };
    world.provider().paging.page_size = 100;
    let page = world.fetch(&everything).await.unwrap();
    let mut told = Vec::new();
    page.rows(|row| {
        let id = row.id.as_deref().unwrap_or_default().to_owned();
        told.push((id, explainer.explain(&row)));
    })
    .unwrap();
    told
}

async fn fate(world: &World, id: &str) -> Fate {
    let told = told(world).await;
    let found = told.into_iter().find(|(other, _)| other == id);
    found.unwrap().1.fate
}

#[tokio::test(start_paused = true)]
async fn what_is_told_of_the_next_poll_is_what_it_delivers() {
    let mut world = World::started().await;
    world.plan.children.push(Child {
        class: "child".to_owned(),
        uid: "child-uid".to_owned(),
        query_fingerprint: "all of the class".to_owned(),
        started_at: Some(at(0)),
        reached: None,
    });
    world.pass(100).await;
    for (id, second) in [("a", 40), ("b", 90), ("c", 95)] {
        world.provider().touch_at(id, second);
    }
    world.poll_well().await;
    world.pass(50).await;
    for (id, second) in [("late", 66), ("too late", 64), ("b", 120), ("new", 140)] {
        world.provider().touch_at(id, second);
    }
    world.provider().touch_at("child's", 130).class = "child";
    world.provider().touch_at("odd", 130).odd = Some(json!({"sys_id": "odd"}));
    let due = told(&world).await;
    let mut due: Vec<_> = due
        .into_iter()
        .filter_map(|(id, known)| match known.fate {
            Fate::Due(kind) => Some((id, kind, known.event.unwrap())),
            _ => None,
        })
        .collect();
    let got = world.poll_well().await.into_iter();
    let mut got: Vec<_> = got.map(|got| (got.id, got.kind, got.event)).collect();
    due.sort_by_key(|(id, ..)| id.clone());
    got.sort_by_key(|(id, ..)| id.clone());
    assert_eq!(due, got);
    assert_eq!(got.len(), 3);
    for (id, _, event) in &got {
        let told = told(&world).await;
        let (_, known) = told.iter().find(|(other, _)| other == id).unwrap();
        let fate = if id == "late" {
            Fate::Passed
        } else {
            Fate::Settled
        };
        assert_eq!(known.fate, fate, "{id}");
        assert_eq!(known.event.as_ref(), Some(event), "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_reason_to_send_nothing_is_told_apart() {
    let mut world = World::started().await;
    world.plan.excluded_classes = ["child".to_owned()].into();
    world.plan.drop_after_clock = true;
    world.pass(100).await;
    world.provider().touch_at("settled", 90);
    world.poll_well().await;
    world.provider().touch_at("early", -1);
    world.provider().touch_at("behind", 10);
    world.provider().touch_at("tomorrow", 90_000);
    world.provider().touch_at("child's", 95).class = "child";
    world.provider().touch_at("odd", 95).odd =
        Some(json!({"sys_id": "odd", "sys_updated_on": "yesterday"}));
    assert_eq!(fate(&world, "settled").await, Fate::Settled);
    assert_eq!(fate(&world, "early").await, Fate::BeforeStart);
    assert_eq!(fate(&world, "behind").await, Fate::Passed);
    assert_eq!(fate(&world, "tomorrow").await, Fate::AfterClock);
    assert_eq!(
        fate(&world, "child's").await,
        Fate::Excluded("child".into())
    );
    assert!(matches!(fate(&world, "odd").await, Fate::Bad(why) if why.contains("yesterday")));
}

#[tokio::test(start_paused = true)]
async fn a_version_still_in_the_window_is_known_as_settled_behind_the_bound() {
    let mut world = World::started().await;
    world.plan.reach = TimeDelta::seconds(60);
    world.pass(100).await;
    world.provider().touch_at("a", 50);
    world.provider().touch_at("b", 100);
    world.poll_well().await;
    world.plan.reach = TimeDelta::seconds(10);
    assert_eq!(fate(&world, "a").await, Fate::Settled);
}

#[tokio::test(start_paused = true)]
async fn a_poller_without_a_checkpoint_is_told_of_as_if_it_began_now() {
    let world = World::new();
    world.provider().touch_at("a", 0).odd = Some(json!({
        "sys_id": "a", "sys_updated_on": (BEGIN + 5) * 1_000, "sys_mod_count": "1",
    }));
    let told = told(&world).await;
    assert!(!told[0].1.begun);
    assert!(matches!(told[0].1.fate, Fate::Due(_)));
    assert_eq!(world.store.written(), 0);
}
