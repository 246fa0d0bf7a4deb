//! The model of a definition, from which its JSON schema is generated.

mod authentication;
mod deletes;
mod errors;
mod request;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

pub use authentication::{
    ApiKeyDefinition, AssertionDefinition, AuthenticationDefinition, ClientAuthentication, Grant,
    KeyPlace, OAuth, SigningAlgorithm, TokenBody,
};
pub use deletes::{DeletesDefinition, DeletionFlag, DeletionStream, Unaudited};
pub use errors::{BodyIs, Condition, ErrorRule, HeaderIs, Reaction};
pub use request::{
    Filter, Next, Offset, Order, PageSizeDefinition, PagingDefinition, RequestDefinition, Total,
};

/// What Pollen knows of a provider.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Connector {
    /// What `spec.connector` of an instance names.
    pub key: String,
    /// The provider's name as people write it.
    pub name: String,
    /// The hub of Open Connectors whose paths (`/hubs/HUB/RESOURCE`) are translated.
    #[serde(default)]
    pub hub: Option<String>,
    /// What an instance has to configure.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
    /// Where the provider is, with parameters in braces: `https://{servicenow.subdomain}`.
    pub base_url: String,
    pub authentication: AuthenticationDefinition,
    pub request: RequestDefinition,
    pub records: RecordsDefinition,
    pub dates: Dates,
    pub paging: PagingDefinition,
    /// How deletions are told, where they are.
    #[serde(default)]
    pub deletes: DeletesDefinition,
    /// How answers are told apart that are no page; the first rule that matches decides. Without
    /// a match: 401 refreshes the authorization, 403 lacks a permission, 429 is a rate limit, and
    /// the rest is the provider's failure.
    #[serde(default)]
    pub errors: Vec<ErrorRule>,
    /// Where an error's text is in a body.
    #[serde(default)]
    pub error_text: Vec<String>,
    /// Names of resources, and what the provider calls them. Others are named as they are.
    #[serde(default)]
    pub resources: BTreeMap<String, Resource>,
    /// Classes of records, each with the class that it extends.
    #[serde(default)]
    pub classes: BTreeMap<String, String>,
}

/// A value that an instance has to configure.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Parameter {
    pub description: String,
    /// A label below this domain, or a whole host name; absent where any text will do.
    #[serde(default)]
    pub host_below: Option<String>,
}

/// What the provider calls a resource.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resource {
    /// What stands for `{table}` in the path.
    pub table: String,
    /// The condition that picks it out of the table, in the filter's language.
    #[serde(default)]
    pub query: Option<String>,
}

/// Where records are in a page, and their fields in them.
///
/// A path of fields has dots between names, and names with blanks as `['Modified Time']`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecordsDefinition {
    /// Path of the list in the body; empty where the body is the list.
    pub path: String,
    /// The id.
    pub id: String,
    /// The key of keyset paging, where it is not the id.
    #[serde(default)]
    pub key: Option<String>,
    /// What changes with every change of a record.
    #[serde(default)]
    pub version: Option<String>,
    /// The class of a record, where a list mixes them.
    #[serde(default)]
    pub class: Option<String>,
    /// Fields that change by themselves.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Signs in a body that it is an error, whatever its status and whatever stands before them.
    #[serde(default)]
    pub failures: Vec<BodyIs>,
}

/// The dates of records.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dates {
    pub updated: DateField,
    pub created: DateField,
    /// The step of the provider's own clock.
    pub granularity: Granularity,
    /// How late a record may appear behind its date, in seconds: the default of `overlap`.
    pub overlap_seconds: u32,
    /// Before this no record is dated (RFC 3339): `startFrom: Beginning`.
    #[serde(default)]
    pub earliest: Option<String>,
}

/// A date in a record.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DateField {
    pub field: String,
    /// A pattern of Java's `SimpleDateFormat`, or `milliseconds`.
    pub format: String,
    /// Default GMT.
    #[serde(default)]
    pub timezone: Option<String>,
}

/// The step of a provider's clock.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
pub enum Granularity {
    Milliseconds,
    Seconds,
    Minutes,
    Days,
}

impl Connector {
    /// What the provider calls `resource`.
    #[must_use]
    pub fn table<'a>(&'a self, resource: &'a str) -> &'a str {
        self.resources
            .get(resource)
            .map_or(resource, |known| &known.table)
    }

    /// `table` and every class that extends it as far as is known, sorted.
    #[must_use]
    pub fn family<'a>(&'a self, table: &'a str) -> BTreeSet<&'a str> {
        let children = self.classes.keys().map(String::as_str);
        children
            .filter(|class| self.extends(class, table))
            .chain([table])
            .collect()
    }

    /// Whether records of `class` are found in `table`: it is the table's own class or extends it.
    #[must_use]
    pub fn extends(&self, class: &str, table: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut class = Some(class);
        while let Some(at) = class.filter(|at| seen.insert(*at)) {
            if at == table {
                return true;
            }
            class = self.classes.get(at).map(String::as_str);
        }
        false
    }
}
