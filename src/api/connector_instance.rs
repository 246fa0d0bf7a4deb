//! `ConnectorInstance`: one authenticated connection and where its events go.

#![expect(
    clippy::duplicated_attributes,
    reason = "printer columns share their types"
)]
#![expect(
    unreachable_pub,
    reason = "KubeSchema repeats the struct inside a function"
)]

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Authentication, Events, Tls, patterns, schema};

/// The connection to a provider, and where its events go.
#[derive(Clone, CustomResource, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "pollen.dev",
    version = "v1alpha1",
    kind = "ConnectorInstance",
    doc = "One authenticated connection to a provider, and where the events of its pollers go.",
    namespaced,
    status = "ConnectorInstanceStatus",
    shortname = "cinst",
    category = "pollen",
    selectable = ".spec.connector",
    printcolumn(name = "Connector", type_ = "string", json_path = ".spec.connector"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
    ),
    printcolumn(
        name = "Callback",
        type_ = "string",
        priority = 1,
        json_path = ".spec.events.callback.url"
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        priority = 1,
        json_path = ".status.conditions[?(@.type==\"Ready\")].message"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.connector == oldSelf.connector").message(
    "cannot change, for the checkpoints of the instance's pollers belong to it: make a new ConnectorInstance for the other connector"
).reason(Reason::FieldValueForbidden).field_path(".connector"))]
pub struct ConnectorInstanceSpec {
    /// Key of the connector in the catalog, such as `servicenowoauth`; `pollen connectors` lists
    /// them. Cannot change. Open Connectors: `element.key`.
    #[schemars(length(min = 1, max = 63), regex(pattern = patterns::CONNECTOR))]
    pub connector: String,
    /// The connector's own parameters by the names that Open Connectors gives them, such as
    /// `servicenow.subdomain`. Never credentials: those stand in the Secret that
    /// `authentication.secretRef` names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::configuration")]
    #[x_kube(validation = (
        "!self.exists(k, k in ['oauth.api.key', 'oauth.api.secret', 'oauth.user.token', 'oauth.user.refresh_token', 'password', 'event.notification.signature.key', 'event.notification.basic.password'])",
        "holds a credential: put it into a Secret and name that at authentication.secretRef, callback.authentication or callback.signing"
    ))]
    #[x_kube(validation = (
        "!self.exists(k, k in ['event.notification.enabled', 'event.notification.callback.url', 'event.poller.refresh_interval', 'event.poller.configuration', 'event.vendor.type', 'oauth.callback.url'])",
        "holds a setting that is a field here: write events.enabled, events.callback.url, events.refreshInterval, authentication.redirectUri, and a PollerResource for each resource polled"
    ))]
    pub configuration: BTreeMap<String, String>,
    /// Overrides the connector's base URL: a vanity host, a sandbox, a test server. Default the
    /// connector's, built from `configuration`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048), regex(pattern = patterns::BASE_URL))]
    pub base_url: Option<String>,
    /// Tags, shown to receivers as `instanceTags`. Open Connectors: `tags`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 128), regex(pattern = patterns::TEXT)))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub tags: Vec<String>,
    /// How the instance authenticates at the provider.
    pub authentication: Authentication,
    /// The certificates of the connection to the provider: whom it believes in place of the public
    /// authorities, and what Pollen shows of itself (mutual TLS). Default the public authorities, and none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// Whether the instance's pollers run, how often, and where events are posted. Default: no
    /// events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Events>,
    /// Stops all of the instance's pollers while true; their checkpoints stay. Default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// What the operator reports of the instance.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectorInstanceStatus {
    /// The metadata.generation that the conditions speak of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready` always, `Reconciling` and `Stalled` only while true, beside them `Authenticated`
    /// and `CallbackAccepting`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// The release that owns the object; another in the same namespace leaves it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub controller_name: Option<String>,
    /// The last value of the annotation `pollen.dev/resume-delivery` that was acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 262_144))]
    pub last_handled_resume: Option<String>,
    /// Digest of the `spec.events.callback` that answered 410 Gone: nothing is sent while the spec
    /// says the same and the annotation `pollen.dev/resume-delivery` has no new value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub gone_callback: Option<String>,
    /// Until when the provider asked to be left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferred_until: Option<DateTime<Utc>>,
    /// The callback that failed last, and how long it is left alone, also by the next process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_callback: Option<HeldCallback>,
    /// When events were first switched on: where `startFrom: Now` begins for a poller that is
    /// older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_enabled_at: Option<DateTime<Utc>>,
}

/// A callback that failed and is left alone for a while.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldCallback {
    /// Digest of the `spec.events.callback` that failed: another one is tried at once.
    #[schemars(length(max = 128))]
    pub callback: String,
    /// Until when nothing is sent.
    pub until: DateTime<Utc>,
    /// Whether the callback asked for that itself (`Retry-After`).
    #[serde(default, skip_serializing_if = "is_false")]
    pub asked: bool,
}

const fn is_false(value: &bool) -> bool {
    !*value
}
