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

use super::{connect::direct, credentials::Credentials};
use crate::{
    api::ConnectorInstance,
    fleet::{Authorized, InstanceSettings},
    provider::auth::{NoTokens, Renewals},
};

/// The entry of the user's Secret that the operator takes for a refresh token.
const ENTRY: &str = "refreshToken";
const FIELD_MANAGER: &str = "pollen-authorize";

/// Why an instance cannot be authorized; what it says needs no more.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct AuthorizeError(String);

/// An instance of a cluster, and the Secret that it names.
pub struct Authorizing {
    settings: InstanceSettings,
    secrets: Api<Secret>,
}

impl Authorizing {
    /// Reads the instance and its Secret, and makes sure that the Secret may be written.
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
        let instances: Api<ConnectorInstance> = Api::namespaced(client.clone(), namespace);
        let instance = instances.get_opt(name).await;
        let instance =
            instance.map_err(|error| failed("read", "ConnectorInstance", name, &error))?;
        let instance = instance.ok_or_else(|| missing("ConnectorInstance", namespace, name))?;
        let secret = instance.spec.authentication.secret_ref.name.clone();
        let read = Credentials::read(&client, namespace, std::slice::from_ref(&secret)).await;
        let read = read.map_err(|error| failed("read", "Secret", &secret, &error))?;
        if !read.missing.is_empty() {
            return Err(missing("Secret", namespace, &secret));
        }
        let authorizing = Self {
            settings: InstanceSettings {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
                spec: instance.spec,
                secrets: read.secrets,
                tokens: Arc::new(NoTokens),
                renewals: Renewals::default(),
                deferred_until: None,
                gone_callback: None,
                held_callback: None,
            },
            secrets: Api::namespaced(client, namespace),
        };
        // A code that is exchanged for a token which may not be stored is wasted.
        authorizing.write(&"checked".into(), true).await?;
        Ok(authorizing)
    }

    /// What the instance is made from.
    #[must_use]
    pub const fn settings(&self) -> &InstanceSettings {
        &self.settings
    }

    /// Writes the refresh token into the user's Secret, and returns where it stands.
    ///
    /// # Errors
    ///
    /// The server refuses.
    pub async fn keep(&self, authorized: &Authorized) -> Result<String, AuthorizeError> {
        self.write(&authorized.refresh_token, false).await?;
        let InstanceSettings { namespace, .. } = &self.settings;
        Ok(format!(
            "entry {ENTRY} of Secret {namespace}/{}",
            self.secret()
        ))
    }

    fn secret(&self) -> &str {
        &self.settings.spec.authentication.secret_ref.name
    }

    async fn write(&self, token: &SecretString, only_checked: bool) -> Result<(), AuthorizeError> {
        let entries = BTreeMap::from([(ENTRY, token.expose_secret())]);
        let params = PatchParams {
            dry_run: only_checked,
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let change = Patch::Merge(json!({ "stringData": entries }));
        let written = self.secrets.patch(self.secret(), &params, &change).await;
        written
            .map(drop)
            .map_err(|error| failed("write", "Secret", self.secret(), &error))
    }
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
    AuthorizeError(format!(
        "no cluster can be reached: {error}: set KUBECONFIG or --context, or name a folder of manifests"
    ))
}

fn missing(kind: &str, namespace: &str, name: &str) -> AuthorizeError {
    AuthorizeError(format!(
        "namespace {namespace} has no {kind} {name:?}: create it first, or name one that is there"
    ))
}

fn failed(what: &str, kind: &str, name: &str, error: &kube::Error) -> AuthorizeError {
    let advice = match error {
        kube::Error::Api(status) if status.is_forbidden() => {
            ": this needs the right to get ConnectorInstances and to get and patch this Secret, which the \
             cluster's admin can give you"
        }
        _ => "",
    };
    // What is written is never part of what the server says of it: a merge patch is not echoed.
    AuthorizeError(format!("cannot {what} {kind} {name:?}: {error}{advice}"))
}
