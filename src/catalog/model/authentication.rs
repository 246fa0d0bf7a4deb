//! How a provider authenticates.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::Deserialize;

/// How a provider authenticates its callers: what it takes of OAuth, API keys, Basic and Bearer.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthenticationDefinition {
    /// The header that carries the token.
    #[serde(default = "authorization")]
    pub header: String,
    #[serde(default)]
    pub oauth: Option<OAuth>,
    /// A key that each request carries, where the provider takes one.
    #[serde(default)]
    pub api_key: Option<ApiKeyDefinition>,
    /// Whether it takes a user and password (RFC 7617).
    #[serde(default)]
    pub basic: bool,
    /// Whether it takes a fixed bearer token (RFC 6750).
    #[serde(default)]
    pub bearer: bool,
}

fn authorization() -> String {
    "authorization".into()
}

/// Where an API key stands in a request.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApiKeyDefinition {
    #[serde(rename = "in")]
    pub place: KeyPlace,
    /// Name of the header or of the parameter.
    pub name: String,
    /// What stands before the key, such as `Token ` with its blank.
    #[serde(default)]
    pub prefix: String,
}

/// The part of a request that carries an API key.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
pub enum KeyPlace {
    Header,
    Query,
}

/// OAuth 2 as the provider speaks it. Addresses may be paths below the base URL.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OAuth {
    pub authorize_url: String,
    pub token_url: String,
    pub grants: Vec<Grant>,
    pub client_authentication: ClientAuthentication,
    /// How assertions are signed: for PrivateKeyJwt and the grant JwtBearer.
    #[serde(default)]
    pub assertion: Option<AssertionDefinition>,
    #[serde(default)]
    pub token_body: TokenBody,
    #[serde(default)]
    pub scopes: Vec<String>,
    /// For whom tokens are meant, where the provider wants to be told.
    #[serde(default)]
    pub audience: Option<String>,
    /// Whether an authorization is bound to who asked for it (RFC 7636, S256).
    #[serde(default)]
    pub pkce: bool,
    /// Further parameters of the authorization request.
    #[serde(default)]
    pub authorize_parameters: BTreeMap<String, String>,
    /// Further parameters of every token request.
    #[serde(default)]
    pub token_parameters: BTreeMap<String, String>,
    /// How long an access token lives where the answer doesn't say.
    pub access_token_seconds: u64,
    /// How long a refresh token lives from its grant; absent where it doesn't expire.
    #[serde(default)]
    pub refresh_token_seconds: Option<u64>,
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

/// How a client shows who it is in a token request.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
pub enum ClientAuthentication {
    /// Id and secret in the body.
    Body,
    /// Id and secret by HTTP Basic.
    Basic,
    /// An assertion signed with the client's private key (RFC 7523, 2.2).
    PrivateKeyJwt,
    /// The id alone in the body: a client without a secret, or one whose grant is proof enough.
    None,
}

/// How an assertion is made (RFC 7523, 3). Its issuer is the client's id.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssertionDefinition {
    pub algorithm: SigningAlgorithm,
    /// `aud`; `{clientId}` stands for the client's id. Default the token URL.
    #[serde(default)]
    pub audience: Option<String>,
    /// How long one is valid; some providers refuse more than three minutes.
    #[serde(default = "three_minutes")]
    pub lifetime_seconds: u32,
}

const fn three_minutes() -> u32 {
    180
}

/// How an assertion is signed (RFC 7518, 3.1).
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "UPPERCASE")]
pub enum SigningAlgorithm {
    /// RSA, PKCS#1 v1.5, SHA-256.
    Rs256,
    /// RSA, PSS, SHA-256.
    Ps256,
    /// ECDSA on P-256, SHA-256.
    Es256,
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
        })
    }
}

/// How a token request is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
pub enum TokenBody {
    #[default]
    Form,
    Json,
}
