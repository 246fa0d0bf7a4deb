//! How deletions are found, and whose the records of a subclass are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Duration, schema};

/// How deletions are found.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deletes {
    /// How deletions are found: Auto (by what the connector offers cheaply: a flag, a stream of
    /// deletions), Ignore (not at all) or Reconcile (by comparing the list of ids every
    /// `reconcileInterval`). Default Auto.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<DeletesMode>,
    /// How often mode Reconcile compares: 1s or more. Default `24h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile_interval: Option<Duration>,
    /// How many of the known ids, in percent, 0 to 100, may be gone at once. More, and at least
    /// 10, are held until the annotation `pollen.dev/confirm-deletes` releases them. Default 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub max_share_percent: Option<i32>,
}

/// How deletions are found.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = schema::words)]
pub enum DeletesMode {
    /// By what the connector offers cheaply.
    #[default]
    Auto,
    /// Not at all.
    Ignore,
    /// By comparing the list of ids.
    Reconcile,
}

/// Whose are the records of a class that another poller of the instance polls.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = schema::words)]
pub enum Subclasses {
    /// That other poller's.
    #[default]
    ExcludePolled,
    /// Also this one's.
    Include,
}

/// What is to be said of deletions.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeletesStatus {
    /// Deletions that wait for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldDeletes>,
}

/// Deletions that are too many to be believed.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldDeletes {
    /// The value of the annotation `pollen.dev/confirm-deletes` that releases them.
    #[schemars(length(max = 128))]
    pub id: String,
    /// How many there are.
    pub count: i64,
}
