//! What the state folder remembers of the manifests, and what they may therefore not change.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    manifests::{Manifests, Placed},
    problem::{ObjectId, ObjectName, Problem},
    state::{self, InstanceRecord, PollerRecord, StateError, StateFolder},
};
use crate::{
    api::{ConnectorInstance, PollerResource, annotations::RESUME_DELIVERY},
    fleet::Stored,
};

/// A record for each instance and poller of the manifests.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) instances: BTreeMap<ObjectName, InstanceRecord>,
    pub(super) pollers: BTreeMap<ObjectName, PollerRecord>,
    /// Of pollers that ran before, and whose manifests cannot be read now.
    pub(super) misread: BTreeMap<ObjectName, PollerRecord>,
    /// Of pollers that ran before, and that no manifest names any more.
    pub(super) orphans: BTreeMap<ObjectName, PollerRecord>,
    /// What siblings see of the pollers while they run.
    stored: BTreeMap<ObjectName, Stored>,
}

impl Memory {
    /// The memory of a process that sees everything for the first time.
    pub(super) fn blank(manifests: &Manifests, now: DateTime<Utc>) -> Self {
        let instance = |placed: &Placed<_>| (placed.id.name.clone(), new_instance(placed));
        let poller = |placed: &Placed<_>| (placed.id.name.clone(), new_poller(placed, now));
        Self {
            instances: manifests.instances.values().map(instance).collect(),
            pollers: manifests.pollers.values().map(poller).collect(),
            ..Self::default()
        }
    }

    /// What `state` remembers, over what is seen for the first time. A record that cannot be used
    /// is missing, and the reason comes beside.
    pub(super) fn recall(
        manifests: &Manifests,
        state: &StateFolder,
        now: DateTime<Utc>,
    ) -> (Self, Vec<StateError>) {
        let mut memory = Self::blank(manifests, now);
        let mut unusable = recall_each(&mut memory.instances, |name| state.instance_path(name));
        let checkpoint = |name: &ObjectName| state.checkpoint_path(name);
        unusable.extend(recall_each(&mut memory.pollers, checkpoint));
        for (name, record) in &mut memory.instances {
            record.resume(manifests.instances.get(name).and_then(resume_asked));
        }
        for name in &manifests.misread {
            if let Ok(Some(record)) = state::read(&checkpoint(name)) {
                memory.misread.insert(name.clone(), record);
            }
        }
        memory.orphans = orphans(manifests, state);
        let stored = |(name, record): (&ObjectName, &PollerRecord)| {
            (name.clone(), Stored::of(record.checkpoint.as_ref()))
        };
        memory.stored = memory.pollers.iter().map(stored).collect();
        (memory, unusable)
    }

    /// Puts what is known from elsewhere in the place of what is remembered of a poller.
    pub(super) fn learn(&mut self, name: &ObjectName, known: impl FnOnce(&mut PollerRecord)) {
        if let Some(record) = self.pollers.get_mut(name) {
            known(record);
            let stored = Stored::of(record.checkpoint.as_ref());
            self.stored.insert(name.clone(), stored);
        }
    }

    /// What siblings see of the poller called `name`.
    pub(super) fn stored(&self, name: &ObjectName) -> Stored {
        self.stored.get(name).cloned().unwrap_or_default()
    }

    /// What is still stored of pollers of `instance` that no manifest names, with their uids.
    pub(super) fn gone(&self, instance: &ObjectName) -> Vec<(String, Stored)> {
        let orphans = self.orphans.iter();
        let its = orphans.filter(|(name, record)| name.beside(&record.instance) == *instance);
        its.map(|(_, record)| {
            let stored = Stored::of(record.checkpoint.as_ref());
            (record.uid.clone(), stored)
        })
        .collect()
    }

    /// What a person who starts this process need not wait for is forgotten.
    pub(super) fn restart(&mut self, once: bool, now: DateTime<Utc>) {
        self.instances
            .values_mut()
            .for_each(|record| record.restart(once, now));
    }

    /// Stores what is seen for the first time, so that a poller's start is known before it polls.
    ///
    /// # Errors
    ///
    /// The file system refuses.
    pub(super) fn store_new(&self, state: &StateFolder) -> Result<(), StateError> {
        for (name, record) in &self.instances {
            store_if_new(&state.instance_path(name), record)?;
        }
        for (name, record) in &self.pollers {
            store_if_new(&state.checkpoint_path(name), record)?;
        }
        Ok(())
    }

    /// What the manifests change although it cannot change: what a checkpoint and a token belong
    /// to; each with the object.
    pub(super) fn forbidden_changes(
        &self,
        manifests: &Manifests,
        state: &StateFolder,
    ) -> Vec<(ObjectId, Problem)> {
        let mut problems = Vec::new();
        for (name, record) in &self.instances {
            let Some(placed) = manifests.instances.get(name) else {
                continue;
            };
            let path = state.instance_path(name);
            problems.extend(changed(
                placed,
                "spec.connector",
                &record.connector,
                &placed.object.spec.connector,
                &path,
            ));
        }
        for (name, record) in &self.pollers {
            let Some(placed) = manifests.pollers.get(name) else {
                continue;
            };
            let path = state.checkpoint_path(name);
            let instance = &placed.object.spec.instance_ref.name;
            problems.extend(changed(
                placed,
                "spec.instanceRef",
                &record.instance,
                instance,
                &path,
            ));
            problems.extend(changed(
                placed,
                "spec.resource",
                &record.resource,
                resource(placed),
                &path,
            ));
        }
        problems
    }
}

/// The records of pollers that no manifest names; what cannot be read tells nothing.
fn orphans(manifests: &Manifests, state: &StateFolder) -> BTreeMap<ObjectName, PollerRecord> {
    let is_orphan = |name: &ObjectName| {
        !manifests.pollers.contains_key(name) && !manifests.misread.contains(name)
    };
    let names = state.pollers().into_iter().filter(is_orphan);
    names
        .filter_map(|name| {
            let record = state::read(&state.checkpoint_path(&name)).ok()??;
            Some((name, record))
        })
        .collect()
}

/// Puts what is remembered in the place of what is new, and takes out what cannot be used.
fn recall_each<T: DeserializeOwned + Serialize>(
    records: &mut BTreeMap<ObjectName, T>,
    path: impl Fn(&ObjectName) -> PathBuf,
) -> Vec<StateError> {
    let mut unusable = Vec::new();
    records.retain(|name, record| match state::read(&path(name)) {
        Ok(Some(known)) => {
            *record = known;
            true
        }
        Ok(None) => true,
        Err(error) => {
            unusable.push(error);
            false
        }
    });
    unusable
}

fn store_if_new<T: Serialize>(path: &Path, record: &T) -> Result<(), StateError> {
    if path.exists() {
        Ok(())
    } else {
        state::write(path, record)
    }
}

fn changed<T>(
    placed: &Placed<T>,
    field: &str,
    was: &str,
    is: &str,
    path: &Path,
) -> Option<(ObjectId, Problem)> {
    (was != is).then(|| {
        let message = format!(
            "was {was:?} and cannot become {is:?}, as the stored checkpoints belong to {was:?}: \
             give the object another metadata.name, or delete {} to start anew",
            path.display()
        );
        (placed.id.clone(), placed.fault(field, message))
    })
}

fn new_instance(placed: &Placed<Box<ConnectorInstance>>) -> InstanceRecord {
    InstanceRecord::new(&placed.object.spec.connector)
}

fn new_poller(placed: &Placed<Box<PollerResource>>, now: DateTime<Utc>) -> PollerRecord {
    PollerRecord::new(&placed.object.spec.instance_ref.name, resource(placed), now)
}

/// The value by which the manifest asks to resume delivery.
fn resume_asked(placed: &Placed<Box<ConnectorInstance>>) -> Option<&String> {
    let annotations = placed.object.metadata.annotations.as_ref()?;
    annotations.get(RESUME_DELIVERY)
}

/// The resource, which is the poller's name where the spec is silent.
fn resource(placed: &Placed<Box<PollerResource>>) -> &str {
    placed
        .object
        .spec
        .resource
        .as_deref()
        .unwrap_or(&placed.id.name.name)
}
