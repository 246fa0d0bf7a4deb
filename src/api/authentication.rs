//! How an instance authenticates at its provider.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `spec.authentication`: the grant, and the Secret that holds what it needs.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Authentication {
    /// The Secret in the instance's namespace: `clientId`, `clientSecret`, and `code`,
    /// `refreshToken` or `username` and `password`, as `type` needs them.
    pub secret_ref: SecretRef,
    /// The grant. A missing one is the authorization code's.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<AuthenticationType>,
    /// The redirect URI registered with the provider (`oauth.callback.url`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
}

/// The name of a Secret in the same namespace.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretRef {
    /// Name of the Secret.
    pub name: String,
}

/// The grants and credentials that a connector may want.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum AuthenticationType {
    AuthorizationCode,
    RefreshToken,
    ClientCredentials,
    Password,
    JwtBearer,
    ApiKey,
    Basic,
    Bearer,
}
