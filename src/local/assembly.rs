//! Instances and pollers built from manifests, ready to run.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use secrecy::SecretString;
use serde_json::json;

use super::{
    manifests::{Manifests, Placed},
    memory::Memory,
    problem::{ObjectId, ObjectName, Problem},
    state::{PollerRecord, token_store},
};
use crate::{
    api::{ConnectorInstance, PollerResource, annotations::CONFIRM_DELETES},
    category::{ConfigurationError, Subject},
    fleet::{Environment, Instance, InstanceSettings, Poller, PollerSettings, Sibling, Stored},
    provider::auth::Renewals,
    secrets::Secrets,
};

/// What an entry of a Secret that is not at hand counts as while manifests are only checked: it
/// reads as a signing key of either scheme too.
const STAND_IN: &str = "whsec_YS1rZXktdGhhdC1zdGFuZHMtaW4tZm9yLWEtc2VjcmV0";

/// The entries that a Secret may be asked for.
const ENTRIES: [&str; 16] = [
    "clientId",
    "clientSecret",
    "code",
    "refreshToken",
    "username",
    "password",
    "apiKey",
    "token",
    "privateKey",
    "keyId",
    "subject",
    "key",
    "value",
    "ca.crt",
    "tls.crt",
    "tls.key",
];

/// Builds all instances and pollers of a folder; sends nothing.
pub(super) struct Assembler<'a> {
    pub(super) manifests: &'a Manifests,
    pub(super) memory: &'a Memory,
    /// The state folder, where refresh tokens stand.
    pub(super) state: &'a Path,
    pub(super) environment: &'a Environment,
    /// Whether an instance may be built without a Secret that is not at hand.
    pub(super) secrets_may_be_elsewhere: bool,
}

/// What could be built.
#[derive(Default)]
pub(super) struct Assembly {
    pub(super) instances: BTreeMap<ObjectName, Arc<Instance>>,
    pub(super) pollers: BTreeMap<ObjectName, Poller>,
}

impl Assembly {
    /// Leaves out an object, and with an instance its pollers.
    pub(super) fn leave_out(&mut self, manifests: &Manifests, object: &ObjectId) {
        self.pollers.retain(|name, _| {
            let instance = manifests.pollers.get(name).map(instance_name);
            *name != object.name && instance.as_ref() != Some(&object.name)
        });
    }
}

impl Assembler<'_> {
    /// Builds everything, and says of the rest why it cannot be.
    pub(super) async fn assemble(&self) -> (Assembly, Vec<Problem>) {
        let mut assembly = Assembly::default();
        let mut problems = Vec::new();
        for (name, placed) in &self.manifests.instances {
            if !self.memory.instances.contains_key(name) {
                continue;
            }
            match Instance::build(self.instance_settings(placed), self.environment).await {
                Ok(instance) => _ = assembly.instances.insert(name.clone(), instance),
                Err(error) => problems.push(self.unusable(placed, error)),
            }
        }
        for (name, placed) in &self.manifests.pollers {
            let Some(instance) = assembly.instances.get(&instance_name(placed)) else {
                continue;
            };
            let Some(settings) = self.poller_settings(placed) else {
                continue;
            };
            match Poller::build(instance, settings, self.environment) {
                Ok(poller) => _ = assembly.pollers.insert(name.clone(), poller),
                Err(error) => problems.push(placed.unusable(&error)),
            }
        }
        (assembly, problems)
    }

    /// Why an instance cannot be built; where a Secret is missing, with what may be meant.
    fn unusable(
        &self,
        placed: &Placed<Box<ConnectorInstance>>,
        mut error: ConfigurationError,
    ) -> Problem {
        if error.subject == Subject::Secret {
            for secret in self.manifests.missing_secrets(placed) {
                error.message += &self.manifests.elsewhere(&placed.id.name, &secret);
            }
        }
        placed.unusable(&error)
    }

    pub(super) fn instance_settings(
        &self,
        placed: &Placed<Box<ConnectorInstance>>,
    ) -> InstanceSettings {
        let name = &placed.id.name;
        let record = self.memory.instances.get(name);
        InstanceSettings {
            namespace: name.namespace.clone(),
            name: name.name.clone(),
            spec: placed.object.spec.clone(),
            secrets: self.secrets(placed),
            tokens: Arc::new(token_store(self.state, name)),
            renewals: Renewals::default(),
            deferred_until: record.and_then(|record| record.deferred_until),
            gone_callback: record.and_then(|record| record.gone_callback.clone()),
            held_callback: record.and_then(|record| record.held_callback.clone()),
        }
    }

    fn secrets(&self, placed: &Placed<Box<ConnectorInstance>>) -> Secrets {
        let mut secrets = self.manifests.secrets_of(placed);
        if self.secrets_may_be_elsewhere {
            for name in self.manifests.missing_secrets(placed) {
                let entry = |key: &str| (key.to_owned(), SecretString::from(STAND_IN));
                secrets.insert_stand_in(name, ENTRIES.map(entry).into());
            }
        }
        secrets
    }

    pub(super) fn poller_settings(
        &self,
        placed: &Placed<Box<PollerResource>>,
    ) -> Option<PollerSettings> {
        let name = &placed.id.name;
        let record = self.memory.pollers.get(name)?;
        Some(PollerSettings {
            namespace: name.namespace.clone(),
            name: name.name.clone(),
            uid: record.uid.clone(),
            created_at: record.first_seen,
            spec: placed.object.spec.clone(),
            confirmed_deletes: confirmed_deletes(&placed.object),
            siblings: self.siblings(placed),
            stored: self.memory.stored(name),
            gone: self.memory.gone(&instance_name(placed)),
        })
    }

    /// The other pollers of the instance. One whose manifest or checkpoint cannot be read does not
    /// poll, but what is its own must not come from another meanwhile.
    fn siblings(&self, placed: &Placed<Box<PollerResource>>) -> Vec<Sibling> {
        let instance = instance_name(placed);
        let others =
            self.manifests.pollers.iter().filter(|(name, other)| {
                **name != placed.id.name && instance_name(other) == instance
            });
        let read = others.map(|(name, other)| self.sibling(name, other));
        let misread = self
            .memory
            .misread
            .iter()
            .filter(|(name, record)| name.beside(&record.instance) == instance);
        read.chain(misread.filter_map(|(name, record)| remembered(name, record)))
            .collect()
    }

    fn sibling(&self, name: &ObjectName, poller: &Placed<Box<PollerResource>>) -> Sibling {
        let record = self.memory.pollers.get(name);
        Sibling {
            name: name.name.clone(),
            uid: record.map(|record| record.uid.clone()).unwrap_or_default(),
            spec: poller.object.spec.clone(),
            stored: record.map_or_else(Stored::unread, |_| self.memory.stored(name)),
        }
    }
}

/// The run whose held deletions its manifest confirms.
fn confirmed_deletes(poller: &PollerResource) -> Option<String> {
    let annotations = poller.metadata.annotations.as_ref()?;
    annotations.get(CONFIRM_DELETES).cloned()
}

/// A poller as it was when its manifest could be read.
fn remembered(name: &ObjectName, record: &PollerRecord) -> Option<Sibling> {
    let spec = json!({"instanceRef": {"name": record.instance}, "resource": record.resource});
    Some(Sibling {
        name: name.name.clone(),
        uid: record.uid.clone(),
        spec: serde_json::from_value(spec).ok()?,
        stored: Stored::of(record.checkpoint.as_ref()),
    })
}

/// The instance that a poller names.
pub(super) fn instance_name(poller: &Placed<Box<PollerResource>>) -> ObjectName {
    poller.id.name.beside(&poller.object.spec.instance_ref.name)
}
