//! Whether a callback is asked before anything is posted to it: `spec.events.callback.handshake`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{patterns, schema};

/// The validation handshake of the CloudEvents web hook specification (its section 4).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Handshake {
    /// Required (the callback is asked with an OPTIONS request, and nothing is posted until it answers
    /// with `WebHook-Allowed-Origin`) or Skip (it is not asked). Default Required with the formats
    /// CloudEvents and CloudEventsBatch, Skip with OpenConnectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<HandshakeMode>,
    /// The name under which Pollen asks, and posts: `WebHook-Request-Origin`. Default `pollen.dev`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = patterns::HOST_NAME))]
    pub origin: Option<String>,
}

/// Whether a callback is asked.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = schema::words)]
pub enum HandshakeMode {
    /// Nothing is posted without its consent.
    Required,
    /// It is not asked.
    Skip,
}
