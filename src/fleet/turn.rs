//! A poll's turn at its instance.

use std::sync::Arc;

use super::{
    Instance,
    holds::{Entry, Wait},
};
use crate::poll::Outcome;

/// Leave to poll an instance once. Dropped without an outcome, it leaves the probe to another.
pub(super) struct Turn {
    instance: Arc<Instance>,
    probes: bool,
}

impl Turn {
    /// A turn, unless the instance is held.
    pub(super) fn take(instance: &Arc<Instance>) -> Result<Self, Wait> {
        let probes = match instance.holds().enter() {
            Entry::Poll => false,
            Entry::Probe => true,
            Entry::Wait(wait) => return Err(wait),
        };
        Ok(Self {
            instance: Arc::clone(instance),
            probes,
        })
    }

    /// The poll has ended, and shows how the instance is.
    pub(super) fn end(mut self, outcome: &Outcome) {
        let holds = self.instance.holds();
        if std::mem::take(&mut self.probes) {
            holds.leave_probe(outcome);
        } else {
            holds.leave(outcome);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.probes {
            self.instance.holds().give_up();
        }
    }
}
