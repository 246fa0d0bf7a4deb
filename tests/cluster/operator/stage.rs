//! A namespace with a provider, a callback, and what a user applies.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{
    Api, Client, Resource,
    api::{Patch, PatchParams},
    core::NamespaceResourceScope,
    runtime::wait::await_condition,
};
use pollen::api::{ConnectorInstance, PollerResource, conditions};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use simulator::{Served, receiver::Receiver, servicenow::Instance};

use super::PATIENCE;
use crate::control_plane::ControlPlane;

pub(super) const SIGNING_KEY: &str = "a-key-of-these-tests";

/// Where one test plays.
pub(super) struct Stage<'a> {
    pub(super) plane: &'a ControlPlane,
    pub(super) client: Client,
    pub(super) namespace: String,
    pub(super) provider: Instance,
    pub(super) callback: Receiver,
    provider_served: Served,
    callback_served: Served,
}

impl<'a> Stage<'a> {
    pub(super) async fn on(plane: &'a ControlPlane) -> Self {
        plane.install_crds().await;
        let (provider, callback) = (Instance::new(), Receiver::with_keys(&[SIGNING_KEY]));
        Self {
            client: plane.kube_client().await,
            namespace: plane.namespace().await,
            provider_served: provider.listen("127.0.0.1:0").await.unwrap(),
            callback_served: callback.listen("127.0.0.1:0").await.unwrap(),
            plane,
            provider,
            callback,
        }
    }

    /// `kubectl apply` of these objects into the stage's namespace.
    pub(super) async fn apply(&self, objects: &[Value]) {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        self.plane
            .apply(&self.namespace, &list.to_string())
            .await
            .unwrap();
    }

    /// The instance `prod`: client credentials, polled every second, events one by one and signed.
    pub(super) fn instance(&self) -> Value {
        json!({
            "apiVersion": "pollen.dev/v1alpha1",
            "kind": "ConnectorInstance",
            "metadata": {"name": "prod"},
            "spec": {
                "connector": "servicenowoauth",
                "baseUrl": self.provider_served.url(),
                "authentication": {"type": "ClientCredentials", "secretRef": {"name": "oauth"}},
                "events": {
                    "enabled": true,
                    "refreshInterval": "1s",
                    "callback": {
                        "url": format!("{}/events", self.callback_served.url()),
                        "maxEventsPerNotification": 1,
                        "signing": {"secretRef": {"name": "signing"}, "schemes": ["OpenConnectors"]},
                    },
                },
            },
        })
    }

    /// Both Secrets that [`instance`](Self::instance) names.
    pub(super) fn secrets(&self) -> [Value; 2] {
        let settings = self.provider.settings();
        let oauth = json!({"clientId": settings.client_id, "clientSecret": settings.client_secret});
        [
            secret("oauth", oauth),
            secret("signing", json!({"key": SIGNING_KEY})),
        ]
    }

    /// Applies the instance `prod`, its Secrets, and a poller of each resource under its own name.
    pub(super) async fn set(&self, resources: &[&str]) {
        let mut objects = self.secrets().to_vec();
        objects.push(self.instance());
        objects.extend(resources.iter().map(|resource| poller(resource, "prod")));
        self.apply(&objects).await;
    }

    fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub(super) fn pollers(&self) -> Api<PollerResource> {
        self.api()
    }

    /// Merges a change into an object.
    pub(super) async fn edit<K>(&self, name: &str, change: Value)
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
            + Clone
            + DeserializeOwned
            + std::fmt::Debug,
    {
        let api: Api<K> = self.api();
        api.patch(name, &PatchParams::default(), &Patch::Merge(change))
            .await
            .unwrap();
    }

    /// Annotates a poller, also one that cannot be read.
    pub(super) async fn annotate(&self, name: &str, annotation: &str) {
        let arguments = [
            "annotate",
            "poller",
            name,
            annotation,
            "-n",
            &self.namespace,
        ];
        self.plane.kubectl(&arguments).await.unwrap();
    }

    pub(super) async fn delete<K>(&self, name: &str)
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
            + Clone
            + DeserializeOwned
            + std::fmt::Debug,
    {
        let api: Api<K> = self.api();
        api.delete(name, &Default::default()).await.unwrap();
    }

    pub(super) async fn poller(&self, name: &str) -> PollerResource {
        self.pollers().get(name).await.unwrap()
    }

    /// Waits until `fits` holds of an object, and returns it.
    pub(super) async fn until<K>(&self, name: &str, fits: impl Fn(&K) -> bool) -> K
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
            + Clone
            + DeserializeOwned
            + Serialize
            + std::fmt::Debug
            + Send
            + 'static,
    {
        let api: Api<K> = self.api();
        let reached = await_condition(api.clone(), name, |object: Option<&K>| {
            object.is_some_and(&fits)
        });
        match tokio::time::timeout(PATIENCE, reached).await {
            Ok(object) => object.unwrap().unwrap(),
            Err(_) => panic!(
                "not within {PATIENCE:?}: {:#}",
                json!(api.get_opt(name).await.unwrap())
            ),
        }
    }

    /// Waits until the poller's `Ready` has this status and reason.
    pub(super) async fn poller_is(&self, name: &str, ready: &str) -> PollerResource {
        self.until(name, |poller: &PollerResource| {
            ready_of(&poller.conditions()) == ready
        })
        .await
    }

    /// Waits until the instance's `Ready` has this status and reason.
    pub(super) async fn instance_is(&self, name: &str, ready: &str) -> ConnectorInstance {
        self.until(name, |instance: &ConnectorInstance| {
            ready_of(&instance.conditions()) == ready
        })
        .await
    }
}

/// An object whose conditions are read.
pub(super) trait Conditioned {
    fn conditions(&self) -> Vec<Condition>;
}

impl Conditioned for PollerResource {
    fn conditions(&self) -> Vec<Condition> {
        self.status.clone().unwrap_or_default().conditions
    }
}

impl Conditioned for ConnectorInstance {
    fn conditions(&self) -> Vec<Condition> {
        self.status.clone().unwrap_or_default().conditions
    }
}

/// `STATUS REASON` of the condition `Ready`, with `stalled` behind it where that stands too.
pub(super) fn ready_of(all: &[Condition]) -> String {
    let Some(ready) = conditions::find(all, "Ready") else {
        return "nothing".to_owned();
    };
    let stalled = conditions::find(all, "Stalled").map_or("", |_| " stalled");
    format!("{} {}{stalled}", ready.status, ready.reason)
}

/// The message of the condition `Ready`.
pub(super) fn message_of(object: &impl Conditioned) -> String {
    conditions::find(&object.conditions(), "Ready")
        .unwrap()
        .message
        .clone()
}

pub(super) fn secret(name: &str, entries: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": entries})
}

/// A poller of the resource of its name.
pub(super) fn poller(name: &str, instance: &str) -> Value {
    json!({
        "apiVersion": "pollen.dev/v1alpha1",
        "kind": "PollerResource",
        "metadata": {"name": name},
        "spec": {"instanceRef": {"name": instance}},
    })
}
