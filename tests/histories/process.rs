//! A process that polls: begun from what is stored, gone on from poll to poll, or killed.

use std::{future::Future, pin::Pin, sync::Arc, task::Poll as Ready};

use pollen::{
    api::Checkpoint,
    poll::{self, CheckpointStore as _, Edges, End, Held, Outcome, Plan, Progress},
};
use tokio_util::sync::CancellationToken;

use crate::{
    settings::Part,
    steps::Fault,
    world::{Faults, House, Inner, Process, Store, World, apart},
};

/// A process between two polls.
pub(crate) struct Running {
    process: Process,
    store: Store,
    /// What it goes on from; `None` where the poller has not started.
    held: Option<Held>,
}

/// What a process does next.
#[derive(Clone, Copy)]
enum Errand {
    Poll,
    Replay,
}

/// Another process polls once, as after a handover of which the first did not hear.
pub(crate) fn poll_by_another(world: Arc<World>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        if world.inner().stored.checkpoint().is_some() {
            // What it tells, the first process and its pollers do not hear of.
            world.inner().joint.is_led_back = true;
            let mut other = Running::begin(world, false).await;
            let stop = CancellationToken::new();
            let outcome = other.engage(Errand::Poll, &stop).await;
            other.process.check_outcome(&outcome);
        }
    })
}

/// The poller's parent or child polls, in the same process.
pub(crate) fn poll_by_kin(world: &Arc<World>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let world = world.clone();
    Box::pin(async move {
        if let Some(kin) = world.lets_kin_poll()
            && let Some(running) = kin.take_running()
        {
            world.tell(|| "      meanwhile its kin polls".to_owned());
            let (_, running) = apart::visit(&world, &kin, running.poll(&[])).await;
            kin.put_running(running);
        }
    })
}

impl Running {
    /// Its task ends: what could not be written is tried once more.
    pub(crate) async fn stop(mut self) {
        self.process.world.inner().faults = Faults::default();
        if let Some(held) = self.held.take().filter(Held::is_unwritten) {
            let _ = held.save(&mut self.store).await;
        }
    }

    /// What its process knows of the other poller is replaced.
    pub(crate) fn move_to(&mut self, house: House) {
        self.process.house = house.clone();
        self.store.process.house = house;
    }

    /// A process that knows what is stored.
    pub(crate) async fn begin(world: Arc<World>, is_main: bool) -> Self {
        let number = {
            let mut inner = world.inner();
            let Inner { stored, ledger, .. } = &mut *inner;
            ledger.begin_process(stored)
        };
        let process = Process::new(world, number, is_main);
        let mut store = Store::open(process.clone());
        let stored = store.load().await.unwrap_or_default();
        Self {
            process,
            store,
            held: stored.map(Held::from),
        }
    }

    /// Which of the ledger's memories is its own.
    pub(crate) const fn number(&self) -> usize {
        self.process.number
    }

    /// It knows where the poller started.
    pub(crate) const fn is_started(&self) -> bool {
        self.held.is_some()
    }

    /// A comparison of ids goes on with the next poll.
    pub(crate) fn is_comparing(&self) -> bool {
        self.held.as_ref().is_some_and(Held::is_comparing)
    }

    /// One poll; how it ended, and the process, unless it did.
    pub(crate) async fn poll(mut self, faults: &[(u32, Fault)]) -> (Option<End>, Option<Self>) {
        let idle = self.held.as_ref().is_some_and(|held| {
            let Process { world, number, .. } = &self.process;
            faults.is_empty()
                && !held.is_unwritten()
                && world.meets_none(&self.process.house, &held.checkpoint)
                && world.is_idle(*number, &held.checkpoint)
        });
        let (sent, stored) = self.outside();
        let stop = CancellationToken::new();
        {
            let mut inner = self.process.world.inner();
            inner.stop = stop.clone();
            inner.faults = Faults::of_poll(faults);
        }
        let Some(outcome) = self.until_crash(Errand::Poll, &stop).await else {
            return (None, None);
        };
        self.process.check_outcome(&outcome);
        if outcome.end == End::Complete {
            let Process { world, number, .. } = &self.process;
            let began = world.inner().ledger.memory(*number).began;
            world.has_met(began);
        }
        if idle && let ((sent_now, Some(after)), Some(before)) = (self.outside(), stored) {
            self.process
                .world
                .check_idle(sent_now - sent, &before, &after);
        }
        let end = outcome.end.clone();
        let Some(running) = self.after(outcome).await else {
            return (Some(end), None);
        };
        if end == End::Complete && running.is_replaying() {
            return running.replay(&stop).await;
        }
        (Some(end), Some(running))
    }

    /// A replay is to be read behind a poll that is complete.
    pub(crate) fn is_replaying(&self) -> bool {
        let plan = self.process.world.inner().plan.clone();
        let is_due = |held: &Held| !held.is_unwritten() && poll::is_replaying(&plan, held);
        self.held.as_ref().is_some_and(is_due)
    }

    /// One stretch of a replay.
    async fn replay(mut self, stop: &CancellationToken) -> (Option<End>, Option<Self>) {
        self.process
            .world
            .tell(|| "   => Complete; a stretch of a replay".to_owned());
        let Some(outcome) = self.until_crash(Errand::Replay, stop).await else {
            return (None, None);
        };
        self.process.check_replay(&outcome);
        let end = outcome.end.clone();
        (Some(end), self.after(outcome).await)
    }

    /// What the process goes on with after a poll.
    async fn after(mut self, outcome: Outcome) -> Option<Self> {
        let held = outcome.checkpoint?;
        if outcome.end == End::Stopped {
            // As a process does that was asked to end: what could not be written is tried once more.
            if held.is_unwritten() {
                let _ = held.save(&mut self.store).await;
            }
            return None;
        }
        self.held = Some(held);
        Some(self)
    }

    /// What the world outside has: notifications, and a checkpoint.
    fn outside(&self) -> (u64, Option<Checkpoint>) {
        let inner = self.process.world.inner();
        (inner.ledger.notifications, inner.stored.checkpoint())
    }

    /// The engine at work, until it is done or an await point ends the process.
    async fn until_crash(&mut self, errand: Errand, stop: &CancellationToken) -> Option<Outcome> {
        let world = self.process.world.clone();
        let mut polling = Box::pin(self.engage(errand, stop));
        std::future::poll_fn(|context| {
            world.inner().turn += 1;
            match polling.as_mut().poll(context) {
                Ready::Ready(outcome) => Ready::Ready(Some(outcome)),
                Ready::Pending if world.inner().faults.crashed => Ready::Ready(None),
                Ready::Pending => Ready::Pending,
            }
        })
        .await
    }

    async fn engage(&mut self, errand: Errand, stop: &CancellationToken) -> Outcome {
        let process = self.process.clone();
        let clock = process.world.clock;
        process.world.inner().apart.sweeps = false;
        process.begin_poll(self.held.as_ref().map(|held| &held.checkpoint));
        let held = match self.held.take() {
            Some(held) => held,
            None => match self.start(stop).await {
                Ok(checkpoint) => {
                    process.begin_poll(Some(&checkpoint));
                    checkpoint.into()
                }
                Err(end) => return Outcome::of(end),
            },
        };
        process.world.may_have_started(&process.house);
        let (house, is_main) = (&process.house, process.is_main);
        let mut sweep = match process.world.settings.part {
            Part::Parent => Some(house.starts.sweep("parent", "all").await),
            Part::Alone | Part::Child => None,
        };
        let plan = process.world.among(house, is_main, &held.checkpoint);
        process.meet(&plan, &held.checkpoint);
        let edges = Edges {
            source: &process,
            callback: &process,
            store: &mut self.store,
        };
        let outcome = match errand {
            Errand::Poll => poll::poll(&plan, held, edges, &clock, stop).await,
            Errand::Replay => {
                process.begin_replay(&plan, &held.checkpoint);
                let nothing = Progress::default();
                poll::replay(&plan, held, nothing, edges, &clock, stop).await
            }
        };
        if let Some(polled) = sweep.as_deref_mut() {
            *polled = Some(clock.now());
        }
        process.world.may_have_started(&process.house);
        outcome
    }

    /// Where the poller starts; a child does while its parents rest.
    async fn start(&mut self, stop: &CancellationToken) -> Result<Checkpoint, End> {
        let process = self.process.clone();
        let resting = match process.world.settings.part {
            Part::Child => process.house.starts.rest(|table| table == "all").await,
            Part::Alone | Part::Parent => Vec::new(),
        };
        let polled = resting.iter().filter_map(|polled| **polled).collect();
        let plan = process.world.starting(polled);
        let clock = process.world.clock;
        let started = poll::start(&plan, &process, &mut self.store, &clock, stop).await;
        if started.is_err() && process.world.inner().stored.checkpoint().is_some() {
            process.world.inner().apart.is_start_lost = true;
        }
        let started = started?;
        process.world.may_have_started(&process.house);
        Ok(started)
    }
}

impl Process {
    /// Takes note of the children that a poll of a parent meets.
    fn meet(&self, plan: &Plan, before: &Checkpoint) {
        self.world.meets(&plan.children);
        let mut inner = self.world.inner();
        let memory = inner.ledger.memory(self.number);
        let is_there = |uid: &str| plan.children.iter().any(|child| child.uid == uid);
        let mut known = before.children.iter();
        memory.takes_back |=
            known.any(|entry| entry.settled_before.is_none() && !is_there(&entry.uid));
        inner.apart.sweeps = self.is_main;
        inner.apart.is_known |= self.is_main;
    }

    fn begin_poll(&self, before: Option<&Checkpoint>) {
        let now = self.world.now();
        let mut inner = self.world.inner();
        let reach = inner.plan.reach.num_milliseconds();
        let asks_otherwise =
            before.is_some_and(|before| before.query_fingerprint != inner.plan.query_fingerprint);
        let memory = inner.ledger.memory(self.number);
        let compares = self.world.settings.id_list().is_some();
        memory.begin_poll(before.cloned(), now, compares);
        if asks_otherwise {
            memory.ask_otherwise(reach, &self.world.settings);
        }
    }
}
