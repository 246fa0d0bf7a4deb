//! The headers of `spec.events.callback`: how Pollen authenticates, and what else it sends.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    api::{Callback, CallbackAuthentication, CallbackAuthenticationType, RESERVED_HEADERS},
    category::ConfigurationError,
    secrets::Secrets,
};

/// The headers of every notification, and the secrets in them.
#[derive(Debug)]
pub(super) struct Headers {
    pub(super) map: HeaderMap,
    /// To be looked for in what the callback answers.
    pub(super) secrets: Vec<SecretString>,
}

impl Headers {
    /// The headers that the spec names, with the Secret's values.
    pub(super) fn new(spec: &Callback, secrets: &Secrets) -> Result<Self, ConfigurationError> {
        let mut headers = Self {
            map: HeaderMap::new(),
            secrets: Vec::new(),
        };
        for (name, value) in &spec.headers {
            let field = format!("spec.events.callback.headers.{name}");
            let value = HeaderValue::from_str(value)
                .map_err(|_| ConfigurationError::new(&field, "this is no value of a header"))?;
            headers.map.insert(header_name(&field, name)?, value);
        }
        if let Some(authentication) = &spec.authentication {
            headers.authenticate(authentication, secrets)?;
        }
        Ok(headers)
    }

    fn authenticate(
        &mut self,
        authentication: &CallbackAuthentication,
        secrets: &Secrets,
    ) -> Result<(), ConfigurationError> {
        const FIELD: &str = "spec.events.callback.authentication.secretRef";
        let mut entry = |key| {
            let secret = secrets.entry(FIELD, &authentication.secret_ref.name, key)?;
            self.secrets.push(secret.clone());
            // A Secret made from a file ends with the file's last line break.
            Ok(secret
                .expose_secret()
                .trim_end_matches(['\r', '\n'])
                .to_owned())
        };
        let (name, value) = match authentication.kind {
            CallbackAuthenticationType::Basic => {
                let credentials = format!("{}:{}", entry("username")?, entry("password")?);
                let credentials = STANDARD.encode(credentials);
                let value = format!("Basic {credentials}");
                self.secrets.push(credentials.into());
                (AUTHORIZATION, value)
            }
            CallbackAuthenticationType::Bearer => {
                (AUTHORIZATION, format!("Bearer {}", entry("token")?))
            }
            CallbackAuthenticationType::Header => (custom_header(authentication)?, entry("value")?),
        };
        let mut header = HeaderValue::from_str(&value).map_err(|_| {
            ConfigurationError::new(
                FIELD,
                format!(
                    "Secret {:?} holds characters that no header can carry, such as a line break",
                    authentication.secret_ref.name
                ),
            )
        })?;
        header.set_sensitive(true);
        self.map.insert(name, header);
        self.secrets.push(value.into());
        Ok(())
    }
}

fn custom_header(
    authentication: &CallbackAuthentication,
) -> Result<HeaderName, ConfigurationError> {
    const FIELD: &str = "spec.events.callback.authentication.header";
    let name = authentication.header.as_deref().ok_or_else(|| {
        ConfigurationError::new(
            FIELD,
            "type Header needs the header's name, such as X-Api-Key",
        )
    })?;
    header_name(FIELD, name)
}

fn header_name(field: &str, name: &str) -> Result<HeaderName, ConfigurationError> {
    let header: HeaderName = name
        .parse()
        .map_err(|_| ConfigurationError::new(field, format!("{name:?} is no name of a header")))?;
    if RESERVED_HEADERS.contains(&header.as_str()) {
        let message = format!("{header} is set by Pollen itself: choose another header");
        return Err(ConfigurationError::new(field, message));
    }
    Ok(header)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rstest::rstest;

    use super::*;

    fn headers(
        authentication: serde_json::Value,
        entries: &[(&str, &str)],
    ) -> Result<Headers, ConfigurationError> {
        let spec = serde_json::json!({"url": "https://x", "authentication": authentication});
        let entries = entries
            .iter()
            .map(|(k, v)| ((*k).to_owned(), SecretString::from(*v)));
        let mut secrets = Secrets::default();
        secrets.insert("s".to_owned(), entries.collect::<BTreeMap<_, _>>());
        Headers::new(&serde_json::from_value(spec).unwrap(), &secrets)
    }

    #[rstest]
    #[case("Basic", &[("username", "ann"), ("password", "p:w\n")], "authorization", "Basic YW5uOnA6dw==")]
    #[case("Bearer", &[("token", "abc\r\n")], "authorization", "Bearer abc")]
    #[case("Header", &[("value", "abc")], "x-api-key", "abc")]
    fn each_type_makes_its_header_and_hides_it(
        #[case] kind: &str,
        #[case] entries: &[(&str, &str)],
        #[case] name: &str,
        #[case] value: &str,
    ) {
        let authentication = serde_json::json!({
            "type": kind, "secretRef": {"name": "s"}, "header": "X-Api-Key",
        });
        let headers = headers(authentication, entries).unwrap();
        assert_eq!(headers.map[name], value);
        assert!(headers.map[name].is_sensitive());
        let shown = format!("{headers:?}");
        assert!(
            entries
                .iter()
                .all(|(_, secret)| !shown.contains(secret.trim())),
            "{shown}"
        );
    }

    #[rstest]
    #[case("Basic", &[("username", "ann")], "has no entry \"password\"")]
    #[case("Bearer", &[("value", "abc")], "has no entry \"token\"")]
    #[case("Bearer", &[("token", "s3cr3t\nabc")], "no header can carry")]
    #[case("Header", &[("value", "abc")], "needs the header's name")]
    fn what_makes_no_header_is_refused(
        #[case] kind: &str,
        #[case] entries: &[(&str, &str)],
        #[case] expected: &str,
    ) {
        let authentication = serde_json::json!({"type": kind, "secretRef": {"name": "s"}});
        let error = headers(authentication, entries).unwrap_err().to_string();
        assert!(
            error.contains(expected) && !error.contains("s3cr3t"),
            "{error}"
        );
    }

    #[rstest]
    #[case("X-Region", "eu", true)]
    #[case("Host", "other", false)]
    #[case("Content-Encoding", "gzip", false)]
    #[case("Elements-Webhook-Signature", "sha256=x", false)]
    #[case("bad name", "x", false)]
    #[case("X-Region", "a\nb", false)]
    fn headers_of_the_spec_may_not_stand_in_for_the_notifications_own(
        #[case] name: &str,
        #[case] value: &str,
        #[case] accepted: bool,
    ) {
        let spec = serde_json::json!({"url": "https://x", "headers": {name: value}});
        let spec = serde_json::from_value(spec).unwrap();
        assert_eq!(Headers::new(&spec, &Secrets::default()).is_ok(), accepted);
    }
}
