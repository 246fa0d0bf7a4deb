//! What is remembered of an instance.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::FORMAT;

/// What is remembered of an instance.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::local) struct InstanceRecord {
    format: i32,
    /// The connector that it was first seen with, and keeps.
    pub(in crate::local) connector: String,
    /// Until when the provider asked to be left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::local) deferred_until: Option<DateTime<Utc>>,
}

impl InstanceRecord {
    /// An instance that is seen for the first time.
    pub(in crate::local) fn new(connector: &str) -> Self {
        Self {
            format: FORMAT,
            connector: connector.to_owned(),
            deferred_until: None,
        }
    }
}
