//! What a poller knows of its children and parents, whoever assembles it: which classes are whose by
//! now, and how far those have come who were children (polling rule 17).

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Starts, Stored};
use crate::{
    api::Checkpoint,
    poll::{Child, Plan, Reached},
};

/// A poller of the same instance that takes a class from this one.
#[derive(Clone, Debug)]
pub struct Relative {
    /// metadata.uid.
    pub uid: String,
    /// The class, as records name it.
    pub class: String,
    /// Digest of what it asks.
    pub query_fingerprint: String,
    pub stored: Stored,
}

/// One poller among its kin, as it was when the poller was built; who has started since, and how far
/// each has come, [`Starts`] and what is stored say.
#[derive(Clone, Debug)]
pub struct Kin {
    /// metadata.uid of the poller itself.
    pub uid: String,
    /// The class of its records, if it takes all of it from its parents.
    pub class: Option<String>,
    /// Digest of what it asks.
    pub query_fingerprint: String,
    /// The unit of its dates.
    pub unit: TimeDelta,
    pub stored: Stored,
    /// Whether others may take a class from it.
    pub is_parent: bool,
    /// Those who do.
    pub children: Vec<Relative>,
    /// What is stored of those that deliver its class until it starts.
    pub parents: Vec<Stored>,
    /// What is stored of all siblings, and of those that are no more, by uid.
    pub known: HashMap<String, Stored>,
    /// Who had started when the poller was built.
    pub edition: u64,
}

impl Kin {
    /// Once its start under the present question is stored, its parents leave to it what is its own.
    pub fn may_have_started(&self, starts: &Starts) {
        if self.stored.since(&self.query_fingerprint).is_some() {
            let class = self.class.as_deref();
            starts.record(&self.uid, class, &self.query_fingerprint, &self.stored);
        }
    }

    /// `plan` of this poller that starts: what is dated before may have come from a parent that
    /// polled, by our clock, at one of `polled`, or by what it has stored, in whatever process.
    #[must_use]
    pub fn starting(&self, plan: &Plan, polled: impl Iterator<Item = DateTime<Utc>>) -> Plan {
        let stored = self.parents.iter().filter_map(Stored::reached);
        plan.starting_behind(polled.max(), stored.max())
    }

    /// `plan` of this poller as it goes on from `checkpoint`, with what its children have settled by
    /// now; `takes` tells whether the poller of a class takes that from this one.
    pub fn among(
        &self,
        plan: &Plan,
        starts: &Starts,
        checkpoint: Option<&Checkpoint>,
        takes: impl Fn(&str) -> bool,
    ) -> Plan {
        let children = self.children(starts, takes);
        let gone = checkpoint.map(|checkpoint| self.gone(starts, checkpoint, &children));
        Plan {
            gone: gone.unwrap_or_default(),
            children,
            ..plan.clone()
        }
    }

    /// The children by now, with how far each has come; those too that have started since this poller
    /// was built.
    fn children(&self, starts: &Starts, takes: impl Fn(&str) -> bool) -> Vec<Child> {
        let present = |relative: &Relative| {
            let running = starts.stored(&relative.uid);
            let stored = running.unwrap_or_else(|| relative.stored.clone());
            relative.child(&stored, self.unit)
        };
        let mut children: Vec<_> = self.children.iter().map(present).collect();
        if !self.is_parent {
            return children;
        }
        for started in starts.newcomers(self.edition) {
            let is_known = children.iter().any(|child| child.uid == started.uid);
            if !is_known && started.uid != self.uid && takes(&started.class) {
                children.push(started.child(&started.stored, self.unit));
            }
        }
        children
    }

    /// How far those have come that `checkpoint` knows as children and that are none any more.
    fn gone(
        &self,
        starts: &Starts,
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
                let running = starts.stored(&entry.uid);
                let stored = running.as_ref().or_else(|| self.known.get(&entry.uid))?;
                let reached = stored.until(&entry.query_fingerprint, self.unit)?;
                Some((entry.uid.clone(), reached))
            })
            .collect()
    }
}

impl Relative {
    fn child(&self, stored: &Stored, unit: TimeDelta) -> Child {
        Child {
            started_at: stored.since(&self.query_fingerprint),
            reached: stored.until(&self.query_fingerprint, unit),
            // What is remembered of it cannot be read.
            uid: if stored.is_unread() {
                String::new()
            } else {
                self.uid.clone()
            },
            class: self.class.clone(),
            query_fingerprint: self.query_fingerprint.clone(),
        }
    }
}
