use futures::stream;
use serde_json::{Value, json};

use super::*;
use crate::{
    api::{PollerResource, PollerResourceSpec},
    operator::fake_api::FakeApi,
    telemetry::Readiness,
};

struct Rig {
    cache: Cache,
    changes: mpsc::UnboundedReceiver<Change>,
    readiness: Readiness,
}

type Guarded = DeserializeGuard<Watched<PollerResourceSpec>>;

fn poller(name: &str, spec: Value) -> Guarded {
    let object = json!({
        "apiVersion": "pollen.dev/v1alpha1", "kind": "PollerResource",
        "metadata": {"namespace": "helpdesk", "name": name, "uid": name, "generation": 1},
        "spec": spec, "status": {"events": "a status of another release"},
    });
    serde_json::from_value(object).unwrap()
}

async fn follow(events: Vec<Event<Guarded>>) -> Rig {
    let (sender, changes) = mpsc::unbounded_channel();
    let (cache, readiness) = (Cache::default(), Readiness::default());
    let client = FakeApi::default().client();
    let watch = Watch {
        client,
        cache: cache.clone(),
        changes: sender,
        namespace: None,
        unsynced: readiness.expect_cache(),
    };
    let kind = ApiResource::erase::<PollerResource>(&());
    watch
        .follow_objects(&kind, stream::iter(events.into_iter().map(Ok)))
        .await;
    Rig {
        cache,
        changes,
        readiness,
    }
}

fn valid(name: &str) -> Guarded {
    poller(name, json!({"instanceRef": {"name": "prod"}}))
}

#[tokio::test]
async fn a_malformed_object_leaves_the_others_polled() {
    let events = vec![
        Event::Init,
        Event::InitApply(poller("broken", json!(7))),
        Event::InitApply(valid("good")),
        Event::InitDone,
    ];
    let rig = follow(events).await;
    let group = rig.cache.group(&Key::new("helpdesk", "prod"));
    assert_eq!(group.pollers.keys().collect::<Vec<_>>(), ["good"]);
    assert!(rig.readiness.is_ready());
}

#[tokio::test]
async fn the_caches_are_in_sync_only_after_a_complete_list() {
    let rig = follow(vec![Event::Init, Event::InitApply(valid("good"))]).await;
    assert!(!rig.readiness.is_ready());
}

#[tokio::test]
async fn what_vanished_while_the_watch_was_broken_is_taken_out() {
    let first = [
        Event::Init,
        Event::InitApply(valid("one")),
        Event::InitApply(valid("two")),
        Event::InitDone,
    ];
    let second = [Event::Init, Event::InitApply(valid("two")), Event::InitDone];
    let mut rig = follow(first.into_iter().chain(second).collect()).await;
    let prod = Key::new("helpdesk", "prod");
    assert_eq!(
        rig.cache.group(&prod).pollers.keys().collect::<Vec<_>>(),
        ["two"]
    );
    let mut told = Vec::new();
    while let Ok(change) = rig.changes.try_recv() {
        told.push(change);
    }
    assert_eq!(told, vec![Change::Objects(prod); 3]);
}

fn secret(name: &str, version: &str) -> PartialObjectMeta<Secret> {
    let metadata = json!({"namespace": "helpdesk", "name": name, "resourceVersion": version});
    serde_json::from_value(json!({"metadata": metadata})).unwrap()
}

#[test]
fn a_list_that_begins_anew_shows_only_the_secrets_that_changed_meanwhile() {
    let mut versions = Versions::default();
    for event in [
        Event::Init,
        Event::InitApply(secret("a", "1")),
        Event::InitApply(secret("b", "2")),
    ] {
        assert!(versions.take(event).is_empty());
    }
    assert_eq!(versions.take(Event::InitDone).len(), 2);
    for event in [Event::Init, Event::InitApply(secret("a", "1"))] {
        assert!(versions.take(event).is_empty());
    }
    assert_eq!(versions.take(Event::InitDone), [Key::new("helpdesk", "b")]);
}
