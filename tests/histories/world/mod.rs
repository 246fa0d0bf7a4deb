//! A provider, a callback, a store and a clock in memory, with a fault at any await point.

pub(crate) mod apart;
mod changes;
pub(crate) mod checkpoints;
mod child;
mod deletion_list;
mod deletions;
mod faults;
mod goings;
mod ids;
mod ledger;
mod listing;
mod provider;
mod receiver;
mod replays;
mod settled;
mod store;
mod version;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use chrono::{DateTime, Utc};
use pollen::{clock::Clock, poll::Plan, provider::RecordShape};
use tokio_util::sync::CancellationToken;

pub(crate) use self::{
    apart::{Apart, House},
    faults::Faults,
    goings::{Going, Joint},
    ledger::Memory,
    provider::{CHILD, Promise, floor},
    settled::{Absence, Settled},
    store::Store,
    version::Version,
};
use self::{ledger::Ledger, provider::Provider, store::Stored};
use crate::{
    invariants::Violation,
    process::Running,
    settings::{Deletes, Part, Settings},
};

/// When every history begins, by our clock: not on the edge of any unit.
const BEGIN: i64 = 1_700_031_825_417;

/// Requests of one poll above which it counts as endless.
const ENDLESS: u32 = 5_000;

/// Everything that survives a crash of the process, and the process that is at work.
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    shape: Arc<RecordShape>,
    inner: Mutex<Inner>,
    /// The process between two polls, where one runs.
    running: Mutex<Option<Running>>,
    /// The other poller, where there are two.
    kin: OnceLock<Weak<Self>>,
}

pub(crate) struct Inner {
    pub(crate) provider: Provider,
    pub(crate) ledger: Ledger,
    pub(crate) stored: Stored,
    pub(crate) faults: Faults,
    /// How often the engine was woken.
    pub(crate) turn: u64,
    pub(crate) plan: Plan,
    /// When the spec asked another question last, by our clock.
    pub(crate) edited_at: i64,
    /// Asked to stop the poll under way.
    pub(crate) stop: CancellationToken,
    violation: Option<Violation>,
    trace: Option<Vec<String>>,
    /// What both pollers delivered, where there are two.
    pub(crate) joint: Joint,
    /// What this one is beside the other.
    pub(crate) apart: Apart,
}

impl World {
    /// Must be called inside a runtime. With `traced`, what happens is kept as lines.
    pub(crate) fn new(settings: Settings, traced: bool) -> Arc<Self> {
        let begin = instant(BEGIN);
        let inner = Inner {
            provider: Provider::new(&settings),
            ledger: Ledger::default(),
            stored: Stored::default(),
            faults: Faults::default(),
            turn: 0,
            plan: checkpoints::plan(&settings, begin),
            edited_at: i64::MIN,
            stop: CancellationToken::new(),
            violation: None,
            trace: traced.then(Vec::new),
            joint: Joint::default(),
            apart: Apart::default(),
        };
        let world = Self {
            shape: Arc::new(provider::shape(&settings)),
            clock: Clock::starting_at(begin),
            settings,
            inner: Mutex::new(inner),
            running: Mutex::default(),
            kin: OnceLock::new(),
        };
        let world = Arc::new(world);
        world.inner().provider.fill(&world.settings, BEGIN);
        world
    }

    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Our clock.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }

    /// Lets time pass.
    pub(crate) async fn pass(&self, milliseconds: i64) {
        let time = std::time::Duration::from_millis(milliseconds.max(0).cast_unsigned());
        tokio::time::advance(time).await;
    }

    pub(crate) fn tell(&self, line: impl FnOnce() -> String) {
        let mut inner = self.inner();
        if let Some(trace) = &mut inner.trace {
            let whose = match self.settings.part {
                Part::Child => "the child's",
                Part::Alone | Part::Parent => "",
            };
            trace.push(format!("{whose}{}", line()));
        }
    }

    pub(crate) fn trace(&self) -> Vec<String> {
        self.inner().trace.take().unwrap_or_default()
    }

    pub(crate) fn violation(&self) -> Option<Violation> {
        self.inner().violation.clone()
    }

    pub(crate) fn violate(&self, violation: Violation) {
        self.inner().violate(violation);
    }
}

impl Inner {
    /// Records a violation; the first one counts, since others may follow from it.
    pub(crate) fn violate(&mut self, violation: Violation) {
        self.violation.get_or_insert(violation);
    }

    /// From now on `process` may send nothing more in its poll.
    pub(crate) fn silence(&mut self, process: usize, reason: &'static str) {
        let (since, most) = (self.turn, self.plan.in_flight);
        let memory = self.ledger.memory(process);
        memory.silenced = Some(ledger::Silence {
            reason,
            since,
            on_the_way: most.saturating_sub(memory.flying.len()),
        });
    }

    pub(crate) const fn is_violated(&self) -> bool {
        self.violation.is_some()
    }
}

/// One process with its view of the world: what the engine is given as provider and callback.
#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) world: Arc<World>,
    /// Which of the ledger's memories is this process's.
    pub(crate) number: usize,
    /// Whether the history's faults happen to it.
    pub(crate) is_main: bool,
    /// The provider's list of deletions, where it has one.
    list: Option<Arc<Self>>,
    /// It is that list.
    is_list: bool,
    /// What it knows of the pollers that run in it.
    pub(crate) house: House,
}

impl Process {
    pub(crate) fn new(world: Arc<World>, number: usize, is_main: bool) -> Self {
        let house = world.house(is_main);
        let process = Self {
            house,
            world,
            number,
            is_main,
            list: None,
            is_list: false,
        };
        let list = (process.world.settings.deletes == Deletes::Listed).then(|| {
            Arc::new(Self {
                is_list: true,
                ..process.clone()
            })
        });
        Self { list, ..process }
    }
}

/// The record of an id.
pub(crate) fn number(id: &str) -> u32 {
    id.trim_start_matches('r').parse().unwrap()
}

pub(crate) fn instant(milliseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(milliseconds).unwrap()
}
