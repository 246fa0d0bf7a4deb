//! The receiver of an instance's events: `spec.events.callback`.

#![expect(
    unreachable_pub,
    reason = "KubeSchema repeats the struct inside a function"
)]

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Duration, Handshake, SecretRef, Tls,
    headers::{NO_RESERVED_KEY, NOT_RESERVED},
    patterns, schema,
};

/// A URL is shown in events, logs and by kubectl, so it is no place for a password.
const NO_USER_INFO: (&str, &str) = (
    "!self.matches('^[A-Za-z]+://[^/?#]*@')",
    "must not carry a user name or password: put them into a Secret and name it at callback.authentication",
);

/// Where events are posted, and how.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "!has(self.onRejected) || self.onRejected != 'DeadLetter' || has(self.deadLetter)"
).message(
    "is required with onRejected DeadLetter: write deadLetter.url, where rejected events are posted"
).reason(Reason::FieldValueRequired).field_path(".deadLetter"))]
#[x_kube(validation = Rule::new(
    "!has(self.format) || self.format != 'CloudEvents' || !has(self.maxEventsPerNotification) || self.maxEventsPerNotification == 1"
).message(
    "must be 1 with format CloudEvents, whose notifications are one event each: leave it out, or write format CloudEventsBatch"
).reason(Reason::FieldValueInvalid).field_path(".maxEventsPerNotification"))]
pub struct Callback {
    /// Where notifications are posted, such as `https://mycoolapp.com/events`. Plain http is
    /// allowed, and a condition says so. Open Connectors: `event.notification.callback.url`.
    #[schemars(length(min = 1, max = 2048), regex(pattern = patterns::URL))]
    #[x_kube(validation = NO_USER_INFO)]
    pub url: String,
    /// The form in which events travel: OpenConnectors (the envelope of Open Connectors),
    /// CloudEvents (one event in structured mode) or CloudEventsBatch (several in batched mode). Default
    /// OpenConnectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<EventFormat>,
    /// How notifications are signed. Default unsigned. Open Connectors:
    /// `event.notification.signature.key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing: Option<Signing>,
    /// Whether the callback is asked for its consent before the first notification, by the validation
    /// handshake of the CloudEvents web hook specification. Default: with the CloudEvents formats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshake: Option<Handshake>,
    /// The most events in one notification, 1 to 1000. Default 10; with format CloudEvents a
    /// notification is one event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub max_events_per_notification: Option<i32>,
    /// What happens to an event that the callback refuses: Block (its poller waits at it, and a
    /// condition says so), DeadLetter (it is posted to `deadLetter.url`) or Skip (it is dropped; a
    /// Kubernetes event, a line in the log and a metric say so). Default Block. Where the
    /// answer blames how or where it is posted (401, 403, 404, 405, 415, 421, a redirect and others), no
    /// event is at fault, and the poller waits whatever stands here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_rejected: Option<OnRejected>,
    /// How long the callback may take to answer: 1s or more. Default `15s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// How many notifications of one poller may be in flight at once, 1 to 64. Default 1, which
    /// keeps a poller's events in order. More is faster and gives that order up: only the events of
    /// one record still come one after the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    pub max_in_flight: Option<i32>,
    /// Where rejected events go with `onRejected: DeadLetter`, and required with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter: Option<DeadLetter>,
    /// How Pollen authenticates at the callback. Default not at all. Open Connectors:
    /// `event.notification.basic.username` and `.password`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<CallbackAuthentication>,
    /// The certificates of the connection: whom it believes in place of the public authorities, and what
    /// Pollen shows of itself (mutual TLS). Default the public authorities, and none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// Further headers of each notification, by name. Never a secret: those are `authentication`'s.
    /// Open Connectors: `event.notification.callback.headers`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::headers")]
    #[x_kube(validation = (
        "self.all(k, k.matches('^[A-Za-z0-9!#$%&*+.^_|~-]{1,128}$'))",
        "holds a name that is no header's: write letters, digits and '-', 128 at most"
    ))]
    #[x_kube(validation = (
        "!self.exists(k, k.lowerAscii() in ['authorization', 'proxy-authorization', 'cookie'])",
        "holds a credential: put its value into a Secret and name that at callback.authentication"
    ))]
    #[x_kube(validation = NO_RESERVED_KEY)]
    pub headers: BTreeMap<String, String>,
    /// What the Open Connectors envelope shows of the instance, for receivers that look at it.
    /// Default: numbers derived from the instance's namespace and name, and metadata.name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_connectors: Option<OpenConnectorsIdentity>,
}

/// The form in which events travel.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = schema::words)]
pub enum EventFormat {
    /// The envelope of Open Connectors, several events in each.
    #[default]
    OpenConnectors,
    /// One CloudEvent in structured mode.
    CloudEvents,
    /// Several CloudEvents in the batched mode.
    CloudEventsBatch,
}

/// The key that signs notifications, and the schemes in use.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Signing {
    /// The Secret, in the instance's namespace: `key` signs; `previousKey`, while it is there, signs
    /// beside it with StandardWebhooks, for receivers that know the former key still. A key of
    /// StandardWebhooks is `whsec_` and 24 to 64 bytes in base64; OpenConnectors takes any text.
    pub secret_ref: SecretRef,
    /// The signatures that a notification carries: OpenConnectors (`Elements-Webhook-Signature`),
    /// StandardWebhooks (`webhook-signature`), or both. Default OpenConnectors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 2), extend("x-kubernetes-list-type" = "set"))]
    pub schemes: Vec<SignatureScheme>,
}

/// How a notification proves where it comes from.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = schema::words)]
pub enum SignatureScheme {
    /// `Elements-Webhook-Signature`.
    OpenConnectors,
    /// `webhook-signature` of the Standard Webhooks specification.
    StandardWebhooks,
}

/// What happens to an event that the callback refuses.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = schema::words)]
pub enum OnRejected {
    /// The poller waits at the event and says so.
    #[default]
    Block,
    /// The event is posted to a second URL.
    DeadLetter,
    /// The event is dropped; a Kubernetes event, a line in the log and a metric say so.
    Skip,
}

/// The second URL, for events that the callback refuses.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// Where rejected events are posted, each with the reason of its rejection, signed as
    /// notifications are. The callback's headers and authentication go there only where scheme, host
    /// and port are the callback's.
    #[schemars(length(min = 1, max = 2048), regex(pattern = patterns::URL))]
    #[x_kube(validation = NO_USER_INFO)]
    pub url: String,
    /// The certificates of that connection. Default those of the callback where scheme, host and port are
    /// the callback's, elsewhere the public authorities, and none is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
}

/// How Pollen authenticates at the callback.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.type != 'Header' || has(self.header)").message(
    "is required with type Header: write the name of the header that carries the Secret's value"
).reason(Reason::FieldValueRequired).field_path(".header"))]
#[x_kube(validation = Rule::new("self.type == 'Header' || !has(self.header)").message(
    "belongs to type Header alone: leave it out, or set type to Header"
).reason(Reason::FieldValueForbidden).field_path(".header"))]
pub struct CallbackAuthentication {
    /// The Secret, in the instance's namespace: `username` and `password` for Basic, `token` for
    /// Bearer, `value` for Header.
    pub secret_ref: SecretRef,
    /// How Pollen authenticates: Basic, Bearer or Header.
    #[serde(rename = "type")]
    pub kind: CallbackAuthenticationType,
    /// The name of the header that carries the Secret's `value`. Required with type Header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = patterns::HEADER_NAME))]
    #[x_kube(validation = NOT_RESERVED)]
    pub header: Option<String>,
}

/// The ways of authenticating at a callback.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = schema::words)]
pub enum CallbackAuthenticationType {
    /// HTTP Basic (RFC 7617).
    Basic,
    /// A bearer token (RFC 6750).
    Bearer,
    /// A header of the receiver's choice.
    Header,
}

/// What the Open Connectors envelope shows of an instance.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenConnectorsIdentity {
    /// The envelope's `instanceId`. Default derived from the instance's namespace and name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_i64))]
    pub instance_id: Option<i64>,
    /// The envelope's `accountId`. Default derived from the instance's namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_i64))]
    pub account_id: Option<i64>,
    /// The envelope's `companyId`. Default derived from the instance's namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_i64))]
    pub company_id: Option<i64>,
    /// The envelope's `userId`. Default derived from the instance's namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_i64))]
    pub user_id: Option<i64>,
    /// The envelope's `instanceName`. Default metadata.name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), regex(pattern = patterns::TEXT))]
    pub instance_name: Option<String>,
}
