//! `PollerResource`: one resource of an instance to poll.

#![expect(
    clippy::duplicated_attributes,
    reason = "printer columns share their types"
)]
#![expect(
    unreachable_pub,
    reason = "KubeSchema repeats the struct inside a function"
)]

use chrono::{DateTime, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Checkpoint, CreatedCheck, DatesConfiguration, Deletes, DeletesStatus, Duration, Replay,
    StartFrom, Subclasses, patterns, schema,
};

/// What is polled, and how changes are told.
#[derive(Clone, CustomResource, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "pollen.dev",
    version = "v1alpha1",
    kind = "PollerResource",
    doc = "One resource of a ConnectorInstance that is polled for changed records.",
    namespaced,
    status = "PollerResourceStatus",
    shortname = "poller",
    shortname = "pollers",
    category = "pollen",
    selectable = ".spec.instanceRef.name",
    printcolumn(
        name = "Instance",
        type_ = "string",
        json_path = ".spec.instanceRef.name"
    ),
    printcolumn(
        name = "Resource",
        type_ = "string",
        description = "The resource polled; the poller's own name where empty",
        json_path = ".spec.resource"
    ),
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
        name = "Last Settled",
        type_ = "date",
        description = "Age of the newest date up to which everything is delivered",
        json_path = ".status.lastSettled"
    ),
    printcolumn(
        name = "Events",
        type_ = "integer",
        description = "Events acknowledged so far",
        json_path = ".status.events"
    ),
    printcolumn(
        name = "Last Event",
        type_ = "date",
        description = "When an event was last acknowledged",
        json_path = ".status.lastEvent"
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
#[x_kube(validation = Rule::new("self.instanceRef.name == oldSelf.instanceRef.name").message(
    "cannot change, for the checkpoint belongs to the instance: make a new PollerResource for the other instance"
).reason(Reason::FieldValueForbidden).field_path(".instanceRef"))]
#[x_kube(validation = Rule::new(
    "has(self.resource) == has(oldSelf.resource) && (!has(self.resource) || self.resource == oldSelf.resource)"
).message(
    "cannot change, be added or be removed, for the checkpoint belongs to the resource: make a new PollerResource for the other resource"
).reason(Reason::FieldValueForbidden).field_path(".resource"))]
pub struct PollerResourceSpec {
    /// The ConnectorInstance whose connection is used, in the same namespace. Cannot change.
    pub instance_ref: InstanceRef,
    /// The resource as the connector names it, and the `objectType` of its events. Default
    /// metadata.name. Cannot change. Open Connectors: the key in `event.poller.configuration`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), regex(pattern = patterns::RESOURCE))]
    pub resource: Option<String>,
    /// What is asked: an Open Connectors hub path, a path of the provider, or an absolute URL on
    /// its host. `${gmtDate:PATTERN}` and its kin stand for the date from which on changes are
    /// wanted. Default the connector's, where it knows the resource. Open Connectors: `url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096), regex(pattern = patterns::RESOURCE_URL))]
    #[x_kube(validation = (
        "!self.matches(\"(=|<|>)( |[+]|%20)*(''|%27%27)\")",
        "compares with an empty literal, as is left when Flux's postBuild substitution has emptied a placeholder: write $${gmtDate:PATTERN} for ${gmtDate:PATTERN}, or annotate the object with kustomize.toolkit.fluxcd.io/substitute: disabled"
    ))]
    pub url: Option<String>,
    /// Path of the object's id in a record, such as `sys_id` or `user.id`. Default the
    /// connector's. Open Connectors: `idField`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), regex(pattern = patterns::TEXT))]
    pub id_field: Option<String>,
    /// Where a record's dates stand and how they are written. Default the connector's. Open
    /// Connectors: `datesConfiguration`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dates_configuration: Option<DatesConfiguration>,
    /// How often the poller polls: 1s or more, such as `30s` or `1h30m`. Default the instance's
    /// `events.refreshInterval`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_interval: Option<Duration>,
    /// Whether records whose updated date is not behind the last poll's are dropped. Default true.
    /// Open Connectors: `filterByUpdatedDate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter_by_updated_date: Option<bool>,
    /// Whether records whose updated date is behind the start of the poll are left to the next
    /// one. Default false. Open Connectors: `filterByCurrentDate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter_by_current_date: Option<bool>,
    /// How created is told from updated: Watermark (by the record's dates, or because it was
    /// created after the last settled watermark) or OpenConnectors (by its dates alone). Default
    /// Watermark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_check: Option<CreatedCheck>,
    /// By how many seconds created and updated date may differ in a record that counts as
    /// created, 0 to 86400. Default 0. Open Connectors: `createdCheckTolerance`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 86_400))]
    pub created_check_tolerance: Option<i64>,
    /// Records in a page, 1 to 10000. Default the connector's. Open Connectors: `pageSize`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub page_size: Option<i32>,
    /// Seconds, 0 to 86400, that lie between a change and its appearance in the provider's search;
    /// so far behind the watermark each poll reads again. Default 0. Open Connectors: `pollDelay`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 86_400))]
    pub poll_delay: Option<i64>,
    /// How far behind the watermark each poll reads again, for records that appear late: 1s or
    /// more. What was delivered is not delivered again. Default the connector's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<Duration>,
    /// Where a new poller starts: Now (when the object was created), Beginning, or an RFC 3339
    /// instant such as `2026-01-31T00:00:00Z`. Default Now. Of no effect later: see `replay`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_from: Option<StartFrom>,
    /// How deletions are found. Default: by what the connector offers cheaply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletes: Option<Deletes>,
    /// Whose are the records of a class that another poller of the instance polls: ExcludePolled
    /// (that poller's) or Include (also this one's). Default ExcludePolled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subclasses: Option<Subclasses>,
    /// Classes whose records are left out, beside those that `subclasses` leaves out, such as
    /// `customer_account`. Default none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 128), regex(pattern = patterns::TEXT)))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub exclude_classes: Vec<String>,
    /// Paths of fields that change by themselves, such as `lastViewedAt`: a record in which nothing
    /// else changed is not an event. Without effect where the connector names a version field, as
    /// ServiceNow's does. Default none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 256), regex(pattern = patterns::TEXT)))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub ignore_fields: Vec<String>,
    /// Reads a stretch of time once more and delivers it under the same event ids, between the polls.
    /// Default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<Replay>,
    /// Stops the poller while true; its checkpoint stays. Default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// A ConnectorInstance in the object's namespace.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceRef {
    /// The ConnectorInstance's name.
    #[schemars(length(min = 1, max = 253), regex(pattern = patterns::OBJECT_NAME))]
    pub name: String,
}

/// What the operator reports of the poller.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PollerResourceStatus {
    /// The metadata.generation that the conditions speak of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready` always, `Reconciling` and `Stalled` only while true, `SweepComplete` only while it is not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// Everything a poll needs to go on. Written by Pollen alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Checkpoint>,
    /// Newest updated date up to which everything is delivered, and never later than the moment of
    /// writing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_settled: Option<DateTime<Utc>>,
    /// When an event was last acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_event: Option<DateTime<Utc>>,
    /// Events acknowledged so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<i64>,
    /// The last value of the annotation `pollen.dev/poll-requested-at` that was acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 262_144))]
    pub last_handled_poll_request: Option<String>,
    /// What is to be said of deletions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletes: Option<DeletesStatus>,
}
