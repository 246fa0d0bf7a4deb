//! How a provider is asked.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// How a list of records is asked for.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestDefinition {
    /// Path of a resource's list, with `{table}`.
    pub path: String,
    /// Parameters of every request, unless the poller's url states them itself.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Parameters that a poller's url may not state, since Pollen reads the answer they change.
    #[serde(default)]
    pub reserved: Vec<String>,
    /// The parameter that lists the fields asked for, separated by commas.
    #[serde(default)]
    pub fields_parameter: Option<String>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// How records since a date are asked for.
    #[serde(default)]
    pub filter: Option<Filter>,
}

/// How records since a date are asked for.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(tag = "kind", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Filter {
    /// ServiceNow's encoded queries: conditions, upper bounds, order and keys in one parameter.
    EncodedQuery {
        parameter: String,
        /// How dates are written in a query.
        format: String,
        #[serde(default)]
        timezone: Option<String>,
    },
    /// A parameter that takes the date.
    Parameter {
        parameter: String,
        /// The fields of `where` clauses that mean it.
        #[serde(default)]
        aliases: Vec<String>,
        format: String,
        #[serde(default)]
        timezone: Option<String>,
        /// Records dated exactly then are returned too.
        inclusive: bool,
        /// How the order by the updated date is asked for, where it can be.
        #[serde(default)]
        order: Option<Order>,
    },
}

/// The parameter that asks for records ordered by a date, ascending.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Order {
    pub parameter: String,
    pub value: String,
    /// The field of a record that both the order and the filter go by.
    pub field: String,
}

/// How one page leads to the next.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PagingDefinition {
    #[serde(default)]
    pub page_size: Option<PageSizeDefinition>,
    #[serde(default)]
    pub offset: Option<Offset>,
    #[serde(default)]
    pub total: Option<Total>,
    #[serde(default)]
    pub next: Option<Next>,
}

/// How many records a page has.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PageSizeDefinition {
    pub parameter: String,
    pub default: u32,
    pub maximum: u32,
}

/// The parameter that skips rows, counted from 0.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Offset {
    pub parameter: String,
}

/// The header that says how many rows there are.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Total {
    pub header: String,
    /// Rows that access rules hide are counted too.
    pub before_access_rules: bool,
}

/// Where the link to the next page is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
pub enum Next {
    /// `rel="next"` of the Link header (RFC 8288).
    LinkHeader,
}
