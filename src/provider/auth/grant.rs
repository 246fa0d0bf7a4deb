//! Grants (RFC 6749 §4) and the client that asks for them.

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::{
    api::{Authentication, AuthenticationType},
    category::ConfigurationError,
    provider::page::hex,
    secrets::Secrets,
};

const SECRET_FIELD: &str = "spec.authentication.secretRef";

/// What the user gave in exchange for which the provider issues tokens.
#[derive(Clone, Debug)]
pub enum Grant {
    /// A code that works once, and then the refresh token that it brought.
    AuthorizationCode {
        code: SecretString,
        redirect_uri: Option<String>,
    },
    /// A refresh token, and then those that replace it.
    RefreshToken { token: SecretString },
    /// The client's credentials alone.
    ClientCredentials,
    /// A user and password, each time anew.
    Password {
        username: SecretString,
        password: SecretString,
    },
}

/// The client's id and secret, and where the user keeps them.
#[derive(Clone, Debug)]
pub struct ClientCredentials {
    /// Name of the Secret, for messages.
    pub secret_name: String,
    pub id: SecretString,
    pub secret: SecretString,
    pub sent_in: CredentialsIn,
}

/// Where a token service looks for the client's credentials (RFC 6749 §2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CredentialsIn {
    /// `client_id` and `client_secret` in the form.
    #[default]
    Body,
    /// HTTP Basic.
    Header,
}

impl Grant {
    /// The grant that `spec.authentication` names, with the entries of its Secret; `None` where
    /// its type needs no token service. A Secret with a `refreshToken` needs no `code`.
    ///
    /// # Errors
    ///
    /// The Secret or an entry is missing.
    pub fn new(
        authentication: &Authentication,
        secrets: &Secrets,
    ) -> Result<Option<Self>, ConfigurationError> {
        let name = &authentication.secret_ref.name;
        let entry = |key| Ok(trimmed(secrets.entry(SECRET_FIELD, name, key)?));
        let kind = authentication
            .kind
            .unwrap_or(AuthenticationType::AuthorizationCode);
        let grant = match kind {
            AuthenticationType::AuthorizationCode => {
                match secrets.optional(SECRET_FIELD, name, "refreshToken")? {
                    Some(token) => Self::RefreshToken {
                        token: trimmed(token),
                    },
                    None => Self::AuthorizationCode {
                        code: entry("code")?,
                        redirect_uri: authentication.redirect_uri.clone(),
                    },
                }
            }
            AuthenticationType::RefreshToken => Self::RefreshToken {
                token: entry("refreshToken")?,
            },
            AuthenticationType::ClientCredentials => Self::ClientCredentials,
            AuthenticationType::Password => Self::Password {
                username: entry("username")?,
                password: entry("password")?,
            },
            AuthenticationType::JwtBearer => {
                let message = "this version of Pollen has no JwtBearer: write AuthorizationCode, \
                               RefreshToken, ClientCredentials or Password";
                return Err(ConfigurationError::new("spec.authentication.type", message));
            }
            AuthenticationType::ApiKey | AuthenticationType::Basic | AuthenticationType::Bearer => {
                return Ok(None);
            }
        };
        Ok(Some(grant))
    }

    /// The token of the user from which stored ones grow.
    pub(super) const fn seed(&self) -> Option<&SecretString> {
        match self {
            Self::AuthorizationCode { code, .. } => Some(code),
            Self::RefreshToken { token } => Some(token),
            Self::ClientCredentials | Self::Password { .. } => None,
        }
    }

    /// The form that asks for tokens with what the user gave.
    pub(super) fn form(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::AuthorizationCode { code, redirect_uri } => {
                let mut form = vec![
                    ("grant_type", "authorization_code"),
                    ("code", code.expose_secret()),
                ];
                form.extend(redirect_uri.as_deref().map(|uri| ("redirect_uri", uri)));
                form
            }
            Self::RefreshToken { token } => refresh_form(token),
            Self::ClientCredentials => vec![("grant_type", "client_credentials")],
            Self::Password { username, password } => vec![
                ("grant_type", "password"),
                ("username", username.expose_secret()),
                ("password", password.expose_secret()),
            ],
        }
    }

    /// Whatever of the grant a token service might repeat in an error.
    pub(super) fn secrets(&self) -> Vec<SecretString> {
        match self {
            Self::Password { username, password } => vec![username.clone(), password.clone()],
            _ => self.seed().into_iter().cloned().collect(),
        }
    }
}

impl ClientCredentials {
    /// `clientId` and `clientSecret` of the Secret that `spec.authentication` names.
    ///
    /// # Errors
    ///
    /// The Secret or an entry is missing.
    pub fn new(
        authentication: &Authentication,
        secrets: &Secrets,
        sent_in: CredentialsIn,
    ) -> Result<Self, ConfigurationError> {
        let secret_name = authentication.secret_ref.name.clone();
        let entry = |key| Ok(trimmed(secrets.entry(SECRET_FIELD, &secret_name, key)?));
        let (id, secret) = (entry("clientId")?, entry("clientSecret")?);
        Ok(Self {
            secret_name,
            id,
            secret,
            sent_in,
        })
    }

    /// The digest of [`StoredToken::grown_from`](super::StoredToken::grown_from).
    pub(super) fn grown_from(&self, seed: &SecretString) -> String {
        let mut digest = Sha256::new();
        for text in [self.id.expose_secret(), seed.expose_secret()] {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        }
        hex(&digest.finalize())
    }
}

/// The form that asks for tokens with a refresh token.
pub(super) fn refresh_form(token: &SecretString) -> Vec<(&'static str, &str)> {
    vec![
        ("grant_type", "refresh_token"),
        ("refresh_token", token.expose_secret()),
    ]
}

/// A Secret made from a file ends with the file's last line break.
fn trimmed(secret: &SecretString) -> SecretString {
    secret.expose_secret().trim_end_matches(['\r', '\n']).into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rstest::rstest;

    use super::*;

    fn authentication(kind: Option<&str>) -> Authentication {
        let mut spec = serde_json::json!({
            "secretRef": {"name": "oauth"}, "redirectUri": "https://example.com/oauth",
        });
        if let Some(kind) = kind {
            spec["type"] = kind.into();
        }
        serde_json::from_value(spec).unwrap()
    }

    fn grant(kind: Option<&str>, keys: &[&str]) -> Result<Option<Grant>, ConfigurationError> {
        let entries = keys
            .iter()
            .map(|key| ((*key).to_owned(), format!("{key}-s3cr3t\n").into()));
        let mut secrets = Secrets::default();
        secrets.insert("oauth".to_owned(), entries.collect::<BTreeMap<_, _>>());
        Grant::new(&authentication(kind), &secrets)
    }

    #[rstest]
    #[case(None, &["code"], "authorization_code code=code-s3cr3t redirect_uri=https://example.com/oauth")]
    #[case(Some("AuthorizationCode"), &["code", "refreshToken"], "refresh_token refresh_token=refreshToken-s3cr3t")]
    #[case(Some("RefreshToken"), &["refreshToken"], "refresh_token refresh_token=refreshToken-s3cr3t")]
    #[case(Some("ClientCredentials"), &[], "client_credentials")]
    #[case(Some("Password"), &["username", "password"], "password username=username-s3cr3t password=password-s3cr3t")]
    fn each_grant_asks_with_what_its_secret_holds(
        #[case] kind: Option<&str>,
        #[case] keys: &[&str],
        #[case] expected: &str,
    ) {
        let grant = grant(kind, keys).unwrap().unwrap();
        let form = grant.form().into_iter().map(|(name, value)| match name {
            "grant_type" => value.to_owned(),
            _ => format!("{name}={value}"),
        });
        assert_eq!(form.collect::<Vec<_>>().join(" "), expected);
        assert!(!format!("{grant:?}").contains("s3cr3t"));
    }

    #[rstest]
    #[case(None, &[], "\"code\"")]
    #[case(Some("RefreshToken"), &["code"], "\"refreshToken\"")]
    #[case(Some("Password"), &["username"], "\"password\"")]
    fn a_missing_entry_is_named(
        #[case] kind: Option<&str>,
        #[case] keys: &[&str],
        #[case] expected: &str,
    ) {
        let error = grant(kind, keys).unwrap_err().to_string();
        assert!(
            error.contains(expected) && error.contains("spec.authentication"),
            "{error}"
        );
    }

    #[test]
    fn a_key_needs_no_token_service() {
        assert!(grant(Some("ApiKey"), &[]).unwrap().is_none());
    }

    #[test]
    fn a_grant_that_is_not_there_is_refused_with_those_that_are() {
        let error = grant(Some("JwtBearer"), &[]).unwrap_err();
        assert_eq!(error.field, "spec.authentication.type");
        assert!(error.message.contains("write AuthorizationCode"), "{error}");
    }

    #[test]
    fn another_client_or_another_token_of_the_user_grows_another_tree() {
        let credentials = |id: &str| ClientCredentials {
            secret_name: "oauth".to_owned(),
            id: id.into(),
            secret: "x".into(),
            sent_in: CredentialsIn::Body,
        };
        let digest = |id, seed: &str| credentials(id).grown_from(&seed.into());
        assert_eq!(digest("a", "bc"), digest("a", "bc"));
        assert_ne!(digest("a", "bc"), digest("ab", "c"));
        assert_ne!(digest("a", "bc"), digest("a", "bd"));
        assert!(!digest("s3cr3t", "s3cr3t").contains("s3cr3t"));
    }
}
