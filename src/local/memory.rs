//! What the state folder remembers of the manifests, and what they may therefore not change.

use std::{collections::BTreeMap, path::Path};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{
    manifests::{Manifests, Placed},
    problem::{ObjectName, Problem},
    state::{self, InstanceRecord, PollerRecord, StateError, StateFolder},
};
use crate::api::{ConnectorInstance, PollerResource};

/// A record for each instance and poller of the manifests.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) instances: BTreeMap<ObjectName, InstanceRecord>,
    pub(super) pollers: BTreeMap<ObjectName, PollerRecord>,
}

impl Memory {
    /// The memory of a process that sees everything for the first time.
    pub(super) fn blank(manifests: &Manifests, now: DateTime<Utc>) -> Self {
        let instance = |placed: &Placed<_>| (placed.id.name.clone(), new_instance(placed));
        let poller = |placed: &Placed<_>| (placed.id.name.clone(), new_poller(placed, now));
        Self {
            instances: manifests.instances.values().map(instance).collect(),
            pollers: manifests.pollers.values().map(poller).collect(),
        }
    }

    /// What `state` remembers, over what is seen for the first time.
    ///
    /// # Errors
    ///
    /// A file of the state folder cannot be used.
    pub(super) fn recall(
        manifests: &Manifests,
        state: &StateFolder,
        now: DateTime<Utc>,
    ) -> Result<Self, StateError> {
        let mut memory = Self::blank(manifests, now);
        for (name, record) in &mut memory.instances {
            if let Some(known) = state::read(&state.instance_path(name))? {
                *record = known;
            }
        }
        for (name, record) in &mut memory.pollers {
            if let Some(known) = state::read(&state.checkpoint_path(name))? {
                *record = known;
            }
        }
        Ok(memory)
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
    /// to.
    pub(super) fn forbidden_changes(
        &self,
        manifests: &Manifests,
        state: &StateFolder,
    ) -> Vec<Problem> {
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
) -> Option<Problem> {
    (was != is).then(|| {
        placed.problem(format!(
            "{field}: was {was:?} and cannot become {is:?}, as the stored checkpoints belong to {was:?}: \
             give the object another metadata.name, or delete {} to start anew",
            path.display()
        ))
    })
}

fn new_instance(placed: &Placed<Box<ConnectorInstance>>) -> InstanceRecord {
    InstanceRecord::new(&placed.object.spec.connector)
}

fn new_poller(placed: &Placed<Box<PollerResource>>, now: DateTime<Utc>) -> PollerRecord {
    PollerRecord::new(&placed.object.spec.instance_ref.name, resource(placed), now)
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
