//! A crash, an error and a timeout at every step of a refresh and of a code's exchange, a hundred
//! random runs each, against a provider in memory that rotates by each rule.
//!
//! What is checked is one sentence: a person is asked to authorize again only where the provider takes
//! nothing any more that Pollen has ever been told. What comes of it stands in `docs/authentication.md`.

mod page;
mod passwords;
mod provider;
mod run;
mod world;

use std::{fmt, sync::Arc};

use self::{page::Table, passwords::play_passwords, provider::Rule, run::Run};
pub(crate) use self::{run::Stores, world::Process};

const RUNS: u64 = 100;
/// An API server in memory takes its time.
const RUNS_IN_A_CLUSTER: u64 = 5;

/// What Pollen does between a user's grant and the first request with an access token, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
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

    const fn is_of_the_store(self) -> bool {
        !matches!(self, Self::Ask | Self::Answer | Self::Use)
    }
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
    /// The process is asked to end.
    Termination,
    /// The process loses its Lease and lives, and another one takes over.
    Deposal,
    /// So it does, and meanwhile the store is out of order.
    Outage,
}

impl Fault {
    fn at(step: Step) -> Vec<Self> {
        let faults: &[Self] = match step {
            Step::Ask => &[
                Self::Crash,
                Self::Error,
                Self::Timeout,
                Self::Page,
                Self::Blocked,
            ],
            Step::Answer => &[Self::Crash, Self::Error, Self::Timeout, Self::Half],
            _ => &[Self::Crash, Self::Error, Self::Timeout],
        };
        faults.to_vec()
    }

    /// What may happen beside that to one process of several.
    fn among_several(step: Step) -> Vec<Self> {
        let mut faults = Self::at(step);
        faults.extend([Self::Termination, Self::Deposal, Self::Outage]);
        faults
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
            Self::Termination => "SIGTERM",
            Self::Deposal => "leadership lost",
            Self::Outage => "leadership lost in an outage of the API server",
        })
    }
}

/// What Pollen was about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Exchange,
    Refresh,
}

/// Plays `runs` for each fault at each step of both operations, and holds the tables of the page against
/// what comes of them.
async fn play_all(
    stores: impl Fn() -> Stores,
    faults: fn(Step) -> Vec<Fault>,
    runs: u64,
    tables: [&str; 2],
) {
    for (operation, name) in [Operation::Exchange, Operation::Refresh]
        .into_iter()
        .zip(tables)
    {
        let mut table = Table::new(runs);
        for step in Step::ALL {
            for fault in faults(step) {
                for rule in Rule::ALL {
                    let cell = table.cell(step, fault, rule);
                    for seed in 0..runs {
                        let run = Run {
                            operation,
                            rule,
                            hits: vec![(step, fault)],
                            seed,
                        };
                        cell.enter(run.play(stores()).await);
                    }
                }
            }
        }
        table.check(name);
    }
}

/// Misfortunes come in crowds: a restart that is hit again, a store that fails behind a lost answer.
async fn play_several(stores: impl Fn() -> Stores, faults: fn(Step) -> Vec<Fault>, runs: u64) {
    for operation in [Operation::Exchange, Operation::Refresh] {
        for rule in Rule::ALL {
            for seed in 0..runs {
                let mut random = run::random(seed);
                let hits = run::several(&mut random, faults);
                let run = Run {
                    operation,
                    rule,
                    hits,
                    seed,
                };
                run.play(stores()).await;
            }
        }
    }
}

/// The same over a store that several processes share, as one leads after the other.
pub(crate) async fn play_among_several(stores: impl Fn() -> Stores) {
    let tables = ["exchange in a cluster", "refresh in a cluster"];
    play_all(&stores, Fault::among_several, RUNS_IN_A_CLUSTER, tables).await;
    play_several(&stores, Fault::among_several, RUNS / 4).await;
    play_passwords(&stores, Fault::among_several, "password in a cluster").await;
}

fn in_memory() -> Stores {
    Box::new(|process| Arc::new(process.clone()))
}

#[tokio::test(start_paused = true)]
async fn nobody_is_locked_out_whom_the_provider_would_let_in() {
    play_all(in_memory, Fault::at, RUNS, ["exchange", "refresh"]).await;
}

/// Whose password is wrong is left to the provider's rule about failed logins, whatever else goes wrong.
#[tokio::test(start_paused = true)]
async fn no_fault_has_a_wrong_password_sent_often() {
    play_passwords(in_memory, Fault::at, "password").await;
}

#[tokio::test(start_paused = true)]
async fn nobody_is_locked_out_by_several_faults_in_a_row_either() {
    play_several(in_memory, Fault::at, 3 * RUNS).await;
}
