//! A scenario played, in memory or over sockets.

mod act;
mod always;
mod hosts;
mod in_memory;
mod ledger;
mod letters;
#[path = "../../wire/harness/manifests.rs"]
#[allow(dead_code, reason = "tests/wire uses the rest")]
mod manifests;
mod over_sockets;
mod traffic;
mod world;

use std::{cell::Cell, sync::Arc, time::Duration};

use simulator::{Clock, receiver::Event};
use tokio::time::Instant;

use crate::format::{Cut, End, Poll, Scenario, Step};
use in_memory::InMemory;
use letters::Letter;
use over_sockets::OverSockets;
use world::World;

/// Where a scenario is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    InMemory,
    OverSockets,
}

/// One run of `pollen local --once`.
struct Run {
    end: RunEnd,
    errors: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RunEnd {
    Code(i32),
    Killed,
    Hung,
}

/// One poll of every poller, as it was seen from outside.
struct Polled {
    run: Run,
    events: Vec<Event>,
    letters: Vec<Letter>,
    pages: usize,
    /// Whether the list of ids was read.
    compared: bool,
    took: Duration,
}

/// Plays a scenario from beginning to end; where something is cut everywhere, once for each moment.
///
/// # Errors
///
/// The text says in which line of the file something else was expected, and what came.
pub(crate) async fn play(scenario: &Arc<Scenario>, place: Place) -> Result<(), String> {
    if !scenario.is_cut_everywhere() {
        return Stage::new(scenario, place).await.play(None).await.map(drop);
    }
    // The moments lie closer together in memory, where every turn of the process is one.
    let mut moment = 1;
    while Stage::new(scenario, place).await.play(Some(moment)).await? {
        moment += match place {
            Place::InMemory => 1,
            Place::OverSockets => 1 + moment / 2,
        };
    }
    Ok(())
}

/// Pollen, and the world around it.
struct Stage {
    world: Arc<World>,
    pollen: Pollen,
    /// So many events were acknowledged before.
    acknowledged: Cell<usize>,
    /// So many dead letters were taken before.
    letters: Cell<usize>,
}

enum Pollen {
    InMemory(InMemory),
    OverSockets(OverSockets),
}

impl Stage {
    async fn new(scenario: &Arc<Scenario>, place: Place) -> Self {
        let clock = match place {
            Place::InMemory => Clock::starting_at(scenario.start),
            Place::OverSockets => Clock::system(),
        };
        let world = World::new(Arc::clone(scenario), clock);
        let (pollen, addresses) = match place {
            Place::InMemory => {
                let pollen = InMemory::new(&world);
                (Pollen::InMemory(pollen), InMemory::addresses())
            }
            Place::OverSockets => {
                let pollen = OverSockets::new(&world).await.unwrap();
                let addresses = pollen.addresses();
                (Pollen::OverSockets(pollen), addresses)
            }
        };
        world.lay_out(&addresses);
        Self {
            world,
            pollen,
            acknowledged: Cell::new(0),
            letters: Cell::new(0),
        }
    }

    /// Plays all steps; whether the process was killed at `moment`.
    async fn play(&self, moment: Option<usize>) -> Result<bool, String> {
        self.start().await?;
        let mut killed = false;
        for (place, step) in self.world.scenario.steps.iter().enumerate() {
            let line = step.referenced.line();
            let played = match &step.value {
                Step::Wait(length) => self.pass(length.0).await,
                Step::Poll(poll) if poll.killed == Some(Cut::Everywhere) => {
                    let cut = self.poll_killed(place, poll, moment.unwrap_or(1)).await;
                    cut.map(|was_killed| killed |= was_killed)
                }
                Step::Poll(poll) => self.poll_often(place, poll).await,
                Step::Arrived(expected) => ledger::arrived(&self.world, expected),
                Step::Annotate(annotate) => self.world.annotate(annotate),
                step => {
                    self.world.act(step);
                    Ok(())
                }
            };
            played.map_err(|error| match moment {
                Some(moment) => format!("line {line}, killed at moment {moment}: {error}"),
                None => format!("line {line}: {error}"),
            })?;
        }
        always::check(&self.world)?;
        Ok(killed)
    }

    /// The pollers' first poll of all, which finds nothing.
    async fn start(&self) -> Result<(), String> {
        if !self.world.scenario.started {
            return Ok(());
        }
        let started = self.run(None, Duration::ZERO, None).await;
        match started.end {
            RunEnd::Code(0) => Ok(()),
            end => Err(format!(
                "the pollers do not start: {end:?}: {}",
                started.errors
            )),
        }
    }

    async fn pass(&self, length: Duration) -> Result<(), String> {
        match &self.pollen {
            Pollen::InMemory(_) => tokio::time::advance(length).await,
            Pollen::OverSockets(_) => {
                let length = chrono::TimeDelta::from_std(length).map_err(|e| e.to_string())?;
                self.world.instance.shift(length);
            }
        }
        Ok(())
    }

    async fn poll_often(&self, place: usize, poll: &Poll) -> Result<(), String> {
        for time in 1..=poll.times {
            let polled = self.poll(place, poll, None).await;
            let judged = ledger::judge(&self.world, poll, &polled);
            judged.map_err(|error| match poll.times {
                1 => error,
                _ => format!("time {time}: {error}"),
            })?;
        }
        Ok(())
    }

    /// Polls, killed at a moment, and again to the end; whether that moment came.
    async fn poll_killed(&self, place: usize, poll: &Poll, moment: usize) -> Result<bool, String> {
        let mut cut = self.poll(place, poll, Some(moment)).await;
        let was_killed = cut.run.end == RunEnd::Killed;
        if was_killed {
            let rest = self.poll(place, poll, None).await;
            cut.events.extend(rest.events);
            cut.letters.extend(rest.letters);
            cut.run = rest.run;
        }
        cut.events = always::without_repeats(&self.world, cut.events)?;
        cut.letters = letters::without_repeats(cut.letters)?;
        ledger::judge(&self.world, poll, &cut)?;
        Ok(was_killed)
    }

    async fn poll(&self, place: usize, poll: &Poll, moment: Option<usize>) -> Polled {
        let begun = Instant::now();
        let retry_for = poll.retry_for.map_or(Duration::ZERO, |length| length.0);
        let mut run = self.run(Some(place), retry_for, moment).await;
        while poll.compares && self.is_early(&run, begun) {
            run = self.run(Some(place), retry_for, moment).await;
        }
        let mut events = self.world.receiver.acknowledged();
        let before = self.acknowledged.replace(events.len());
        let mut letters = letters::taken(&self.world);
        let lettered = self.letters.replace(letters.len());
        let (pages, lists) = world::lock(&self.world.under_way).requests();
        Polled {
            run,
            events: events.split_off(before),
            letters: letters.split_off(lettered),
            pages,
            compared: lists > 0,
            took: begun.elapsed(),
        }
    }

    /// Whether the lists of ids are not due yet: the binary goes by a clock that no step moves.
    fn is_early(&self, run: &Run, begun: Instant) -> bool {
        let is_over_sockets = matches!(self.pollen, Pollen::OverSockets(_));
        let (_, lists) = world::lock(&self.world.under_way).requests();
        is_over_sockets
            && lists == 0
            && run.end == RunEnd::Code(0)
            && begun.elapsed() < over_sockets::LONGEST
    }

    /// One run of the command, for the step at this place.
    async fn run(&self, step: Option<usize>, retry_for: Duration, moment: Option<usize>) -> Run {
        let run = match &self.pollen {
            Pollen::InMemory(pollen) => {
                let signals = self.world.begin(step, None);
                pollen.run(&self.world, retry_for, signals, moment).await
            }
            Pollen::OverSockets(pollen) => {
                let signals = self.world.begin(step, moment);
                pollen.run(&self.world, retry_for, signals).await
            }
        };
        world::lock(&self.world.said).push_str(&run.errors);
        run
    }
}

impl Scenario {
    /// Whether it can be played there.
    pub(crate) fn is_playable(&self, place: Place) -> bool {
        place == Place::InMemory || self.in_memory_only.is_none()
    }

    fn is_cut_everywhere(&self) -> bool {
        self.steps.iter().any(|step| match &step.value {
            Step::Poll(poll) => poll.killed == Some(Cut::Everywhere),
            _ => false,
        })
    }
}

impl Poll {
    /// How the command ends when the poll ends as it must.
    fn wanted_end(&self) -> RunEnd {
        match (self.ends, self.killed) {
            (End::Killed, _)
            | (End::Well, Some(Cut::BeforePage(_) | Cut::BeforeNotification(_))) => RunEnd::Killed,
            (End::Well, _) if self.stopped.is_none() => RunEnd::Code(0),
            // Something is left to do.
            (End::Well | End::Failed, _) => RunEnd::Code(1),
            (End::Invalid, _) => RunEnd::Code(2),
        }
    }
}
