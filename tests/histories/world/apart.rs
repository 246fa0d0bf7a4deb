//! What two pollers are to each other: one that polls all, and one that polls a class of it.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, PoisonError, Weak},
};

use chrono::{DateTime, Utc};
use pollen::{
    api::Checkpoint,
    fleet::{Kin, Relative, Starts, Stored as Seen},
    poll::{Child, Plan, Start},
};

use super::{CHILD, Inner, Version, World, store::Stored};
use crate::{process::Running, settings::Part};

/// What one of two pollers is beside the other.
#[derive(Default)]
pub(crate) struct Apart {
    /// Which child it is, while there is one.
    pub(super) applied: Option<Applied>,
    /// How many there were.
    pub(super) made: u32,
    /// It has a filter, and how often it was edited otherwise.
    pub(super) filtered: bool,
    pub(super) edits: u32,
    /// It ever had a filter.
    pub(crate) ever_filtered: bool,
    pub(super) suspended: bool,
    /// It is in a poll, and has started.
    pub(crate) sweeps: bool,
    /// It started, and did not hear so: its parent learned of it later.
    pub(crate) is_start_lost: bool,
    /// It has polled in the process that runs.
    pub(crate) is_known: bool,
    /// When its last poll began that read everything, by our clock.
    pub(crate) polled: i64,
    /// What runs knows of it.
    pub(super) house: House,
    /// The parent as it was built, and after how many polls it is built anew.
    pub(super) kin: Option<Kin>,
    pub(super) stale: u32,
    /// The children that the parent met in its last poll, if that was complete, and in this one.
    pub(crate) met: Option<Vec<Child>>,
    pub(super) meets: Vec<Child>,
    /// When those changed last, by our clock.
    pub(crate) changed_at: Option<i64>,
    /// What is still stored of children that are gone.
    pub(super) gone: Vec<(String, Seen)>,
}

#[derive(Clone)]
pub(super) struct Applied {
    pub(super) uid: String,
}

/// A process in which both pollers run.
#[derive(Clone, Default)]
pub(crate) struct House {
    pub(crate) starts: Arc<Starts>,
    parent: Seen,
    pub(super) child: Seen,
}

impl House {
    pub(crate) const fn seen(&self, part: Part) -> &Seen {
        match part {
            Part::Child => &self.child,
            Part::Alone | Part::Parent => &self.parent,
        }
    }
}

/// Lets two worlds be of one provider, with one poller each.
pub(crate) fn join(parent: &Arc<World>, child: &Arc<World>) {
    let _ = parent.kin.set(Arc::downgrade(child));
    let _ = child.kin.set(Arc::downgrade(parent));
    let house = parent.inner().apart.house.clone();
    child.inner().apart.house = house;
}

/// Has `guest` see the provider, which `host` has between the turns of the guest's future.
pub(crate) async fn visit<F: Future>(host: &World, guest: &World, future: F) -> F::Output {
    let mut future = Box::pin(future);
    std::future::poll_fn(|context| {
        host.lend(guest);
        let polled = future.as_mut().poll(context);
        host.lend(guest);
        polled
    })
    .await
}

impl World {
    pub(crate) fn kin(&self) -> Option<Arc<Self>> {
        self.kin.get().and_then(Weak::upgrade)
    }

    fn lend(&self, guest: &Self) {
        let (mut own, mut other) = (self.inner(), guest.inner());
        let (own, other) = (&mut *own, &mut *other);
        std::mem::swap(&mut own.provider, &mut other.provider);
        std::mem::swap(&mut own.violation, &mut other.violation);
        std::mem::swap(&mut own.trace, &mut other.trace);
        std::mem::swap(&mut own.joint, &mut other.joint);
    }

    /// The running process, while it does not poll.
    pub(crate) fn take_running(&self) -> Option<Running> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.take()
    }

    pub(crate) fn with_running<T>(&self, ask: impl FnOnce(&Running) -> T) -> Option<T> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().map(ask)
    }

    pub(crate) fn put_running(&self, process: Option<Running>) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = process;
    }

    /// The process in which the pollers run, or another that knows what is stored.
    pub(crate) fn house(&self, is_main: bool) -> House {
        let own = self.inner();
        if is_main {
            return own.apart.house.clone();
        }
        let seen = |stored: &Stored| Seen::of(stored.checkpoint().as_ref());
        let own_seen = seen(&own.stored);
        drop(own);
        let others = self.kin().map(|kin| seen(&kin.inner().stored));
        let others = others.unwrap_or_default();
        let (parent, child) = match self.settings.part {
            Part::Child => (others, own_seen),
            Part::Alone | Part::Parent => (own_seen, others),
        };
        House {
            starts: Arc::default(),
            parent,
            child,
        }
    }

    /// All that runs ends without a word: the next process goes on from what is stored.
    pub(crate) fn end_process(&self) {
        let house = self.house(false);
        for world in [self.kin(), None].into_iter().flatten() {
            world.begin_house(house.clone());
        }
        self.begin_house(house);
        let mut inner = self.inner();
        let remembers = self.settings.remembers_gone;
        if let Some(checkpoint) = inner.stored.checkpoint() {
            let goings = inner.joint.goings.iter_mut();
            for going in goings.filter(|going| going.is_edited || !remembers) {
                going.forget(&checkpoint, self.unit());
            }
        }
    }

    /// The unit of all dates, in milliseconds.
    pub(crate) fn unit(&self) -> i64 {
        self.settings.unit().duration().num_milliseconds()
    }

    /// Whether a child that starts now, and was never edited, has this record from then on.
    pub(crate) fn takes_from_now(&self, inner: &Inner, version: Version) -> bool {
        // A clock of whole seconds, and a start where a unit begins, lie so much before its creation.
        let part = self.unit() + 1_000;
        inner.apart.applied.is_some()
            && inner.apart.edits == 0
            && !inner.apart.is_start_lost
            && !inner.apart.ever_filtered
            && matches!(inner.plan.start, Start::Created(_))
            && inner
                .stored
                .started_at()
                .is_some_and(|start| version.date >= start + part)
    }

    fn begin_house(&self, house: House) {
        self.put_running(None);
        let mut inner = self.inner();
        (inner.apart.house, inner.apart.kin) = (house, None);
        inner.apart.stale = 0;
        inner.apart.is_known = false;
    }

    /// Whether there is a poller that may poll.
    pub(crate) fn polls(&self) -> bool {
        let inner = self.inner();
        match self.settings.part {
            Part::Alone | Part::Parent => true,
            Part::Child => inner.apart.applied.is_some() && !inner.apart.suspended,
        }
    }

    /// Whether the other may poll in the midst of a poll of this one: none starts then, nor is begun
    /// anew.
    pub(crate) fn lets_kin_poll(&self) -> Option<Arc<Self>> {
        let kin = self.kin().filter(|kin| kin.polls())?;
        let knows_start = kin.with_running(Running::is_started) == Some(true);
        (knows_start && self.inner().apart.sweeps).then_some(kin)
    }

    /// The plan of a child that starts, or as it is.
    pub(crate) fn starting(&self, polled: Vec<DateTime<Utc>>) -> Plan {
        let inner = self.inner();
        match self.settings.part {
            Part::Child => {
                let kin = inner.child(&inner.apart.house);
                kin.map_or_else(
                    || inner.plan.clone(),
                    |kin| kin.starting(&inner.plan, polled.into_iter()),
                )
            }
            Part::Alone | Part::Parent => inner.plan.clone(),
        }
    }

    /// The plan of a poll that goes on from `checkpoint`.
    pub(crate) fn among(&self, house: &House, is_main: bool, checkpoint: &Checkpoint) -> Plan {
        let plan = self.inner().plan.clone();
        let Some(kin) = self.kin().filter(|_| self.settings.part == Part::Parent) else {
            return plan;
        };
        let built = self.inner().apart.kin.clone().filter(|_| is_main);
        let family = built.unwrap_or_else(|| self.parent(&kin, house));
        if is_main {
            self.inner().apart.kin = Some(family.clone());
        }
        family.among(&plan, &house.starts, Some(checkpoint), |class| {
            class == CHILD
        })
    }

    /// Whether a poll that goes on from `checkpoint` meets the children that the last one met.
    pub(crate) fn meets_none(&self, house: &House, checkpoint: &Checkpoint) -> bool {
        if self.settings.part != Part::Parent {
            return true;
        }
        let plan = self.among(house, true, checkpoint);
        plan.gone.is_empty() && self.inner().apart.met.as_ref() == Some(&plan.children)
    }

    /// A poll of the parent meets these.
    pub(crate) fn meets(&self, children: &[Child]) {
        let started = |children: &[Child]| -> Vec<_> {
            let started = children.iter().map(|it| (it.uid.clone(), it.started_at));
            started.collect()
        };
        let now = self.now();
        let mut inner = self.inner();
        if started(&inner.apart.meets) != started(children) {
            inner.apart.changed_at = Some(now);
        }
        inner.apart.meets = children.to_vec();
        inner.apart.met = None;
    }

    /// A poll is over that read everything.
    pub(crate) fn has_met(&self, began: i64) {
        let mut inner = self.inner();
        inner.apart.polled = began;
        inner.apart.met = Some(inner.apart.meets.clone());
    }

    /// The poller is started where it was not known to be.
    pub(crate) fn may_have_started(&self, house: &House) {
        let inner = self.inner();
        if self.settings.part == Part::Child
            && let Some(kin) = inner.child(house)
        {
            kin.may_have_started(&house.starts);
        }
    }

    /// The parent as it is built with the child that there is.
    fn parent(&self, child: &Self, house: &House) -> Kin {
        let child = child.inner();
        let own = self.inner();
        let relative = child.apart.applied.as_ref().map(|applied| Relative {
            uid: applied.uid.clone(),
            class: CHILD.to_owned(),
            query_fingerprint: child.plan.query_fingerprint.clone(),
            stored: house.child.clone(),
        });
        let siblings = relative.iter();
        let siblings = siblings.map(|it| (it.uid.clone(), it.stored.clone()));
        let gone = own.apart.gone.iter().cloned();
        Kin {
            uid: own.plan.uid.clone(),
            class: Some("all".to_owned()),
            query_fingerprint: own.plan.query_fingerprint.clone(),
            unit: own.plan.unit,
            stored: house.parent.clone(),
            is_parent: true,
            known: siblings.chain(gone).collect(),
            children: relative
                .filter(|_| !child.apart.filtered)
                .into_iter()
                .collect(),
            parents: Vec::new(),
            edition: house.starts.edition(),
        }
    }

    /// A parent whose children have changed is built anew, at once or a poll later.
    pub(crate) fn is_stale(&self) -> bool {
        let mut inner = self.inner();
        let stale = inner.apart.stale;
        inner.apart.stale = stale.saturating_sub(1);
        let is_stale = stale == 1;
        if is_stale {
            inner.apart.kin = None;
        }
        is_stale
    }
}

impl Inner {
    /// The child as it is built.
    fn child(&self, house: &House) -> Option<Kin> {
        let applied = self.apart.applied.as_ref()?;
        Some(Kin {
            uid: applied.uid.clone(),
            class: (!self.apart.filtered).then(|| CHILD.to_owned()),
            query_fingerprint: self.plan.query_fingerprint.clone(),
            unit: self.plan.unit,
            stored: house.child.clone(),
            is_parent: false,
            children: Vec::new(),
            parents: vec![house.parent.clone()],
            known: HashMap::new(),
            edition: house.starts.edition(),
        })
    }

    /// Whether the poller's own listing shows a record.
    pub(crate) fn shows(&self, world: &World, number: u32) -> bool {
        match world.settings.part {
            Part::Alone | Part::Parent => true,
            Part::Child => {
                world.settings.is_childs(number)
                    && (!self.apart.filtered || number.is_multiple_of(2))
            }
        }
    }

    /// Whether what must hold of each single poller holds of a record.
    pub(crate) fn concerns(&self, world: &World, number: u32) -> bool {
        world.settings.is_own(number) && (!self.apart.ever_filtered || number.is_multiple_of(2))
    }
}
