//! How a provider authenticates.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// How a provider authenticates its callers.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthenticationDefinition {
    /// The header that carries the token.
    #[serde(default = "authorization")]
    pub header: String,
    #[serde(default)]
    pub oauth: Option<OAuth>,
}

fn authorization() -> String {
    "authorization".into()
}

/// OAuth 2 as the provider speaks it. Addresses may be paths below the base URL.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OAuth {
    pub authorize_url: String,
    pub token_url: String,
    pub grants: Vec<Grant>,
    pub client_authentication: ClientAuthentication,
    #[serde(default)]
    pub token_body: TokenBody,
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Further parameters of the authorization request.
    #[serde(default)]
    pub authorize_parameters: BTreeMap<String, String>,
    /// How long an access token lives where the answer doesn't say.
    pub access_token_seconds: u64,
    /// How long a refresh token lives from its grant; absent where it doesn't expire.
    #[serde(default)]
    pub refresh_token_seconds: Option<u64>,
    pub refresh_rotates: RefreshRotation,
}

/// How an access token may be had.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
pub enum Grant {
    AuthorizationCode,
    RefreshToken,
    ClientCredentials,
    Password,
    JwtBearer,
}

/// Where the client's id and secret stand in a token request.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
pub enum ClientAuthentication {
    Body,
    Basic,
}

/// How a token request is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
pub enum TokenBody {
    #[default]
    Form,
    Json,
}

/// Whether a refresh replaces the refresh token.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
pub enum RefreshRotation {
    Never,
    Sometimes,
    Always,
}
