//! `PollerResource`: one resource of an instance to poll.

use chrono::{DateTime, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Checkpoint, Duration};

/// One resource of an instance to poll.
#[derive(Clone, CustomResource, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "pollen.dev",
    version = "v1alpha1",
    kind = "PollerResource",
    namespaced,
    status = "PollerResourceStatus",
    shortname = "poller",
    shortname = "pollers",
    category = "pollen"
)]
#[serde(rename_all = "camelCase")]
pub struct PollerResourceSpec {
    /// The instance whose connection is used, in the same namespace.
    pub instance_ref: InstanceRef,
    /// The resource, and the objectType of its events. Default metadata.name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// What is asked: a hub path, a path of the provider, or an absolute URL on its host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Path of the object id in a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_field: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dates_configuration: Option<DatesConfiguration>,
    /// Overrides the instance's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_interval: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter_by_updated_date: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter_by_current_date: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_check: Option<CreatedCheck>,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_check_tolerance: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_size: Option<i32>,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_delay: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_from: Option<StartFrom>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletes: Option<Deletes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subclasses: Option<Subclasses>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude_classes: Vec<String>,
    /// Fields that change by themselves and make no version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore_fields: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<Replay>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// The name of an instance in the same namespace.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceRef {
    pub name: String,
}

/// The six keys of Open Connectors that say where a record's dates are and how they are written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DatesConfiguration {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_date_field: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_date_format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_date_timezone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_date_field: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_date_format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_date_timezone: Option<String>,
}

/// How created is told from updated.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum CreatedCheck {
    /// By its dates, or because it was created after the last settled watermark.
    #[default]
    Watermark,
    /// By its dates alone, as Open Connectors does.
    OpenConnectors,
}

/// Where a new poller starts: `Now`, `Beginning`, or an RFC 3339 instant.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum StartFrom {
    #[default]
    Now,
    Beginning,
    At(DateTime<Utc>),
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deletes {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<DeletesMode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile_interval: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_share_percent: Option<i32>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum DeletesMode {
    #[default]
    Auto,
    Ignore,
    Reconcile,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Subclasses {
    #[default]
    ExcludePolled,
    Include,
}

#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replay {
    pub id: String,
    pub from: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
}

/// What the operator reports of a poller.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PollerResourceStatus {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Checkpoint>,
    /// The watermark, but never later than the moment of writing: feeds the date column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_settled: Option<DateTime<Utc>>,
    /// When an event was last acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_event: Option<DateTime<Utc>>,
    /// Events acknowledged so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_poll_request: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletes: Option<DeletesStatus>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeletesStatus {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldDeletes>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeldDeletes {
    pub id: String,
    pub count: i64,
}

impl Serialize for StartFrom {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Now => serializer.serialize_str("Now"),
            Self::Beginning => serializer.serialize_str("Beginning"),
            Self::At(instant) => instant.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for StartFrom {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "Now" => Ok(Self::Now),
            "Beginning" => Ok(Self::Beginning),
            _ => text.parse().map(Self::At).map_err(serde::de::Error::custom),
        }
    }
}

impl JsonSchema for StartFrom {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "StartFrom".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string"})
    }
}
