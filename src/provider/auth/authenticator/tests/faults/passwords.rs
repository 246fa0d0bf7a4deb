//! A fault at every step of sending a password, over and over: a process that crashes and starts again must
//! not lock its user out.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use chrono::TimeDelta;

use super::{
    Fault, Step, page,
    provider::{Provider, RIGHT, Rule, WRONG},
    run::{Stores, User, random},
    world::World,
};
use crate::clock::Clock;

/// What Pollen does between a Secret with a password and the first request, in order.
const STEPS: [Step; 7] = [
    Step::Load,
    Step::Record,
    Step::Recorded,
    Step::Ask,
    Step::Answer,
    Step::Store,
    Step::Stored,
];

/// A common rule locks out who fails five times within so long.
const RULE: TimeDelta = TimeDelta::minutes(15);
const LOCKED_OUT: usize = 5;

const LONGEST: Duration = Duration::from_secs(2 * 60 * 60);
const MINUTE: Duration = Duration::from_secs(60);

/// What came of the right password, and of a wrong one that meets the same fault each time.
type Row = (Step, Fault, Option<Duration>, Option<usize>);

/// Plays each fault at each step, and holds the table of the page against what comes of it.
pub(super) async fn play_passwords(
    stores: impl Fn() -> Stores,
    faults: fn(Step) -> Vec<Fault>,
    table: &str,
) {
    let mut rows = Vec::new();
    for step in STEPS {
        for fault in faults(step) {
            let waited = let_in_after(step, fault, stores()).await;
            rows.push((step, fault, waited, most_tries(step, fault, stores()).await));
        }
    }
    page::check(table, &text(&rows));
}

/// How long the user with the right password waits; `None` where the step is never come to.
async fn let_in_after(step: Step, fault: Fault, stores: Stores) -> Option<Duration> {
    let (world, mut user) = begin(RIGHT, stores);
    world.state().hits = vec![(step, fault)];
    let waited = user.come_in(LONGEST).await;
    let waited = waited.unwrap_or_else(|| panic!("{step:?}, {fault:?}: never let in"));
    (world.state().hit > 0).then_some(waited)
}

/// How often a wrong password comes to the provider within the time of the rule.
async fn most_tries(step: Step, fault: Fault, stores: Stores) -> Option<usize> {
    let (world, mut user) = begin(WRONG, stores);
    world.state().hits = vec![(step, fault); 50];
    assert_eq!(user.come_in(LONGEST).await, None);
    let state = world.state();
    let tries = &state.provider.failed_logins;
    let within = |first| {
        let behind = tries.iter().filter(|at| **at >= first);
        behind.filter(|at| **at - first < RULE).count()
    };
    let most = tries.iter().map(|first| within(*first)).max();
    let most = most.unwrap_or_default();
    assert!(
        most < LOCKED_OUT,
        "{step:?}, {fault:?}: locked out: {tries:?}"
    );
    (state.hit > 0).then_some(most)
}

fn begin(seed: &str, stores: Stores) -> (std::sync::Arc<World>, User) {
    let clock = Clock::starting_at(super::super::NOW.parse().unwrap());
    let provider = Provider::new(Rule::Never, random(0), clock.now());
    let world = World::new(clock, provider, seed);
    let user = User::new(&world, seed, random(1), stores);
    (world, user)
}

fn text(rows: &[Row]) -> String {
    let mut text = "| # | step | fault | the right password | a wrong one, in the worst quarter of an hour |\n\
                    |---|---|---|---|---|\n"
        .to_owned();
    let mut lines: Vec<(Step, String, [String; 2])> = Vec::new();
    for (step, fault, waited, tries) in rows {
        let tries = match tries {
            None => "–".to_owned(),
            Some(0) => "is not tried".to_owned(),
            Some(1) => "is tried once".to_owned(),
            Some(tries) => format!("is tried {tries} times"),
        };
        let words = [waited.map_or("–".to_owned(), goes_on), tries];
        match lines.last_mut() {
            Some((last, faults, same)) if last == step && *same == words => {
                write!(faults, ", {fault}").unwrap();
            }
            _ => lines.push((*step, fault.to_string(), words)),
        }
    }
    let numbers: BTreeMap<Step, usize> = STEPS.into_iter().zip(1..).collect();
    for (step, faults, words) in lines {
        let (number, name) = (numbers[&step], name(step));
        writeln!(
            text,
            "| {number} | {name} | {faults} | {} |",
            words.join(" | ")
        )
        .unwrap();
    }
    text
}

fn goes_on(waited: Duration) -> String {
    if waited < 2 * MINUTE {
        return "goes on".to_owned();
    }
    let minutes = waited.as_secs() / 60;
    // Polls are some seconds apart.
    format!("goes on after {} min", minutes / 5 * 5)
}

const fn name(step: Step) -> &'static str {
    match step {
        Step::Load => "what is recorded is being read",
        Step::Record => "that the password goes out is not recorded yet",
        Step::Recorded => "it is recorded, nothing is sent yet",
        Step::Ask => "the request is on its way to the provider",
        Step::Answer => "the provider has looked at it, its answer is on its way",
        Step::Store => "the answer has arrived, what became of it is not stored yet",
        Step::Stored => "it is stored, the store's answer is on its way",
        Step::Mark | Step::Marked | Step::Use => "",
    }
}
