//! Authorizing an instance of a cluster: its refresh token goes into the user's own Secret, by the
//! user's own rights.

use std::{collections::BTreeMap, fmt::Display, sync::Arc};

use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client, Config,
    api::{Patch, PatchParams},
    config::KubeConfigOptions,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::{connect::direct, named_secrets::NamedSecrets};
use crate::{
    api::ConnectorInstance,
    fleet::{Authorized, InstanceSettings, provider_secret_names},
    provider::auth::{NoTokens, Renewals},
};

/// The entry of the user's Secret that the operator takes for a refresh token.
const ENTRY: &str = "refreshToken";
/// The entry to whose holder the token is issued.
const CLIENT: &str = "clientId";
const FIELD_MANAGER: &str = "pollen-authorize";

/// Why an instance cannot be authorized; what it says needs no more.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct AuthorizeError {
    message: String,
    may_pass: bool,
}

impl AuthorizeError {
    /// Whether another attempt may find it gone.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        self.may_pass
    }

    const fn lasting(message: String) -> Self {
        Self {
            message,
            may_pass: false,
        }
    }
}

/// An instance of a cluster, and the Secrets that it names for its provider.
pub struct Authorizing {
    client: Client,
    settings: InstanceSettings,
}

impl Authorizing {
    /// Reads the instance and its Secrets, and makes sure that the one which it authenticates with may be
    /// written.
    ///
    /// # Errors
    ///
    /// The cluster cannot be reached, an object is missing, or a right to it.
    pub async fn open(
        namespace: &str,
        name: &str,
        context: Option<String>,
    ) -> Result<Self, AuthorizeError> {
        let client = connect(context).await?;
        let authorizing = Self {
            settings: settings(&client, namespace, name).await?,
            client,
        };
        // A code that is exchanged for a token which may not be stored is wasted.
        let settings = &authorizing.settings;
        authorizing.write(settings, &"checked".into(), true).await?;
        Ok(authorizing)
    }

    /// What the instance is made from by now.
    ///
    /// # Errors
    ///
    /// The cluster cannot be reached, an object is missing, or a right to it.
    pub async fn read_again(&self) -> Result<InstanceSettings, AuthorizeError> {
        let InstanceSettings {
            namespace, name, ..
        } = &self.settings;
        settings(&self.client, namespace, name).await
    }

    /// What the instance is made from.
    #[must_use]
    pub const fn settings(&self) -> &InstanceSettings {
        &self.settings
    }

    /// Writes the refresh token into the user's Secret, as the instance is `now`, and returns where it stands.
    ///
    /// # Errors
    ///
    /// The server refuses, or the Secret has become that of another client in this instant.
    pub async fn keep(
        &self,
        authorized: &Authorized,
        now: &InstanceSettings,
    ) -> Result<String, AuthorizeError> {
        let written = self.write(now, &authorized.refresh_token, false).await?;
        let (namespace, name) = (&now.namespace, secret_name(now));
        if client_of(&written) != client_of_read(now) {
            return Err(AuthorizeError::lasting(format!(
                "entry {CLIENT} of Secret {namespace}/{name} changed while the refresh token was stored there, \
                 which belongs to the client before: run pollen authorize again"
            )));
        }
        Ok(format!("entry {ENTRY} of Secret {namespace}/{name}"))
    }

    async fn write(
        &self,
        now: &InstanceSettings,
        token: &SecretString,
        only_checked: bool,
    ) -> Result<Secret, AuthorizeError> {
        let entries = BTreeMap::from([(ENTRY, token.expose_secret())]);
        let params = PatchParams {
            dry_run: only_checked,
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let change = Patch::Merge(json!({ "stringData": entries }));
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &now.namespace);
        let name = secret_name(now);
        let written = secrets.patch(name, &params, &change).await;
        written.map_err(|error| failed("write", "Secret", name, &error))
    }
}

fn secret_name(settings: &InstanceSettings) -> &str {
    &settings.spec.authentication.secret_ref.name
}

/// The client's id as it stands in a Secret.
fn client_of(secret: &Secret) -> Option<&[u8]> {
    let entry = secret.data.as_ref()?.get(CLIENT)?;
    Some(&entry.0)
}

fn client_of_read(settings: &InstanceSettings) -> Option<&[u8]> {
    let entry = settings.secrets.entry("", secret_name(settings), CLIENT);
    Some(entry.ok()?.expose_secret().as_bytes())
}

async fn settings(
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<InstanceSettings, AuthorizeError> {
    let instances: Api<ConnectorInstance> = Api::namespaced(client.clone(), namespace);
    let instance = instances.get_opt(name).await;
    let instance = instance.map_err(|error| failed("read", "ConnectorInstance", name, &error))?;
    let instance = instance.ok_or_else(|| missing("ConnectorInstance", namespace, name))?;
    let names = provider_secret_names(&instance.spec);
    let read = NamedSecrets::read(client, namespace, &names).await;
    let read = read.map_err(|error| failed("read", "Secret", &names.join(" or "), &error))?;
    if let Some(secret) = read.missing.first() {
        return Err(missing("Secret", namespace, secret));
    }
    Ok(InstanceSettings {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        spec: instance.spec,
        secrets: read.secrets,
        tokens: Arc::new(NoTokens),
        renewals: Renewals::default(),
        deferred_until: None,
        gone_callback: None,
        held_callback: None,
    })
}

async fn connect(context: Option<String>) -> Result<Client, AuthorizeError> {
    let config = match context {
        None => Config::infer().await.map_err(|error| unreachable(&error)),
        Some(context) => {
            let options = KubeConfigOptions {
                context: Some(context),
                ..KubeConfigOptions::default()
            };
            Config::from_kubeconfig(&options)
                .await
                .map_err(|error| unreachable(&error))
        }
    };
    direct(config?).map_err(|error| unreachable(&error))
}

fn unreachable(error: &dyn Display) -> AuthorizeError {
    AuthorizeError::lasting(format!(
        "no cluster can be reached: {error}: set KUBECONFIG or --context, or name a folder of manifests"
    ))
}

fn missing(kind: &str, namespace: &str, name: &str) -> AuthorizeError {
    AuthorizeError::lasting(format!(
        "namespace {namespace} has no {kind} {name:?}: create it first, or name one that is there"
    ))
}

fn failed(what: &str, kind: &str, name: &str, error: &kube::Error) -> AuthorizeError {
    let advice = match error {
        kube::Error::Api(status) if status.is_forbidden() => {
            ": this needs the right to get ConnectorInstances, to get the Secrets of spec.authentication and \
             spec.tls, and to patch the former, which the cluster's admin can give you"
        }
        _ => "",
    };
    // What is written is never part of what the server says of it: a merge patch is not echoed.
    let message = format!("cannot {what} {kind} {name:?}: {error}{advice}");
    AuthorizeError {
        message,
        may_pass: !is_refused(error),
    }
}

/// Whether the server has looked at the request and will say the same of the next one.
fn is_refused(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else {
        return false;
    };
    matches!(status.code, 400..=499) && !matches!(status.code, 408 | 409 | 429)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::fake_api::{FakeApi, Fault};

    fn add_secret(api: &FakeApi, name: &str, entry: &str) {
        let path = format!("/api/v1/namespaces/helpdesk/secrets/{name}");
        let metadata = json!({"namespace": "helpdesk", "name": name});
        api.insert(
            &path,
            json!({"metadata": metadata, "data": {entry: "YQ=="}}),
        );
    }

    #[tokio::test]
    async fn an_instance_with_certificates_of_its_own_is_read_with_their_secrets() {
        let api = FakeApi::default();
        let spec = json!({
            "connector": "servicenowoauth",
            "authentication": {"secretRef": {"name": "oauth"}},
            "tls": {"caRef": {"name": "authority"}},
            "events": {"callback": {
                "url": "https://receiver.example/events", "signing": {"secretRef": {"name": "signing"}},
            }},
        });
        let path = "/apis/pollen.dev/v1alpha1/namespaces/helpdesk/connectorinstances/prod";
        let metadata = json!({"namespace": "helpdesk", "name": "prod"});
        api.insert(path, json!({"metadata": metadata, "spec": spec}));
        add_secret(&api, "oauth", "clientId");
        let client = api.client();
        let error = settings(&client, "helpdesk", "prod").await.err().unwrap();
        assert!(
            error.to_string().contains("no Secret \"authority\""),
            "{error}"
        );
        add_secret(&api, "authority", "ca.crt");
        let read = settings(&client, "helpdesk", "prod").await.unwrap();
        for (name, entry) in [("oauth", "clientId"), ("authority", "ca.crt")] {
            read.secrets.entry("field", name, entry).unwrap();
        }
    }

    #[tokio::test]
    async fn a_token_that_the_server_fails_to_take_may_be_written_again_and_one_that_it_refuses_not()
     {
        let api = FakeApi::default();
        add_secret(&api, "oauth", "clientId");
        let path = "/apis/pollen.dev/v1alpha1/namespaces/helpdesk/connectorinstances/prod";
        let spec = json!({"connector": "servicenowoauth", "authentication": {"secretRef": {"name": "oauth"}}});
        let metadata = json!({"namespace": "helpdesk", "name": "prod"});
        api.insert(path, json!({"metadata": metadata, "spec": spec}));
        let client = api.client();
        let authorizing = Authorizing {
            settings: settings(&client, "helpdesk", "prod").await.unwrap(),
            client,
        };
        let now = authorizing.read_again().await.unwrap();
        let authorized = Authorized {
            refresh_token: "r1".into(),
            issued_at: chrono::DateTime::UNIX_EPOCH,
            expires_at: None,
            grown_from: String::new(),
        };
        for (code, may_pass) in [(500, true), (429, true), (403, false), (404, false)] {
            api.fail_next(Fault::Refused(code, "no".into()));
            let error = authorizing.keep(&authorized, &now).await.unwrap_err();
            assert_eq!(error.may_pass(), may_pass, "{error}");
        }
        authorizing.keep(&authorized, &now).await.unwrap();
        let written = api.object("/api/v1/namespaces/helpdesk/secrets/oauth");
        assert_eq!(written["stringData"]["refreshToken"], "r1");
        api.fail_next(Fault::Overtaken(json!({"data": {"clientId": "Yg=="}})));
        let error = authorizing.keep(&authorized, &now).await.unwrap_err();
        let words = "clientId of Secret helpdesk/oauth changed while the refresh token was stored";
        assert!(error.to_string().contains(words), "{error}");
    }
}
