//! What changes at the provider, at the callback and in the manifests.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{CallbackAnswer, Fields, Names, ProviderAnswer};

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ProviderChange {
    /// What every request for records is answered.
    pub(crate) answers: Option<ProviderAnswer>,
    pub(crate) ignores_filter: Option<bool>,
    pub(crate) ignores_order: Option<bool>,
    /// The zone in which dates of queries are read, in seconds east of Greenwich.
    pub(crate) literal_offset_seconds: Option<i64>,
    pub(crate) sends_total: Option<bool>,
    pub(crate) sends_link: Option<bool>,
    pub(crate) links: Option<LinkForm>,
    pub(crate) encodes_commas_in_links: Option<bool>,
    /// Ids of digits are numbers.
    pub(crate) numeric_ids: Option<bool>,
    /// What a page is cut to.
    pub(crate) max_page: Option<usize>,
    /// Tables that the account has no right to read.
    pub(crate) withholds_tables: Option<Vec<String>>,
}

/// Where the provider's links lead.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum LinkForm {
    Absolute,
    Relative,
    Circular,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CallbackChange {
    /// What notifications are answered.
    pub(crate) answers: CallbackAnswer,
    /// Those alone that hold an event of these records.
    #[serde(default)]
    pub(crate) to: Option<Names>,
    /// One in so many alone.
    #[serde(default)]
    pub(crate) every: Option<usize>,
    /// Those alone that hold more events than this.
    #[serde(default)]
    pub(crate) above: Option<usize>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DeadLettersChange {
    /// What dead letters are answered.
    pub(crate) answers: CallbackAnswer,
}

/// Fields that a manifest gets.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Edit {
    /// The poller; the ConnectorInstance without one.
    #[serde(default)]
    pub(crate) poller: Option<String>,
    /// Fields of its spec; null takes one away.
    pub(crate) spec: Fields,
}

/// Annotations that a manifest gets.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Annotate {
    /// The poller; the ConnectorInstance without one.
    #[serde(default)]
    pub(crate) poller: Option<String>,
    /// Values by name; `as told` is the one that Pollen asked for last.
    pub(crate) annotations: BTreeMap<String, String>,
}
