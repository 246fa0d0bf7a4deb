//! How an instance authenticates at its provider.

#![expect(
    unreachable_pub,
    reason = "KubeSchema repeats the struct inside a function"
)]

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{patterns, schema};

/// The grant by which the instance authenticates, and the Secret that holds what it needs.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "(has(self.type) && self.type != 'AuthorizationCode') || has(self.redirectUri)"
).message(
    "is required with type AuthorizationCode, the default: write the redirect URI registered with the provider (oauth.callback.url), or set type to the grant in use"
).reason(Reason::FieldValueRequired).field_path(".redirectUri"))]
pub struct Authentication {
    /// The Secret, in the instance's namespace, that holds the credentials: `clientId` and
    /// `clientSecret` (`oauth.api.key`, `oauth.api.secret`) beside `code` (and `codeVerifier`) or
    /// `refreshToken`, or neither before `pollen authorize`; `username` and `password`; `token`;
    /// `apiKey`; `privateKey` in PEM, with `keyId` and `subject` where the provider wants them; as
    /// `type` and the connector need them.
    pub secret_ref: SecretRef,
    /// How the instance authenticates: AuthorizationCode, RefreshToken, ClientCredentials,
    /// Password, JwtBearer, ApiKey, Basic or Bearer. Default AuthorizationCode: the one-time code
    /// is exchanged once, and from then on the refresh token is used.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<AuthenticationType>,
    /// The redirect URI registered with the provider. Required with type AuthorizationCode.
    /// Open Connectors: `oauth.callback.url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048), regex(pattern = patterns::URL))]
    pub redirect_uri: Option<String>,
}

/// A Secret in the object's namespace.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretRef {
    /// The Secret's name.
    #[schemars(length(min = 1, max = 253), regex(pattern = patterns::OBJECT_NAME))]
    pub name: String,
}

/// The grants and credentials that a connector may want.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = schema::words)]
pub enum AuthenticationType {
    /// OAuth 2.0 authorization code (RFC 6749, 4.1): the code once, then the refresh token.
    AuthorizationCode,
    /// An OAuth 2.0 refresh token obtained elsewhere (RFC 6749, 6).
    RefreshToken,
    /// OAuth 2.0 client credentials (RFC 6749, 4.4).
    ClientCredentials,
    /// OAuth 2.0 resource owner password (RFC 6749, 4.3).
    Password,
    /// OAuth 2.0 JWT bearer assertion (RFC 7523, 2.1).
    JwtBearer,
    /// A key that each request carries.
    ApiKey,
    /// HTTP Basic (RFC 7617).
    Basic,
    /// A fixed bearer token (RFC 6750).
    Bearer,
}
