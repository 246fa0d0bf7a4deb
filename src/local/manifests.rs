//! All manifests of a folder together: no name twice, no reference to nothing.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    fmt::Display,
    path::{Path, PathBuf},
};

use secrecy::SecretString;

use super::{
    folder::{self, Document},
    lines::Lines,
    object::{self, Object, Read},
    problem::{ObjectId, ObjectName, Place, Problem},
};
use crate::{
    api::{ConnectorInstance, PollerResource},
    category::ConfigurationError,
    fleet,
    secrets::Secrets,
};

const LEFT_OUT: &str =
    "left out: it has neither apiVersion, kind nor metadata; if it is to be an object, write them";

/// An object and where it is written.
#[derive(Debug)]
pub(super) struct Placed<T> {
    pub(super) place: Place,
    /// Where its fields stand.
    lines: Lines,
    pub(super) id: ObjectId,
    pub(super) object: T,
}

impl<T> Placed<T> {
    /// Something wrong with this object.
    pub(super) fn problem(&self, message: impl Display) -> Problem {
        Problem {
            place: self.place.clone(),
            message: format!("{}: {message}", self.id),
        }
    }

    /// Something wrong with one field of it.
    pub(super) fn fault(&self, field: &str, message: impl Display) -> Problem {
        Problem {
            place: self.place.with_line(self.lines.of(field)),
            message: format!("{}: {field}: {message}", self.id),
        }
    }

    /// A field, or what it names, that cannot be used.
    pub(super) fn unusable(&self, error: &ConfigurationError) -> Problem {
        self.fault(&error.field, &error.message)
    }
}

/// Objects of one kind by name.
type ByName<T> = BTreeMap<ObjectName, Placed<T>>;

/// What a folder holds.
#[derive(Debug, Default)]
pub(super) struct Manifests {
    pub(super) instances: ByName<Box<ConnectorInstance>>,
    pub(super) pollers: ByName<Box<PollerResource>>,
    secrets: ByName<BTreeMap<String, SecretString>>,
    /// Pollers that are written here, but not so that they could be read.
    pub(super) misread: BTreeSet<ObjectName>,
    /// Documents that are nothing of Pollen's.
    pub(super) foreign: usize,
    /// Documents that are no objects at all.
    pub(super) left_out: Vec<Problem>,
}

impl Manifests {
    /// Reads and checks all manifests at and below `paths` but those in `skipped`; what is wrong
    /// comes beside what is right.
    pub(super) fn read(paths: &[PathBuf], skipped: Option<&Path>) -> (Self, Vec<Problem>) {
        let (documents, mut problems) = folder::read(paths, skipped);
        let mut manifests = Self::default();
        let named: BTreeSet<_> = documents
            .iter()
            .filter_map(|document| object::name_of("ConnectorInstance", &document.value))
            .collect();
        let mut ambiguous = Vec::new();
        for mut document in documents {
            let poller = object::name_of("PollerResource", &document.value);
            match object::read(&mut document) {
                Ok(Read::Known(id, object)) => {
                    if let Some(problem) = manifests.add(document, id.clone(), object) {
                        problems.push(problem);
                        ambiguous.push(id);
                    }
                }
                Ok(Read::Foreign) => manifests.foreign += 1,
                Ok(Read::NoObject) => manifests.left_out.push(Problem {
                    place: document.place,
                    message: LEFT_OUT.to_owned(),
                }),
                Err(wrong) => {
                    manifests.misread.extend(poller);
                    problems.extend(wrong);
                }
            }
        }
        problems.extend(manifests.dangling(&named));
        manifests.leave_out(&ambiguous);
        (manifests, problems)
    }

    /// Leaves out what is written twice: nobody can say which of the two is meant.
    fn leave_out(&mut self, ambiguous: &[ObjectId]) {
        for ObjectId { kind, name } in ambiguous {
            match *kind {
                "ConnectorInstance" => _ = self.instances.remove(name),
                "PollerResource" => {
                    self.pollers.remove(name);
                    self.misread.insert(name.clone());
                }
                _ => _ = self.secrets.remove(name),
            }
        }
    }

    /// Objects of Pollen's and Secrets.
    pub(super) fn len(&self) -> usize {
        self.instances.len() + self.pollers.len() + self.secrets.len()
    }

    fn add(&mut self, document: Document, id: ObjectId, object: Object) -> Option<Problem> {
        match object {
            Object::Instance(object) => insert(&mut self.instances, placed(document, id, object)),
            Object::Poller(object) => insert(&mut self.pollers, placed(document, id, object)),
            Object::Secret(object) => insert(&mut self.secrets, placed(document, id, object)),
        }
    }

    /// Pollers whose instance is not among those that the folder names, right or wrong.
    fn dangling(&self, named: &BTreeSet<ObjectName>) -> Vec<Problem> {
        let dangling = |poller: &Placed<Box<PollerResource>>| {
            let instance = &poller.object.spec.instance_ref.name;
            let namespace = &poller.id.name.namespace;
            (!named.contains(&poller.id.name.beside(instance))).then(|| {
                let message = format!(
                    "no ConnectorInstance {instance:?} in namespace {namespace:?}: add it, or name one that is there"
                );
                poller.fault("spec.instanceRef.name", message)
            })
        };
        self.pollers.values().filter_map(dangling).collect()
    }

    /// Why a poller is not to poll.
    pub(super) fn idle(&self, poller: &Placed<Box<PollerResource>>) -> Option<&'static str> {
        let spec = &poller.object.spec;
        let instance = poller.id.name.beside(&spec.instance_ref.name);
        let instance = &self.instances.get(&instance)?.object.spec;
        let events = instance.events.as_ref().and_then(|events| events.enabled);
        match (spec.suspend, instance.suspend, events) {
            (Some(true), ..) => Some("it is suspended by its spec.suspend"),
            (_, Some(true), _) => Some("its instance is suspended by spec.suspend"),
            (.., None | Some(false)) => {
                Some("events are off: set spec.events.enabled: true on its instance")
            }
            _ => None,
        }
    }

    /// The Secrets of an instance as far as they are here.
    pub(super) fn secrets_of(&self, instance: &Placed<Box<ConnectorInstance>>) -> Secrets {
        let mut secrets = Secrets::default();
        for name in fleet::secret_names(&instance.object.spec) {
            if let Some(secret) = self.secrets.get(&instance.id.name.beside(&name)) {
                secrets.insert(name, secret.object.clone());
            }
        }
        secrets
    }

    /// The entries of a Secret, if it is here.
    pub(super) fn secret(&self, name: &ObjectName) -> Option<&BTreeMap<String, SecretString>> {
        self.secrets.get(name).map(|secret| &secret.object)
    }

    /// The Secret that an instance authenticates with, and its file.
    pub(super) fn followed(
        &self,
        name: &ObjectName,
    ) -> Option<(ObjectName, PathBuf, BTreeMap<String, SecretString>)> {
        let authentication = &self.instances.get(name)?.object.spec.authentication;
        let secret = self
            .secrets
            .get(&name.beside(&authentication.secret_ref.name))?;
        let file = secret.place.path.clone();
        Some((secret.id.name.clone(), file, secret.object.clone()))
    }

    /// What of an instance uses the Secret that it authenticates with, beside its authentication.
    pub(super) fn shared_with(&self, name: &ObjectName) -> Vec<&'static str> {
        let instance = self.instances.get(name);
        instance.map_or_else(Vec::new, |placed| {
            fleet::uses_beside_authentication(&placed.object.spec)
        })
    }

    /// What to add where an instance's Secret is missing and another namespace has one of that name;
    /// nothing where none has.
    pub(super) fn elsewhere(&self, instance: &ObjectName, secret: &str) -> String {
        let mut names = self.secrets.keys();
        let found = names.find(|name| name.name == secret);
        found.map_or_else(String::new, |found| {
            let (other, own) = (&found.namespace, &instance.namespace);
            format!(
                "; namespace {other:?} has one of that name, but an instance takes Secrets of its own namespace alone: \
                 write namespace: {own} there"
            )
        })
    }

    /// The names of an instance's Secrets that are not here.
    pub(super) fn missing_secrets(&self, instance: &Placed<Box<ConnectorInstance>>) -> Vec<String> {
        let mut names = fleet::secret_names(&instance.object.spec);
        names.retain(|name| !self.secrets.contains_key(&instance.id.name.beside(name)));
        names
    }
}

fn placed<T>(document: Document, id: ObjectId, object: T) -> Placed<T> {
    let Document { place, lines, .. } = document;
    Placed {
        place,
        lines,
        id,
        object,
    }
}

fn insert<T>(objects: &mut ByName<T>, placed: Placed<T>) -> Option<Problem> {
    match objects.entry(placed.id.name.clone()) {
        Entry::Vacant(entry) => {
            entry.insert(placed);
            None
        }
        Entry::Occupied(entry) => {
            let first = &entry.get().place;
            let message = format!("this object is also at {first}: remove one or rename it");
            Some(placed.fault("metadata.name", message))
        }
    }
}
