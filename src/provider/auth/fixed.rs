//! Credentials that every request carries as they are.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::{
    FutureExt as _,
    future::{BoxFuture, ready},
};
use reqwest::header::HeaderValue;
use secrecy::ExposeSecret as _;

use super::{
    Authorize,
    grant::{SECRET_FIELD, trimmed},
};
use crate::{
    api::{Authentication, AuthenticationType},
    category::{Category, ConfigurationError},
    provider::FetchError,
    secrets::Secrets,
};

/// A user and password (RFC 7617), a token (RFC 6750) or a key, which nothing renews.
#[derive(Clone, Debug)]
pub struct FixedAuthorization {
    value: HeaderValue,
    /// Name of the Secret, for messages.
    secret_name: String,
}

impl FixedAuthorization {
    /// The credentials of `spec.authentication`, for the header that the connector names; `None`
    /// where its type is a grant. The Secret holds `username` and `password`, `token`, or
    /// `apiKey`.
    ///
    /// # Errors
    ///
    /// The Secret or an entry is missing, or makes no header.
    pub fn new(
        authentication: &Authentication,
        secrets: &Secrets,
    ) -> Result<Option<Self>, ConfigurationError> {
        let name = &authentication.secret_ref.name;
        let entry = |key| {
            let secret = trimmed(secrets.entry(SECRET_FIELD, name, key)?);
            Ok::<_, ConfigurationError>(secret.expose_secret().to_owned())
        };
        let text = match authentication.kind {
            Some(AuthenticationType::Basic) => {
                let credentials = format!("{}:{}", entry("username")?, entry("password")?);
                format!("Basic {}", STANDARD.encode(credentials))
            }
            Some(AuthenticationType::Bearer) => format!("Bearer {}", entry("token")?),
            Some(AuthenticationType::ApiKey) => entry("apiKey")?,
            _ => return Ok(None),
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_| {
            let message = format!(
                "Secret {name:?} holds characters that no header can carry, such as a line break"
            );
            ConfigurationError::new(SECRET_FIELD, message)
        })?;
        value.set_sensitive(true);
        Ok(Some(Self {
            value,
            secret_name: name.clone(),
        }))
    }
}

impl Authorize for FixedAuthorization {
    fn authorization(&self) -> BoxFuture<'_, Result<HeaderValue, FetchError>> {
        ready(Ok(self.value.clone())).boxed()
    }

    fn refused<'a>(&'a self, _used: &'a HeaderValue) -> BoxFuture<'a, Result<(), FetchError>> {
        let message = format!(
            "the provider refused the credentials in Secret {:?}: replace them with valid ones",
            self.secret_name
        );
        let error = FetchError {
            category: Category::Authentication,
            message,
            retry_after: None,
        };
        ready(Err(error)).boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rstest::rstest;

    use super::*;

    fn fixed(
        kind: &str,
        entries: &[(&str, &str)],
    ) -> Result<Option<FixedAuthorization>, ConfigurationError> {
        let spec = serde_json::json!({"type": kind, "secretRef": {"name": "key"}});
        let entries = entries
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).into()));
        let mut secrets = Secrets::default();
        secrets.insert("key".to_owned(), entries.collect::<BTreeMap<_, _>>());
        FixedAuthorization::new(&serde_json::from_value(spec).unwrap(), &secrets)
    }

    #[rstest]
    #[case("Basic", &[("username", "ann"), ("password", "s3cr3t\n")], "Basic YW5uOnMzY3IzdA==")]
    #[case("Bearer", &[("token", "s3cr3t")], "Bearer s3cr3t")]
    #[case("ApiKey", &[("apiKey", "s3cr3t")], "s3cr3t")]
    #[tokio::test]
    async fn the_secret_becomes_the_header_and_is_not_shown(
        #[case] kind: &str,
        #[case] entries: &[(&str, &str)],
        #[case] expected: &str,
    ) {
        let fixed = fixed(kind, entries).unwrap().unwrap();
        let value = fixed.authorization().await.unwrap();
        assert_eq!(value, expected);
        let error = fixed.refused(&value).await.unwrap_err();
        assert_eq!(error.category, Category::Authentication);
        assert!(error.message.contains("Secret \"key\""), "{error}");
        assert!(!format!("{fixed:?} {value:?} {error:?}").contains("s3cr3t"));
    }

    #[rstest]
    #[case("Basic", &[("username", "ann")], "\"password\"")]
    #[case("Bearer", &[("apiKey", "x")], "\"token\"")]
    #[case("ApiKey", &[("apiKey", "s3cr3t\nx")], "no header can carry")]
    fn what_makes_no_header_is_refused(
        #[case] kind: &str,
        #[case] entries: &[(&str, &str)],
        #[case] expected: &str,
    ) {
        let error = fixed(kind, entries).unwrap_err().to_string();
        assert!(
            error.contains(expected) && !error.contains("s3cr3t"),
            "{error}"
        );
    }

    #[test]
    fn a_grant_is_no_fixed_credential() {
        assert!(fixed("Password", &[]).unwrap().is_none());
    }
}
