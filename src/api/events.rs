//! Where an instance's events go: `spec.events`.

#![expect(
    unreachable_pub,
    reason = "KubeSchema repeats the struct inside a function"
)]

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::{Callback, Duration};

/// Whether the instance's pollers run, how often, and where their events are posted.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.enabled) || !self.enabled || has(self.callback)").message(
    "is required with events.enabled: write callback.url, where events are posted, or enabled: false"
).reason(Reason::FieldValueRequired).field_path(".callback"))]
pub struct Events {
    /// Whether the instance's pollers run. Default false. Open Connectors:
    /// `event.notification.enabled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// How often the instance's pollers poll, unless they say otherwise: 1s or more, such as `30s`
    /// or `1h30m`. Default `15m`. Open Connectors: `event.poller.refresh_interval`, in minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_interval: Option<Duration>,
    /// Where events are posted, and how. Required with `enabled: true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<Callback>,
}
