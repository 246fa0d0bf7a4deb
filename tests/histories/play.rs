//! Plays a history: from a seed to settings, steps and faults, and step by step against the engine.

use std::sync::Arc;

use pollen::poll::End;

use crate::{
    invariants::{Invariant, Violation},
    process::Running,
    random::Random,
    settings::Settings,
    steps::{self, Fault, Step},
    world::World,
};

/// Steps of a history.
pub(crate) const LENGTH: u32 = 50;

/// Polls without a fault or a change after which everything must be read.
const LAST_POLLS: u32 = 8;

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
        Self {
            settings: Settings::draw(&mut random),
            steps: steps::draw(&mut random, LENGTH),
        }
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
            player.play(&self.steps).await;
            (world.violation(), world.trace())
        })
    }
}

/// Lets one process after another poll.
struct Player {
    world: Arc<World>,
    running: Option<Running>,
}

impl Player {
    const fn new(world: Arc<World>) -> Self {
        Self {
            world,
            running: None,
        }
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
            Step::Restart => self.running = None,
            Step::Pass(eighths) => {
                let time = settings.interval * i64::from(*eighths) / 8;
                self.world.pass(time.max(1)).await;
            }
            change => self.world.change(change),
        }
    }

    /// One poll of the running process, or of a new one; how it ended, but for a crash.
    async fn poll(&mut self, faults: &[(u32, Fault)]) -> Option<End> {
        let running = match self.running.take() {
            Some(running) => running,
            None => Running::begin(self.world.clone(), true).await,
        };
        let (end, running) = running.poll(faults).await;
        self.running = running;
        self.world.tell(|| format!("   => {end:?}"));
        end
    }

    /// Polls until neither a comparison of ids nor a replay is left unfinished.
    async fn poll_to_the_end(&mut self) -> Option<End> {
        let mut end = self.poll(&[]).await;
        for _ in 0..MOST_SLICES {
            let is_left = |running: &Running| running.is_comparing() || running.is_replaying();
            if !self.running.as_ref().is_some_and(is_left) {
                break;
            }
            end = self.poll(&[]).await;
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
        let mut end = None;
        for left in (0..LAST_POLLS).rev() {
            if left == 1 {
                self.running = None;
            }
            self.world.confirm();
            end = self.poll_to_the_end().await;
            self.world.pass(self.between_last_polls()).await;
            if self.world.inner().is_violated() {
                return;
            }
        }
        if end != Some(End::Complete) {
            let expected = "everything is read once nothing changes any more";
            self.world.violate(Violation::new(
                Invariant::Ends,
                expected,
                format!("{end:?}"),
            ));
        }
        let process = self.running.as_ref().map(Running::number);
        self.world.check_end(process);
    }
}
