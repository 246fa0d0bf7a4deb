//! How a provider's failures are told apart.

use schemars::JsonSchema;
use serde::Deserialize;

/// What to do about answers that look like this.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ErrorRule {
    pub when: Condition,
    pub then: Reaction,
    /// What a person should do, put before the provider's own text.
    #[serde(default)]
    pub advice: Option<String>,
}

/// What an answer looks like; all that is stated must hold.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Condition {
    /// One of these; empty for any.
    #[serde(default)]
    pub status: Vec<u16>,
    #[serde(default)]
    pub header: Option<HeaderIs>,
    /// The media type is another.
    #[serde(default)]
    pub content_type_not: Option<String>,
    #[serde(default)]
    pub body: Option<BodyIs>,
}

/// A header that is there and contains a text.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HeaderIs {
    pub name: String,
    #[serde(default)]
    pub contains: Option<String>,
}

/// A value in the body that is there, not null, and as stated.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BodyIs {
    pub path: String,
    /// Its text is this.
    #[serde(default)]
    pub equals: Option<String>,
    /// Its text contains this, in any case.
    #[serde(default)]
    pub contains: Option<String>,
}

/// What an answer that is no page means.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
pub enum Reaction {
    /// A passing failure of the provider.
    Retry,
    RateLimit,
    /// The token is no longer accepted: get another, once.
    RefreshAuthorization,
    /// The page was too much: ask for a smaller one.
    ShrinkPage,
    /// A page without records.
    Empty,
    /// The account lacks a right.
    FailPermission,
    /// The question is wrong.
    FailConfiguration,
}
