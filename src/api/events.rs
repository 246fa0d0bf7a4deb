//! Where an instance's events go: `spec.events`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Duration, SecretRef};

/// `spec.events`: whether the instance polls, how often, and who is told.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Events {
    /// Whether its pollers run. Default false, as `event.notification.enabled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// How often its pollers poll unless they say otherwise. Default 15m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_interval: Option<Duration>,
    /// Where notifications are posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<Callback>,
}

/// `spec.events.callback`: the receiver and how it wants its notifications.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Callback {
    /// Where notifications are posted (`event.notification.callback.url`).
    pub url: String,
    /// The form of the notifications. Default OpenConnectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<EventFormat>,
    /// How notifications are signed; unsigned without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing: Option<Signing>,
    /// Events in one notification at most. Default 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_events_per_notification: Option<i32>,
    /// What happens to an event that the callback refuses. Default Block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_rejected: Option<OnRejected>,
    /// How long an answer may take. Default 15s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// Notifications of one poller in flight at once. Default 1, which keeps their order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_in_flight: Option<i32>,
    /// Where refused events go with `onRejected: DeadLetter`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter: Option<DeadLetter>,
    /// How Pollen authenticates at the callback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<CallbackAuthentication>,
    /// Further headers of each notification. Never a secret: that is `authentication`'s.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// What the Open Connectors envelope shows of the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_connectors: Option<OpenConnectorsIdentity>,
}

/// The form in which events travel.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum EventFormat {
    #[default]
    OpenConnectors,
    CloudEvents,
    CloudEventsBatch,
}

/// `callback.signing`: the Secret with `key` (and `previousKey`), and the schemes in use.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Signing {
    /// The Secret: `key` signs, `previousKey` still verifies.
    pub secret_ref: SecretRef,
    /// The schemes; OpenConnectors when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schemes: Vec<SignatureScheme>,
}

/// How a notification proves where it comes from.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum SignatureScheme {
    /// `Elements-Webhook-Signature`.
    OpenConnectors,
    /// `webhook-signature` of the Standard Webhooks specification.
    StandardWebhooks,
}

/// What happens to an event that the callback refuses.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum OnRejected {
    /// The poller waits at the event and says so.
    #[default]
    Block,
    DeadLetter,
    Skip,
}

/// `callback.deadLetter`: the second URL.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// Where refused events are posted.
    pub url: String,
}

/// How Pollen authenticates at the callback: exactly one of the three.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallbackAuthentication {
    /// The Secret: `username` and `password`, `token`, or `value`.
    pub secret_ref: SecretRef,
    /// Basic, Bearer or Header.
    #[serde(rename = "type")]
    pub kind: CallbackAuthenticationType,
    /// The header's name for `Header`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
}

/// The ways of authenticating at a callback.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum CallbackAuthenticationType {
    Basic,
    Bearer,
    Header,
}

/// What the Open Connectors envelope shows, for receivers that look at it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenConnectorsIdentity {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company_id: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_name: Option<String>,
}
