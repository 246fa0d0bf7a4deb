//! A poller's children and parents: pollers of the same instance, one of whom polls a class of what
//! the other polls (polling rule 17).

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::{Instance, Kin, PollerSettings, Relative, Stored, poller::source, starts::Sweep};
use crate::{
    api::{Checkpoint, PollerResourceSpec, Subclasses},
    poll::Plan,
    provider::ResourceSource,
};

/// Another poller of the same instance, as far as a parent's poller must know it.
#[derive(Clone, Debug)]
pub struct Sibling {
    pub name: String,
    /// metadata.uid; empty where what is remembered of the poller cannot be read.
    pub uid: String,
    pub spec: PollerResourceSpec,
    pub stored: Stored,
}

/// A sibling that takes a class of this poller's records.
#[derive(Clone, Debug)]
pub struct Taker {
    pub sibling: Sibling,
    /// The class, as records name it.
    pub class: String,
    query_fingerprint: String,
}

/// The children and parents of one poller.
pub(super) struct Kinship {
    instance: Arc<Instance>,
    kin: Kin,
    /// What it polls, if others may poll a class of it.
    parent_of: Option<String>,
    takers: Vec<Taker>,
    /// Whether the children had their chance to start.
    awaited: AtomicBool,
}

impl Kinship {
    pub(super) fn new(
        instance: &Arc<Instance>,
        settings: &PollerSettings,
        own: &ResourceSource,
    ) -> Self {
        let classes = &instance.connection.connector().classes;
        // Most tables have no class below them: only where one has are the siblings worth a look each.
        let is_parent = |table: &&str| classes.values().any(|parent| parent == table);
        let includes = settings.spec.subclasses == Some(Subclasses::Include);
        let parent_of = own.table().filter(is_parent).filter(|_| !includes);
        let edition = instance.starts.edition();
        let takers = parent_of.map_or_else(Vec::new, |_| takers(instance, settings, own));
        let siblings = settings
            .siblings
            .iter()
            .map(|sibling| (sibling.uid.clone(), sibling.stored.clone()));
        let kin = Kin {
            uid: settings.uid.clone(),
            class: class_of(own).map(str::to_owned),
            query_fingerprint: own.fingerprint().to_owned(),
            unit: own.unit().duration(),
            stored: settings.stored.clone(),
            is_parent: parent_of.is_some(),
            children: takers.iter().map(Taker::relative).collect(),
            parents: parents(instance, settings, own),
            known: siblings.chain(settings.gone.iter().cloned()).collect(),
            edition,
        };
        Self {
            instance: Arc::clone(instance),
            kin,
            parent_of: parent_of.map(str::to_owned),
            takers,
            awaited: AtomicBool::new(false),
        }
    }

    pub(super) fn takers(&self) -> &[Taker] {
        &self.takers
    }

    /// Once its start under the present question is stored, its parents leave to it what is its own.
    pub(super) fn may_have_started(&self) {
        self.kin.may_have_started(&self.instance.starts);
    }

    /// Waits until no parent sweeps; while the guards last none does, so that what is dated from this
    /// poller's start on is left to it by every later sweep.
    pub(super) async fn parents_at_rest(&self) -> Vec<Sweep> {
        let Some(class) = &self.kin.class else {
            return Vec::new();
        };
        let connector = self.instance.connection.connector();
        let is_parent = |table: &str| table != class && connector.extends(class, table);
        self.instance.starts.rest(is_parent).await
    }

    /// `plan` of this poller that starts while its parents rest.
    pub(super) fn starting(&self, plan: &Plan, parents: &[Sweep]) -> Plan {
        self.kin
            .starting(plan, parents.iter().filter_map(|polled| **polled))
    }

    /// Begins a sweep. Before the first one children that are about to start have a few seconds to do
    /// so, so that no record of theirs comes from here.
    pub(super) async fn sweep(&self) -> Option<Sweep> {
        let table = self.parent_of.as_ref()?;
        if !self.awaited.swap(true, Ordering::Relaxed) {
            let starting = self.takers.iter().filter(|taker| is_starting(taker));
            let uids: Vec<_> = starting.map(|taker| taker.sibling.uid.clone()).collect();
            self.instance.starts.wait_for(&uids).await;
        }
        Some(self.instance.starts.sweep(&self.kin.uid, table).await)
    }

    /// `plan` as it goes on from `checkpoint`, with what the children have settled by now.
    pub(super) fn among(
        &self,
        plan: &Plan,
        checkpoint: Option<&Checkpoint>,
        own: &ResourceSource,
    ) -> Plan {
        let takes = |class: &str| takes(own, class);
        self.kin
            .among(plan, &self.instance.starts, checkpoint, takes)
    }
}

impl Taker {
    fn relative(&self) -> Relative {
        Relative {
            uid: self.sibling.uid.clone(),
            class: self.class.clone(),
            query_fingerprint: self.query_fingerprint.clone(),
            stored: self.sibling.stored.clone(),
        }
    }
}

/// A child without a stored start that will poll.
fn is_starting(taker: &Taker) -> bool {
    let sibling = &taker.sibling;
    sibling.stored.since(&taker.query_fingerprint).is_none() && sibling.spec.suspend != Some(true)
}

/// The siblings that take a class of this poller's records; a suspended one still counts.
fn takers(instance: &Arc<Instance>, settings: &PollerSettings, own: &ResourceSource) -> Vec<Taker> {
    let taker = |sibling: &Sibling| {
        let source = source(instance, &sibling.spec, &sibling.name).ok()?;
        let class = class_of(&source).filter(|class| takes(own, class))?;
        Some(Taker {
            sibling: sibling.clone(),
            class: class.to_owned(),
            query_fingerprint: source.fingerprint().to_owned(),
        })
    };
    settings.siblings.iter().filter_map(taker).collect()
}

/// What is stored of the siblings that deliver the class of `own` until it starts.
fn parents(
    instance: &Arc<Instance>,
    settings: &PollerSettings,
    own: &ResourceSource,
) -> Vec<Stored> {
    let Some(class) = class_of(own) else {
        return Vec::new();
    };
    let delivers = |sibling: &&Sibling| {
        sibling.spec.subclasses != Some(Subclasses::Include)
            && source(instance, &sibling.spec, &sibling.name)
                .is_ok_and(|sibling| takes(&sibling, class))
    };
    let parents = settings.siblings.iter().filter(delivers);
    parents.map(|sibling| sibling.stored.clone()).collect()
}

/// The class of all of which a source asks, with no condition but the date.
fn class_of(source: &ResourceSource) -> Option<&str> {
    source.table().filter(|_| source.unfiltered())
}

/// Whether the poller of `class` takes it from the poller of `own`.
fn takes(own: &ResourceSource, class: &str) -> bool {
    own.table() != Some(class) && own.covers(class)
}
