//! A record's dates, and what they say about it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{patterns, schema};

/// Where a record's dates stand and how they are written: the six keys of Open Connectors.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DatesConfiguration {
    /// Path of the updated date in a record, such as `sys_updated_on`. Open Connectors:
    /// `updatedDateField`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), regex(pattern = patterns::TEXT))]
    pub updated_date_field: Option<String>,
    /// The updated date's form: a pattern of Java's SimpleDateFormat such as
    /// `yyyy-MM-dd HH:mm:ss`, or `milliseconds`. Open Connectors: `updatedDateFormat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = patterns::TEXT))]
    pub updated_date_format: Option<String>,
    /// The updated date's time zone, such as `GMT` or `Europe/Berlin`. Default GMT. Open
    /// Connectors: `updatedDateTimezone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = patterns::TIME_ZONE))]
    pub updated_date_timezone: Option<String>,
    /// Path of the created date in a record, such as `sys_created_on`. Open Connectors:
    /// `createdDateField`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), regex(pattern = patterns::TEXT))]
    pub created_date_field: Option<String>,
    /// The created date's form. Default the updated date's. Open Connectors: `createdDateFormat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = patterns::TEXT))]
    pub created_date_format: Option<String>,
    /// The created date's time zone. Default the updated date's. Open Connectors:
    /// `createdDateTimezone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = patterns::TIME_ZONE))]
    pub created_date_timezone: Option<String>,
}

/// How created is told from updated.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = schema::words)]
pub enum CreatedCheck {
    /// By its dates, or because it was created after the last settled watermark.
    #[default]
    Watermark,
    /// By its dates alone, as Open Connectors does.
    OpenConnectors,
}
