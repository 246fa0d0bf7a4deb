//! Objects for tests.

use chrono::DateTime;
use serde_json::json;

use super::{
    cache::{InstanceItem, PollerItem},
    item::{Item, Key},
};

pub(super) fn instance(name: &str) -> InstanceItem {
    item(
        name,
        serde_json::from_value(json!({
            "connector": "servicenowoauth",
            "authentication": {"secretRef": {"name": "oauth"}, "type": "Basic"},
            "events": {"enabled": true, "callback": {"url": "https://receiver.example/events"}},
        }))
        .unwrap(),
    )
}

pub(super) fn poller(name: &str, instance: &str) -> PollerItem {
    item(
        name,
        serde_json::from_value(json!({"instanceRef": {"name": instance}})).unwrap(),
    )
}

fn item<S>(name: &str, spec: S) -> Item<S> {
    Item {
        key: Key::new("helpdesk", name),
        uid: format!("uid-of-{name}"),
        generation: 1,
        created_at: DateTime::UNIX_EPOCH,
        poll_requested_at: None,
        resume_delivery: None,
        spec,
    }
}
