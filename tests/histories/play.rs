//! Plays a history: from a seed to settings, steps and faults, and step by step against the engine.

use std::{sync::Arc, time::Duration};

use pollen::poll::End;

use crate::{
    invariants::{Invariant, Violation},
    process::Running,
    random::Random,
    settings::{Part, Settings},
    steps::{self, Fault, Step},
    world::{World, apart},
};

/// Steps of a history.
pub(crate) const LENGTH: u32 = 50;

/// Of a hundred histories so many have a second poller.
const WITH_CHILD: u32 = 30;

/// Polls without a fault or a change after which everything must be read.
const LAST_POLLS: u32 = 8;

/// Longer than any history lasts.
const LONG: Duration = Duration::from_hours(1_000_000);

/// Polls that one comparison of ids takes at most.
const MOST_SLICES: u32 = 200;

/// What a seed stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct History {
    pub(crate) settings: Settings,
    pub(crate) steps: Vec<Step>,
}

impl History {
    pub(crate) fn of(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut history = Self {
            settings: Settings::draw(&mut random),
            steps: steps::draw(&mut random, LENGTH),
        };
        // Drawn apart, so that histories without a child are as they were.
        let mut random = Random::new(!seed);
        if random.percent(WITH_CHILD) {
            history.settings.part = Part::Parent;
            history.settings.remembers_gone = random.percent(50);
            history.settings = history.settings.made_consistent();
            steps::add_child(&mut random, &mut history.steps);
        }
        history
    }

    /// Plays it; what it violates, if anything.
    pub(crate) fn play(&self) -> Option<Violation> {
        self.run(false).0
    }

    /// Plays it and tells what happened.
    pub(crate) fn trace(&self) -> Vec<String> {
        self.run(true).1
    }

    fn run(&self, traced: bool) -> (Option<Violation>, Vec<String>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let world = World::new(self.settings.clone(), traced);
            let mut player = Player::new(world.clone());
            // Where all wait for each other, nothing but this is left to happen.
            if tokio::time::timeout(LONG, player.play(&self.steps))
                .await
                .is_err()
            {
                let expected = "a poll ends";
                world.violate(Violation::new(
                    Invariant::Ends,
                    expected,
                    "all wait for ever",
                ));
            }
            (world.violation(), world.trace())
        })
    }
}

/// Lets one process after another poll.
struct Player {
    world: Arc<World>,
    /// The world of the child's poller, where there may be one.
    child: Option<Arc<World>>,
}

impl Player {
    fn new(world: Arc<World>) -> Self {
        let is_parent = world.settings.part == Part::Parent;
        let child = is_parent.then(|| World::new(world.settings.of_child(), false));
        if let Some(child) = &child {
            apart::join(&world, child);
        }
        Self { world, child }
    }

    async fn play(&mut self, steps: &[Step]) {
        // A poller is created, and starts.
        self.poll(&[]).await;
        for step in steps {
            self.world.tell(|| step.to_string());
            self.step(step).await;
            if self.world.inner().is_violated() {
                return;
            }
        }
        self.end().await;
    }

    async fn step(&mut self, step: &Step) {
        let settings = &self.world.settings;
        match step {
            Step::Poll(faults) => drop(self.poll(faults).await),
            Step::ChildPoll(faults) => drop(self.poll_child(faults).await),
            Step::Restart => self.world.end_process(),
            Step::Pass(eighths) => {
                let time = settings.interval * i64::from(*eighths) / 8;
                self.world.pass(time.max(1)).await;
            }
            change => {
                self.world.change(change);
                self.change_child(change).await;
            }
        }
    }

    /// What a step does to the child's poller.
    async fn change_child(&self, step: &Step) {
        let Some(child) = &self.child else {
            return;
        };
        match *step {
            Step::Apply(back, is_seen) => child.apply_child(&self.world, back, is_seen),
            Step::Discard(is_seen) => child.discard_child(&self.world, is_seen).await,
            Step::Edit(filters, is_seen) => child.edit_child(&self.world, filters, is_seen).await,
            Step::Suspend => child.suspend(!child.is_suspended()),
            Step::Refuse(_)
            | Step::Accept
            | Step::Confirm
            | Step::NarrowReach
            | Step::WidenReach => child.change(step),
            _ => {}
        }
    }

    /// One poll of the child, where it polls.
    async fn poll_child(&self, faults: &[(u32, Fault)]) -> Option<End> {
        let child = self.child.as_ref().filter(|child| child.polls())?;
        let polled = Self::poll_once(child, faults);
        let (end, running) = apart::visit(&self.world, child, polled).await;
        if running.is_none() && end.is_none() {
            self.world.end_process();
        }
        child.put_running(running);
        apart::visit(&self.world, child, async {
            child.tell(|| format!("   => {end:?}"));
        })
        .await;
        end
    }

    async fn poll_once(
        world: &Arc<World>,
        faults: &[(u32, Fault)],
    ) -> (Option<End>, Option<Running>) {
        let running = match world.take_running() {
            Some(running) => running,
            None => Running::begin(world.clone(), true).await,
        };
        running.poll(faults).await
    }

    /// One poll of the running process, or of a new one; how it ended, but for a crash.
    async fn poll(&mut self, faults: &[(u32, Fault)]) -> Option<End> {
        if self.world.is_stale() {
            self.world.stop().await;
        }
        let (end, running) = Self::poll_once(&self.world, faults).await;
        if running.is_none() && end.is_none() {
            self.world.end_process();
        }
        self.world.put_running(running);
        self.world.tell(|| format!("   => {end:?}"));
        end
    }

    /// Polls until neither a comparison of ids nor a replay is left unfinished.
    async fn poll_to_the_end(&mut self) -> Option<End> {
        let mut end = self.poll(&[]).await;
        for _ in 0..MOST_SLICES {
            if !is_left(&self.world) {
                break;
            }
            end = self.poll(&[]).await;
        }
        end
    }

    /// The same of the child.
    async fn poll_child_to_the_end(&self) -> Option<End> {
        let mut end = self.poll_child(&[]).await;
        for _ in 0..MOST_SLICES {
            if !self.child.as_deref().is_some_and(is_left) {
                break;
            }
            end = self.poll_child(&[]).await;
        }
        end
    }

    /// A comparison that failed before is not repeated sooner.
    fn between_last_polls(&self) -> i64 {
        let settings = &self.world.settings;
        let least = match settings.id_list() {
            Some(_) => 3_700_000,
            None => 2_000,
        };
        settings.interval.max(least)
    }

    /// Everything is over but polling: nothing is lost, and then the poller is idle.
    async fn end(&mut self) {
        self.world
            .tell(|| "nothing changes and nothing fails any more".to_owned());
        self.world.settle_down().await;
        let (mut end, mut childs_end) = (None, None);
        if let Some(child) = &self.child {
            child.change(&Step::Accept);
            child.suspend(false);
        }
        for left in (0..LAST_POLLS).rev() {
            if left == 1 {
                self.world.end_process();
            }
            self.world.confirm();
            end = self.poll_to_the_end().await;
            if let Some(child) = &self.child {
                child.confirm();
            }
            childs_end = self.poll_child_to_the_end().await;
            self.world.pass(self.between_last_polls()).await;
            if self.world.inner().is_violated() {
                return;
            }
        }
        let childs_end = childs_end.filter(|end| *end != End::Complete);
        if end != Some(End::Complete) || childs_end.is_some() {
            let expected = "everything is read once nothing changes any more";
            self.world.violate(Violation::new(
                Invariant::Ends,
                expected,
                format!("{end:?}, of a child {childs_end:?}"),
            ));
        }
        self.world.check_end(number(&self.world));
        let Some(child) = &self.child else {
            return;
        };
        self.world.check_class(child);
        if child.polls() {
            let check = async { child.check_end(number(child)) };
            apart::visit(&self.world, child, check).await;
        }
    }
}

fn is_left(world: &World) -> bool {
    world.with_running(|running| running.is_comparing() || running.is_replaying()) == Some(true)
}

fn number(world: &World) -> Option<usize> {
    world.with_running(Running::number)
}
