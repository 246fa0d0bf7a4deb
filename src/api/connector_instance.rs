//! `ConnectorInstance`: one authenticated connection and where its events go.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{Authentication, Events};

/// One authenticated connection to a provider, and where its events go.
#[derive(Clone, CustomResource, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "pollen.dev",
    version = "v1alpha1",
    kind = "ConnectorInstance",
    namespaced,
    status = "ConnectorInstanceStatus",
    shortname = "cinst",
    category = "pollen"
)]
#[serde(rename_all = "camelCase")]
pub struct ConnectorInstanceSpec {
    /// Key of the connector in the catalog, such as `servicenowoauth`.
    pub connector: String,
    /// The connector's own parameters, such as `servicenow.subdomain`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub configuration: BTreeMap<String, String>,
    /// Overrides the connector's base URL (vanity hosts, sandboxes).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Tags, shown to receivers as `instanceTags`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// How the instance authenticates.
    pub authentication: Authentication,
    /// Whether and where events are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Events>,
    /// Stops all of the instance's pollers while true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// What the operator reports of an instance.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectorInstanceStatus {
    /// The generation that the conditions speak of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready`, `Authenticated`, `CallbackAccepting`, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The release that owns the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller_name: Option<String>,
    /// The last value of `pollen.dev/resume-delivery` that was acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_resume: Option<String>,
    /// Until when the provider asked to be left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferred_until: Option<DateTime<Utc>>,
    /// When events were first switched on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_enabled_at: Option<DateTime<Utc>>,
}
