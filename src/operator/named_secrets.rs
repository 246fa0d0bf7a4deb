//! The Secrets that an instance names, read by name.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};

use crate::secrets::Secrets;

/// A digest of each Secret's entries by its name.
pub(super) type Digests = BTreeMap<String, [u8; 32]>;

/// The Secrets of one instance as they were read.
#[derive(Clone, Debug, Default)]
pub(super) struct NamedSecrets {
    pub(super) secrets: Secrets,
    /// Names without a Secret.
    pub(super) missing: Vec<String>,
    /// Of the entries of each Secret, so that a change is noticed without keeping the old ones.
    pub(super) digests: Digests,
}

impl NamedSecrets {
    /// Reads the Secrets of these names. Of entries that are no text it is only known that they are
    /// there: no credential of HTTP is binary.
    pub(super) async fn read(
        client: &Client,
        namespace: &str,
        names: &[String],
    ) -> Result<Self, kube::Error> {
        let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
        let mut credentials = Self::default();
        for name in names {
            match api.get_opt(name).await? {
                Some(secret) => credentials.add(name, secret),
                None => credentials.missing.push(name.clone()),
            }
        }
        Ok(credentials)
    }

    fn add(&mut self, name: &str, secret: Secret) {
        let mut digest = Sha256::new();
        let mut entries = BTreeMap::new();
        for (key, value) in secret.data.unwrap_or_default() {
            digest_part(&mut digest, key.as_bytes());
            digest_part(&mut digest, &value.0);
            match String::from_utf8(value.0) {
                Ok(text) => _ = entries.insert(key, SecretString::from(text)),
                Err(_) => self.secrets.note_binary(name, key),
            }
        }
        self.digests
            .insert(name.to_owned(), digest.finalize().into());
        self.secrets.insert(name.to_owned(), entries);
    }
}

/// Lengths keep two neighbours from being taken for others that join to the same bytes.
fn digest_part(digest: &mut Sha256, part: &[u8]) {
    digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
    digest.update(part);
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;
    use serde_json::json;

    use super::*;
    use crate::operator::fake_api::FakeApi;

    const PATH: &str = "/api/v1/namespaces/helpdesk/secrets/oauth";

    async fn read(api: &FakeApi) -> NamedSecrets {
        NamedSecrets::read(&api.client(), "helpdesk", &["oauth".into()])
            .await
            .unwrap()
    }

    fn oauth(api: &FakeApi, data: serde_json::Value) {
        api.insert(
            PATH,
            json!({"metadata": {"namespace": "helpdesk", "name": "oauth"}, "data": data}),
        );
    }

    #[tokio::test]
    async fn a_missing_secret_is_named() {
        assert_eq!(read(&FakeApi::default()).await.missing, ["oauth"]);
    }

    #[tokio::test]
    async fn an_entry_that_changes_changes_the_digest_and_a_label_does_not() {
        let api = FakeApi::default();
        oauth(&api, json!({"clientId": "YQ=="}));
        let first = read(&api).await;
        assert_eq!(
            first
                .secrets
                .entry("f", "oauth", "clientId")
                .unwrap()
                .expose_secret(),
            "a"
        );
        api.insert(PATH, json!({"metadata": {"name": "oauth", "labels": {"a": "b"}}, "data": {"clientId": "YQ=="}}));
        assert_eq!(read(&api).await.digests, first.digests);
        oauth(&api, json!({"clientId": "Yg=="}));
        assert_ne!(read(&api).await.digests, first.digests);
    }

    #[tokio::test]
    async fn an_entry_that_is_no_text_is_told_from_one_that_is_missing() {
        let api = FakeApi::default();
        oauth(&api, json!({"clientId": "YQ==", "privateKey": "/w=="}));
        let secrets = read(&api).await.secrets;
        let error = secrets.optional("spec.tls", "oauth", "privateKey");
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("entry \"privateKey\" of Secret \"oauth\" is no text"),
            "{error}"
        );
        assert!(secrets.entry("f", "oauth", "clientId").is_ok());
    }
}
