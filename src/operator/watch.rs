//! The watches that keep the cache as the API server has it.

use std::collections::{HashMap, HashSet};

use futures::{Stream, StreamExt as _};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client, Resource as _,
    core::{ApiResource, DeserializeGuard, PartialObjectMeta},
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use super::{
    cache::{Cache, Cached},
    item::{Item, Key, Watched},
    malformed::{Kind, Malformed},
};
use crate::{fleet, telemetry::Unsynced};

/// Everything but Helm's release records, which are many, large and nobody's credentials.
const SECRETS: &str = "type!=helm.sh/release.v1";

/// What a watch says of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The instance or one of its pollers changed.
    Objects(Key),
    /// A Secret that it names changed.
    Secrets(Key),
    /// An object cannot be read.
    Malformed(Kind, Key),
}

/// Where one watch puts what it sees.
pub(super) struct Watch {
    pub(super) client: Client,
    pub(super) cache: Cache,
    pub(super) changes: mpsc::UnboundedSender<Change>,
    /// The one namespace to watch; all without.
    pub(super) namespace: Option<String>,
    pub(super) unsynced: Unsynced,
}

impl Watch {
    /// Watches one of the two kinds, for ever. `K` is the kind, `S` its spec.
    pub(super) async fn objects<K, S>(self)
    where
        K: kube::Resource<DynamicType = ()>,
        S: Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
        Item<S>: Cached,
    {
        let kind = ApiResource::erase::<K>(&());
        let api: Api<DeserializeGuard<Watched<S>>> = match &self.namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &kind),
            None => Api::all_with(self.client.clone(), &kind),
        };
        let events = watcher(api, watcher::Config::default()).default_backoff();
        self.follow_objects(&kind, events).await;
    }

    async fn follow_objects<S>(
        mut self,
        kind: &ApiResource,
        events: impl Stream<Item = watcher::Result<Event<DeserializeGuard<Watched<S>>>>>,
    ) where
        S: Clone,
        Item<S>: Cached,
    {
        let mut listed = HashSet::new();
        let mut events = std::pin::pin!(events);
        while let Some(event) = events.next().await {
            let changed = match event {
                Ok(Event::Init) => {
                    listed.clear();
                    Vec::new()
                }
                Ok(Event::InitApply(object)) => {
                    listed.insert(key_of(object.meta()));
                    self.see(kind, object)
                }
                Ok(Event::InitDone) => self.complete::<Item<S>>(&listed),
                Ok(Event::Apply(object)) => self.see(kind, object),
                Ok(Event::Delete(object)) => self.forget::<S>(&key_of(object.meta())),
                Err(error) => {
                    tracing::warn!(kind = kind.kind, %error, "the watch failed and is tried again");
                    Vec::new()
                }
            };
            self.tell(changed, Change::Objects);
        }
    }

    /// Puts an object into the cache; one that cannot be read must not stop the watch of the others.
    fn see<S: Clone>(&self, kind: &ApiResource, object: DeserializeGuard<Watched<S>>) -> Vec<Key>
    where
        Item<S>: Cached,
    {
        let key = key_of(object.meta());
        let cached = Item::<S>::KIND;
        match object.0.map(Item::from_watch) {
            Ok(item) => {
                self.cache.note_malformed(cached, &key, None);
                item.map_or_else(
                    || Item::<S>::take(&self.cache, &key),
                    |item| item.put(&self.cache),
                )
            }
            Err(invalid) => {
                tracing::warn!(kind = kind.kind, object = %key, error = invalid.error, "malformed object");
                let (item, error) = (Item::unread(invalid.metadata), invalid.error);
                self.cache
                    .note_malformed(cached, &key, Some(Malformed { item, error }));
                // Nobody listens any more only when the process ends.
                let _ = self.changes.send(Change::Malformed(cached, key.clone()));
                Item::<S>::take(&self.cache, &key)
            }
        }
    }

    fn forget<S>(&self, key: &Key) -> Vec<Key>
    where
        Item<S>: Cached,
    {
        self.cache.note_malformed(Item::<S>::KIND, key, None);
        Item::<S>::take(&self.cache, key)
    }

    fn complete<C: Cached>(&mut self, listed: &HashSet<Key>) -> Vec<Key> {
        let gone = self.cache.retain::<C>(self.namespace.as_deref(), listed);
        self.unsynced.synced();
        gone
    }

    /// Watches the metadata of Secrets, for ever; their contents are read by name when they are named.
    pub(super) async fn secrets(self) {
        let api: Api<PartialObjectMeta<Secret>> = match &self.namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        };
        let events = watcher(api, watcher::Config::default().fields(SECRETS)).default_backoff();
        self.follow_secrets(events).await;
    }

    async fn follow_secrets(
        mut self,
        events: impl Stream<Item = watcher::Result<Event<PartialObjectMeta<Secret>>>>,
    ) {
        let mut versions = Versions::default();
        let mut events = std::pin::pin!(events);
        while let Some(event) = events.next().await {
            let changed = match event {
                Ok(Event::InitDone) => {
                    self.unsynced.synced();
                    versions.take(Event::InitDone)
                }
                Ok(event) => versions.take(event),
                Err(error) => {
                    tracing::warn!(kind = "Secret", %error, "the watch failed and is tried again");
                    continue;
                }
            };
            for secret in changed {
                self.tell(
                    self.cache.users_of_secret(&secret, fleet::secret_names),
                    Change::Secrets,
                );
            }
        }
    }

    fn tell(&self, keys: Vec<Key>, change: fn(Key) -> Change) {
        for key in keys {
            // Nobody listens any more only when the process ends.
            let _ = self.changes.send(change(key));
        }
    }
}

/// The Secrets' resourceVersions, so that a list that begins anew wakes nobody without a change.
#[derive(Default)]
struct Versions {
    known: HashMap<Key, String>,
    listed: HashMap<Key, String>,
}

impl Versions {
    /// The Secrets that an event shows as changed.
    fn take(&mut self, event: Event<PartialObjectMeta<Secret>>) -> Vec<Key> {
        match event {
            Event::Init => {
                self.listed.clear();
                Vec::new()
            }
            Event::InitApply(secret) => {
                let (key, version) = version_of(&secret);
                self.listed.insert(key, version);
                Vec::new()
            }
            Event::InitDone => self.relisted(),
            Event::Apply(secret) => {
                let (key, version) = version_of(&secret);
                self.known.insert(key.clone(), version);
                vec![key]
            }
            Event::Delete(secret) => {
                let (key, _) = version_of(&secret);
                self.known.remove(&key);
                vec![key]
            }
        }
    }

    fn relisted(&mut self) -> Vec<Key> {
        let before = std::mem::replace(&mut self.known, std::mem::take(&mut self.listed));
        let gone = before.keys().filter(|key| !self.known.contains_key(key));
        let new = self
            .known
            .iter()
            .filter(|(key, version)| before.get(key) != Some(version))
            .map(|(key, _)| key);
        gone.chain(new).cloned().collect()
    }
}

fn version_of(secret: &PartialObjectMeta<Secret>) -> (Key, String) {
    (
        key_of(&secret.metadata),
        secret.metadata.resource_version.clone().unwrap_or_default(),
    )
}

fn key_of(metadata: &kube::core::ObjectMeta) -> Key {
    Key::new(
        metadata.namespace.clone().unwrap_or_default(),
        metadata.name.clone().unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests;
