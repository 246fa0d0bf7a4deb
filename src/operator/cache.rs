//! The objects as the watches show them, grouped by instance.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    item::{Item, Key},
    malformed::{Kind, Malformed},
};
use crate::api::{ConnectorInstanceSpec, PollerResourceSpec};

pub(super) type InstanceItem = Item<ConnectorInstanceSpec>;
pub(super) type PollerItem = Item<PollerResourceSpec>;

/// An instance and its pollers; either may be there without the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Group {
    pub(super) instance: Option<Arc<InstanceItem>>,
    pub(super) pollers: BTreeMap<String, Arc<PollerItem>>,
}

impl Group {
    pub(super) fn is_empty(&self) -> bool {
        self.instance.is_none() && self.pollers.is_empty()
    }
}

/// All groups; clones share them. Every change answers with the keys of the instances concerned.
#[derive(Clone, Debug, Default)]
pub(super) struct Cache(Arc<Mutex<Groups>>);

#[derive(Debug, Default)]
struct Groups {
    groups: BTreeMap<Key, Group>,
    /// Which instance each poller belongs to.
    homes: HashMap<Key, Key>,
    malformed: HashMap<(Kind, Key), Arc<Malformed>>,
}

/// A kind whose objects the cache holds.
pub(super) trait Cached: Sized {
    const KIND: Kind;
    /// Puts the object in; the instances whose work changes by it.
    fn put(self, cache: &Cache) -> Vec<Key>;
    /// Takes the object out.
    fn take(cache: &Cache, key: &Key) -> Vec<Key>;
    /// The objects of this kind that are in the cache.
    fn keys(cache: &Cache) -> Vec<Key>;
}

impl Cache {
    /// The instance of this key and its pollers.
    pub(super) fn group(&self, key: &Key) -> Group {
        self.lock().groups.get(key).cloned().unwrap_or_default()
    }

    /// The keys of all groups.
    pub(super) fn groups(&self) -> Vec<Key> {
        self.lock().groups.keys().cloned().collect()
    }

    /// The instances in a namespace that name the Secret, by the names that `names` finds in a spec.
    pub(super) fn users_of_secret(
        &self,
        secret: &Key,
        names: impl Fn(&ConnectorInstanceSpec) -> Vec<String>,
    ) -> Vec<Key> {
        let first = Key::new(secret.namespace.as_str(), "");
        self.lock()
            .groups
            .range(first..)
            .take_while(|(key, _)| key.namespace == secret.namespace)
            .filter(|(_, group)| {
                group
                    .instance
                    .as_ref()
                    .is_some_and(|item| names(&item.spec).contains(&secret.name))
            })
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// Takes note of an object that cannot be read, or that it is no such object any more.
    pub(super) fn note_malformed(&self, kind: Kind, key: &Key, malformed: Option<Malformed>) {
        let mut cached = self.lock();
        match malformed {
            Some(malformed) => {
                let entry = ((kind, key.clone()), Arc::new(malformed));
                cached.malformed.extend([entry]);
            }
            None => _ = cached.malformed.remove(&(kind, key.clone())),
        }
    }

    /// The object, if it cannot be read.
    pub(super) fn malformed(&self, kind: Kind, key: &Key) -> Option<Arc<Malformed>> {
        self.lock().malformed.get(&(kind, key.clone())).cloned()
    }

    /// All objects that cannot be read.
    pub(super) fn all_malformed(&self) -> Vec<(Kind, Key)> {
        self.lock().malformed.keys().cloned().collect()
    }

    /// Takes out every object of a kind, in `namespace` if given, that a complete list did not show.
    pub(super) fn retain<C: Cached>(
        &self,
        namespace: Option<&str>,
        listed: &HashSet<Key>,
    ) -> Vec<Key> {
        let is_there = |key: &Key| {
            namespace.is_some_and(|namespace| key.namespace != namespace) || listed.contains(key)
        };
        self.lock()
            .malformed
            .retain(|(kind, key), _| *kind != C::KIND || is_there(key));
        C::keys(self)
            .iter()
            .filter(|key| !is_there(key))
            .flat_map(|key| C::take(self, key))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Groups> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cached for InstanceItem {
    const KIND: Kind = Kind::Instance;

    fn put(self, cache: &Cache) -> Vec<Key> {
        let key = self.key.clone();
        let mut cached = cache.lock();
        let group = cached.groups.entry(key.clone()).or_default();
        if !Self::differs(group.instance.as_deref(), &self) {
            return Vec::new();
        }
        group.instance = Some(Arc::new(self));
        vec![key]
    }

    fn take(cache: &Cache, key: &Key) -> Vec<Key> {
        let mut cached = cache.lock();
        let Some(group) = cached.groups.get_mut(key) else {
            return Vec::new();
        };
        let taken = group.instance.take().is_some();
        cached.drop_if_empty(key);
        if taken { vec![key.clone()] } else { Vec::new() }
    }

    fn keys(cache: &Cache) -> Vec<Key> {
        cache
            .lock()
            .groups
            .iter()
            .filter(|(_, group)| group.instance.is_some())
            .map(|(key, _)| key.clone())
            .collect()
    }
}

impl Cached for PollerItem {
    const KIND: Kind = Kind::Poller;

    fn put(self, cache: &Cache) -> Vec<Key> {
        let home = Key::new(
            self.key.namespace.as_str(),
            self.spec.instance_ref.name.as_str(),
        );
        let mut cached = cache.lock();
        let mut changed = Vec::new();
        // A poller that was deleted and made again may belong to another instance.
        if let Some(before) = cached
            .homes
            .insert(self.key.clone(), home.clone())
            .filter(|before| *before != home)
        {
            cached.take_poller(&before, &self.key.name);
            changed.push(before);
        }
        let pollers = &mut cached.groups.entry(home.clone()).or_default().pollers;
        if Self::differs(pollers.get(&self.key.name).map(Arc::as_ref), &self) {
            pollers.insert(self.key.name.clone(), Arc::new(self));
            changed.push(home);
        }
        changed
    }

    fn take(cache: &Cache, key: &Key) -> Vec<Key> {
        let mut cached = cache.lock();
        let Some(home) = cached.homes.remove(key) else {
            return Vec::new();
        };
        cached.take_poller(&home, &key.name);
        vec![home]
    }

    fn keys(cache: &Cache) -> Vec<Key> {
        cache.lock().homes.keys().cloned().collect()
    }
}

impl Groups {
    fn take_poller(&mut self, home: &Key, name: &str) {
        if let Some(group) = self.groups.get_mut(home) {
            group.pollers.remove(name);
        }
        self.drop_if_empty(home);
    }

    fn drop_if_empty(&mut self, key: &Key) {
        if self.groups.get(key).is_some_and(Group::is_empty) {
            self.groups.remove(key);
        }
    }
}

#[cfg(test)]
mod tests;
