//! How a provider tells of deletions.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{DateField, Filter};

/// How a provider tells of deletions. A poller goes by one of the two: the flag where there is one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeletesDefinition {
    /// Deleted records stay in the list, and a field says so.
    #[serde(default)]
    pub flag: Option<DeletionFlag>,
    /// A list of its own says what was deleted.
    #[serde(default)]
    pub stream: Option<DeletionStream>,
}

/// The field that says that a record is deleted.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeletionFlag {
    /// Its path in the record.
    pub path: String,
    /// The values that say so, as text: `"true"`.
    #[serde(rename = "in")]
    pub values: Vec<String>,
}

/// The list of deletions: a row for each.
///
/// Its pages, errors and limits are those of other lists. Of its rows the id, the deleted record's
/// id, the class and the date are read and nothing else.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeletionStream {
    /// Path of the list.
    pub path: String,
    /// Parameters of its requests. `{tables}` stands for the poller's table and all that extend it,
    /// with commas between.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// How deletions since a date are asked for, strictly or inclusively, and in which order; as
    /// records are where it is absent.
    #[serde(default)]
    pub filter: Option<Filter>,
    /// The row's own id: the key of keyset paging, and what tells two deletions of a record apart.
    pub id: String,
    /// The id of the deleted record.
    pub record: String,
    /// The class of the deleted record; a row of a class that is not asked for is left out.
    #[serde(default)]
    pub class: Option<String>,
    /// When the record was deleted.
    pub date: DateField,
    /// Parameters of the request, to the list of records, for those of `{ids}` that exist: a record
    /// that was restored is not deleted. `{id}` stands for the field of the id.
    pub existing: BTreeMap<String, String>,
    /// Tables whose deletions the provider leaves out.
    #[serde(default)]
    pub unaudited: Option<Unaudited>,
}

/// Tables whose deletions a stream leaves out unless the provider is told to keep them.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Unaudited {
    /// How their names begin.
    pub prefix: String,
    /// What a person should do to have them.
    pub advice: String,
}
