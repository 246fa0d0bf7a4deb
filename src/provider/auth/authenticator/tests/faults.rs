//! A crash, an error and a timeout at every step of a refresh and of a code's exchange, a hundred
//! random runs each, against a provider in memory that rotates by each rule.
//!
//! What is checked is one sentence: a person is asked to authorize again only where the provider takes
//! nothing any more that Pollen has ever been told. What comes of it stands in `docs/authentication.md`.

mod page;
mod provider;
mod run;
mod world;

use std::fmt;

use self::{page::Table, provider::Rule, run::Run};

const RUNS: u64 = 100;

/// What Pollen does between a user's grant and the first request with an access token, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Load,
    Record,
    Recorded,
    Mark,
    Marked,
    Ask,
    Answer,
    Store,
    Stored,
    Use,
}

impl Step {
    const ALL: [Self; 10] = [
        Self::Load,
        Self::Record,
        Self::Recorded,
        Self::Mark,
        Self::Marked,
        Self::Ask,
        Self::Answer,
        Self::Store,
        Self::Stored,
        Self::Use,
    ];
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Load => "the stored token is being read",
            Self::Record => "that the code goes out is not recorded yet",
            Self::Recorded => "it is recorded, nothing is sent yet",
            Self::Mark => "the refresh is not marked yet",
            Self::Marked => "it is marked, nothing is sent yet",
            Self::Ask => "the request is on its way to the provider",
            Self::Answer => "the provider has carried it out, its answer is on its way",
            Self::Store => "the answer has arrived, nothing is stored yet",
            Self::Stored => "the refresh token is stored, the store's answer is on its way",
            Self::Use => "the access token goes out with its first request",
        })
    }
}

/// What goes wrong at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Crash,
    Error,
    Timeout,
    /// The provider answers 200 with a page for people, and has carried out nothing.
    Page,
    /// A firewall answers 403 with a page, and the provider has seen nothing.
    Blocked,
    /// The provider answers 200 with a refresh token and no access token.
    Half,
}

impl Fault {
    fn at(step: Step) -> &'static [Self] {
        match step {
            Step::Ask => &[
                Self::Crash,
                Self::Error,
                Self::Timeout,
                Self::Page,
                Self::Blocked,
            ],
            Step::Answer => &[Self::Crash, Self::Error, Self::Timeout, Self::Half],
            _ => &[Self::Crash, Self::Error, Self::Timeout],
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Crash => "crash",
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Page => "a page with status 200",
            Self::Blocked => "a page with status 403",
            Self::Half => "no access token",
        })
    }
}

/// What Pollen was about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Exchange,
    Refresh,
}

#[tokio::test(start_paused = true)]
async fn nobody_is_locked_out_whom_the_provider_would_let_in() {
    for (operation, name) in [
        (Operation::Exchange, "exchange"),
        (Operation::Refresh, "refresh"),
    ] {
        let mut table = Table::new();
        for step in Step::ALL {
            for fault in Fault::at(step) {
                for rule in Rule::ALL {
                    let cell = table.cell(step, *fault, rule);
                    for seed in 0..RUNS {
                        let run = Run {
                            operation,
                            rule,
                            hits: vec![(step, *fault)],
                            seed,
                        };
                        cell.enter(run.play().await);
                    }
                }
            }
        }
        table.check(name);
    }
}

/// Misfortunes come in crowds: a restart that is hit again, a store that fails behind a lost answer.
#[tokio::test(start_paused = true)]
async fn nobody_is_locked_out_by_several_faults_in_a_row_either() {
    for operation in [Operation::Exchange, Operation::Refresh] {
        for rule in Rule::ALL {
            for seed in 0..3 * RUNS {
                let mut random = run::random(seed);
                let hits = run::several(&mut random);
                let run = Run {
                    operation,
                    rule,
                    hits,
                    seed,
                };
                run.play().await;
            }
        }
    }
}
