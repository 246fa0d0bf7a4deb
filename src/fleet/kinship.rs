//! A poller's children and parents: pollers of the same instance, one of whom polls a class of what
//! the other polls (polling rule 17).

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::OwnedMutexGuard;

use super::{Instance, PollerSettings, Stored, poller::source};
use crate::{
    api::{Checkpoint, PollerResourceSpec, Subclasses},
    poll::{Child, Reached},
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
    uid: String,
    /// What it polls, if others may poll a class of it.
    parent_of: Option<String>,
    /// The class of its own records, if it takes all of it from its parents.
    class: Option<String>,
    query_fingerprint: String,
    unit: TimeDelta,
    stored: Stored,
    takers: Vec<Taker>,
    /// What is stored of those that deliver its class until it starts.
    parents: Vec<Stored>,
    /// What is stored of the siblings, and of those that are no more, by uid.
    kin: HashMap<String, Stored>,
    /// Who has started when this poller was built.
    edition: u64,
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
        let siblings = settings
            .siblings
            .iter()
            .map(|sibling| (sibling.uid.clone(), sibling.stored.clone()));
        Self {
            instance: Arc::clone(instance),
            uid: settings.uid.clone(),
            class: class_of(own).map(str::to_owned),
            query_fingerprint: own.fingerprint().to_owned(),
            unit: own.unit().duration(),
            stored: settings.stored.clone(),
            takers: parent_of.map_or_else(Vec::new, |_| takers(instance, settings, own)),
            parents: parents(instance, settings, own),
            kin: siblings.chain(settings.gone.iter().cloned()).collect(),
            parent_of: parent_of.map(str::to_owned),
            edition,
            awaited: AtomicBool::new(false),
        }
    }

    pub(super) fn takers(&self) -> &[Taker] {
        &self.takers
    }

    /// Once its start under the present question is stored, its parents leave to it what is its own.
    pub(super) fn may_have_started(&self) {
        if self.stored.since(&self.query_fingerprint).is_none() {
            return;
        }
        self.instance.starts.record(
            &self.uid,
            self.class.as_deref(),
            &self.query_fingerprint,
            &self.stored,
        );
    }

    /// Waits until no parent sweeps; while the guards last none does, so that what is dated from this
    /// poller's start on is left to it by every later sweep.
    pub(super) async fn parents_at_rest(&self) -> Vec<OwnedMutexGuard<Option<DateTime<Utc>>>> {
        let Some(class) = &self.class else {
            return Vec::new();
        };
        let connector = self.instance.connection.connector();
        let is_parent = |table: &str| table != class && connector.extends(class, table);
        self.instance.starts.rest(is_parent).await
    }

    /// The latest date of what its parents had delivered by what they have stored, in whatever process.
    pub(super) fn reached_by_parents(&self) -> Option<DateTime<Utc>> {
        self.parents.iter().filter_map(Stored::reached).max()
    }

    /// Begins a sweep. Before the first one children that are about to start have a few seconds to do
    /// so, so that no record of theirs comes from here.
    pub(super) async fn sweep(&self) -> Option<OwnedMutexGuard<Option<DateTime<Utc>>>> {
        let table = self.parent_of.as_ref()?;
        if !self.awaited.swap(true, Ordering::Relaxed) {
            let starting = self.takers.iter().filter(|taker| is_starting(taker));
            let uids: Vec<_> = starting.map(|taker| taker.sibling.uid.clone()).collect();
            self.instance.starts.wait_for(&uids).await;
        }
        Some(self.instance.starts.sweep(&self.uid, table).await)
    }

    /// The children by now, with how far each has come; those too that have started since this poller
    /// was built.
    pub(super) fn children(&self, own: &ResourceSource) -> Vec<Child> {
        let mut children: Vec<_> = self.takers.iter().map(|taker| self.child(taker)).collect();
        if self.parent_of.is_none() {
            return children;
        }
        for started in self.instance.starts.newcomers(self.edition) {
            let Some(class) = started.class.filter(|class| takes(own, class)) else {
                continue;
            };
            if children.iter().any(|child| child.uid == started.uid) || started.uid == self.uid {
                continue;
            }
            let known = (started.uid, class, started.query_fingerprint);
            children.push(child(known, &started.stored, self.unit));
        }
        children
    }

    fn child(&self, taker: &Taker) -> Child {
        let sibling = &taker.sibling;
        let running = self.instance.starts.stored(&sibling.uid);
        let known = (
            sibling.uid.clone(),
            taker.class.clone(),
            taker.query_fingerprint.clone(),
        );
        child(
            known,
            running.as_ref().unwrap_or(&sibling.stored),
            self.unit,
        )
    }

    /// How far those have come that `checkpoint` knows as children and that are none any more.
    pub(super) fn gone(
        &self,
        checkpoint: &Checkpoint,
        children: &[Child],
    ) -> HashMap<String, Reached> {
        let is_child = |uid: &str, class: &str| {
            let mut children = children.iter();
            children.any(|child| child.uid == uid && child.class == class)
        };
        let entries = checkpoint.children.iter();
        entries
            .filter(|entry| entry.settled_before.is_none() && !is_child(&entry.uid, &entry.class))
            .filter_map(|entry| {
                let running = self.instance.starts.stored(&entry.uid);
                let stored = running.as_ref().or_else(|| self.kin.get(&entry.uid))?;
                Some((
                    entry.uid.clone(),
                    stored.until(&entry.query_fingerprint, self.unit)?,
                ))
            })
            .collect()
    }
}

fn child(
    (uid, class, query_fingerprint): (String, String, String),
    stored: &Stored,
    unit: TimeDelta,
) -> Child {
    Child {
        started_at: stored.since(&query_fingerprint),
        reached: stored.until(&query_fingerprint, unit),
        uid: if stored.is_unread() {
            String::new()
        } else {
            uid
        },
        class,
        query_fingerprint,
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
