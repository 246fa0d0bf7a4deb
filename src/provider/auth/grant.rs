//! Grants (RFC 6749 §4) and the client that asks for them.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use super::{Assertions, assertion::Unsigned, entries::Entries};
use crate::{
    api::{Authentication, AuthenticationType},
    category::ConfigurationError,
    provider::page::hex,
};

/// The parameters of a request for tokens.
pub(super) type Form<'a> = Vec<(&'a str, Cow<'a, str>)>;

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// What the user gave in exchange for which the provider issues tokens.
#[derive(Clone, Debug)]
pub enum Grant {
    /// A code that works once, and then the refresh token that it brought.
    AuthorizationCode {
        code: SecretString,
        redirect_uri: Option<String>,
        /// What the code was asked for with (RFC 7636).
        verifier: Option<SecretString>,
    },
    /// Neither a code nor a refresh token: what `pollen authorize` has stored, and what replaces it.
    Authorized,
    /// A refresh token, and then those that replace it.
    RefreshToken { token: SecretString },
    /// The client's credentials alone.
    ClientCredentials,
    /// A user and password, each time anew.
    Password {
        username: SecretString,
        password: SecretString,
    },
    /// A signed assertion, each time anew (RFC 7523 §2.1).
    JwtBearer(Assertions),
}

/// The client's id and its proof, and where the user keeps them.
#[derive(Clone, Debug)]
pub struct ClientCredentials {
    /// Name of the Secret, for messages.
    pub secret_name: String,
    pub id: SecretString,
    pub proof: ClientProof,
}

/// How a client shows that it is the one (RFC 6749 §2.3, RFC 7523 §2.2).
#[derive(Clone, Debug)]
pub enum ClientProof {
    /// `client_secret` in the form, beside `client_id`.
    Body(SecretString),
    /// HTTP Basic.
    Header(SecretString),
    /// `client_assertion` in the form, beside `client_id`.
    Assertion(Assertions),
    /// `client_id` alone.
    None,
}

impl Grant {
    /// The grant that `spec.authentication` names, with the entries of its Secret; `None` where
    /// its type needs no token service. A Secret with a `refreshToken` needs no `code`.
    /// `assertions` makes those of a JwtBearer.
    ///
    /// # Errors
    ///
    /// The Secret or an entry is missing.
    pub fn new(
        authentication: &Authentication,
        entries: &Entries<'_>,
        assertions: impl FnOnce() -> Result<Assertions, ConfigurationError>,
    ) -> Result<Option<Self>, ConfigurationError> {
        let kind = authentication
            .kind
            .unwrap_or(AuthenticationType::AuthorizationCode);
        let grant = match kind {
            AuthenticationType::AuthorizationCode => Self::authorized(authentication, entries)?,
            AuthenticationType::RefreshToken => Self::RefreshToken {
                token: entries.required("refreshToken")?,
            },
            AuthenticationType::ClientCredentials => Self::ClientCredentials,
            AuthenticationType::Password => Self::Password {
                username: entries.required("username")?,
                password: entries.required("password")?,
            },
            // A key that stands in for another signs nothing.
            AuthenticationType::JwtBearer if entries.is_stand_in() => Self::ClientCredentials,
            AuthenticationType::JwtBearer => Self::JwtBearer(assertions()?),
            AuthenticationType::ApiKey | AuthenticationType::Basic | AuthenticationType::Bearer => {
                return Ok(None);
            }
        };
        Ok(Some(grant))
    }

    fn authorized(
        authentication: &Authentication,
        entries: &Entries<'_>,
    ) -> Result<Self, ConfigurationError> {
        if let Some(token) = entries.optional("refreshToken")? {
            return Ok(Self::RefreshToken { token });
        }
        let Some(code) = entries.optional("code")? else {
            return Ok(Self::Authorized);
        };
        Ok(Self::AuthorizationCode {
            code,
            redirect_uri: authentication.redirect_uri.clone(),
            verifier: entries.optional("codeVerifier")?,
        })
    }

    /// The token of the user from which stored ones grow: none stands for the empty one.
    pub(super) fn seed(&self) -> Option<SecretString> {
        match self {
            Self::AuthorizationCode { code, .. } => Some(code.clone()),
            Self::RefreshToken { token } => Some(token.clone()),
            Self::Authorized => Some(SecretString::default()),
            Self::ClientCredentials | Self::Password { .. } | Self::JwtBearer(_) => None,
        }
    }

    /// The form that asks for tokens with what the user gave.
    pub(super) fn form(&self, now: DateTime<Utc>) -> Result<Form<'_>, Unsigned> {
        let fields: Vec<(&str, &str)> = match self {
            Self::AuthorizationCode {
                code,
                redirect_uri,
                verifier,
            } => {
                let code = code.expose_secret();
                let mut fields = vec![("grant_type", "authorization_code"), ("code", code)];
                fields.extend(redirect_uri.as_deref().map(|uri| ("redirect_uri", uri)));
                let verifier = verifier.as_ref().map(SecretString::expose_secret);
                fields.extend(verifier.map(|verifier| ("code_verifier", verifier)));
                fields
            }
            Self::RefreshToken { token } => return Ok(refresh_form(token)),
            Self::Authorized => Vec::new(),
            Self::ClientCredentials => vec![("grant_type", "client_credentials")],
            Self::Password { username, password } => vec![
                ("grant_type", "password"),
                ("username", username.expose_secret()),
                ("password", password.expose_secret()),
            ],
            Self::JwtBearer(assertions) => {
                let assertion = assertions.make(now)?.expose_secret().to_owned();
                return Ok(vec![
                    ("grant_type", JWT_BEARER.into()),
                    ("assertion", assertion.into()),
                ]);
            }
        };
        Ok(fields
            .into_iter()
            .map(|(name, text)| (name, text.into()))
            .collect())
    }

    /// Whatever of the grant a token service might repeat in an error.
    pub(super) fn secrets(&self) -> Vec<SecretString> {
        match self {
            Self::Password { username, password } => vec![username.clone(), password.clone()],
            Self::AuthorizationCode { code, verifier, .. } => {
                std::iter::once(code).chain(verifier).cloned().collect()
            }
            _ => self.seed().into_iter().collect(),
        }
    }
}

impl ClientCredentials {
    /// `clientId` of the Secret, and `proof`.
    ///
    /// # Errors
    ///
    /// The Secret or the entry is missing.
    pub fn new(entries: &Entries<'_>, proof: ClientProof) -> Result<Self, ConfigurationError> {
        Ok(Self {
            secret_name: entries.secret_name().to_owned(),
            id: entries.required("clientId")?,
            proof,
        })
    }

    /// The client's secret, where it has one.
    pub(super) const fn secret(&self) -> Option<&SecretString> {
        match &self.proof {
            ClientProof::Body(secret) | ClientProof::Header(secret) => Some(secret),
            ClientProof::Assertion(_) | ClientProof::None => None,
        }
    }

    /// The client's id and secret beside the secrets of a grant.
    pub(super) fn beside(&self, mut secrets: Vec<SecretString>) -> Vec<SecretString> {
        secrets.push(self.id.clone());
        secrets.extend(self.secret().cloned());
        secrets
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

impl ClientProof {
    /// The entry `clientSecret` of the Secret, where the token service looks for it.
    ///
    /// # Errors
    ///
    /// The Secret or the entry is missing.
    pub fn secret(
        entries: &Entries<'_>,
        sent: fn(SecretString) -> Self,
    ) -> Result<Self, ConfigurationError> {
        entries.required("clientSecret").map(sent)
    }
}

/// The form that asks for tokens with a refresh token.
pub(super) fn refresh_form(token: &SecretString) -> Form<'_> {
    vec![
        ("grant_type", "refresh_token".into()),
        ("refresh_token", token.expose_secret().into()),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rstest::rstest;

    use super::*;
    use crate::secrets::Secrets;

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
        Grant::new(
            &authentication(kind),
            &Entries::new(&secrets, "oauth"),
            || panic!("no assertion is asked for"),
        )
    }

    #[rstest]
    #[case(None, &["code"], "authorization_code code=code-s3cr3t redirect_uri=https://example.com/oauth")]
    #[case(None, &["code", "codeVerifier"], "authorization_code code=code-s3cr3t redirect_uri=https://example.com/oauth code_verifier=codeVerifier-s3cr3t")]
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
        let form = grant.form(DateTime::UNIX_EPOCH).unwrap();
        let form = form.into_iter().map(|(name, value)| match name {
            "grant_type" => value.into_owned(),
            _ => format!("{name}={value}"),
        });
        assert_eq!(form.collect::<Vec<_>>().join(" "), expected);
        assert!(!format!("{grant:?}").contains("s3cr3t"));
    }

    #[rstest]
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

    /// `pollen authorize` may have stored a token, or may yet.
    #[test]
    fn without_a_code_there_may_be_what_was_authorized() {
        let grant = grant(None, &["clientId"]).unwrap().unwrap();
        assert!(matches!(grant, Grant::Authorized));
    }

    #[test]
    fn a_key_needs_no_token_service() {
        assert!(grant(Some("ApiKey"), &[]).unwrap().is_none());
    }

    #[test]
    fn another_client_or_another_token_of_the_user_grows_another_tree() {
        let credentials = |id: &str| ClientCredentials {
            secret_name: "oauth".to_owned(),
            id: id.into(),
            proof: ClientProof::None,
        };
        let digest = |id, seed: &str| credentials(id).grown_from(&seed.into());
        assert_eq!(digest("a", "bc"), digest("a", "bc"));
        assert_ne!(digest("a", "bc"), digest("ab", "c"));
        assert_ne!(digest("a", "bc"), digest("a", "bd"));
        assert!(!digest("s3cr3t", "s3cr3t").contains("s3cr3t"));
    }
}
