//! Random histories of changes, polls and faults against the engine, checked against its
//! invariants (`docs/histories.md`).
//!
//! A seed draws a provider's ways, a poller's spec and fifty steps, with faults at the await points
//! of each poll. All of it runs in memory under a paused clock, so that a history takes a
//! millisecond and is the same every time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod invariants;
mod play;
mod process;
mod random;
mod report;
mod settings;
mod shrink;
mod soak;
mod steps;
mod world;

use play::History;

/// Histories in every run of the tests.
const SEEDS: std::ops::Range<u64> = 0..700;

#[test]
fn no_history_of_changes_and_faults_violates_an_invariant() {
    for seed in SEEDS {
        if let Some(violation) = History::of(seed).play() {
            // What breaks the engine on purpose asks for no more than this.
            let is_short = std::env::var_os("UNSHRUNK").is_some();
            assert!(!is_short, "seed {seed} violates {}", violation.invariant);
            panic!("{}", report::of(seed));
        }
    }
}

#[test]
fn a_seed_stands_for_one_history() {
    let history = History::of(7);
    assert_eq!(history, History::of(7));
    assert_ne!(history, History::of(8));
    assert_eq!(history.trace(), History::of(7).trace());
}
