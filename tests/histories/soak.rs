//! Histories without end, or one again: `make soak`.

use std::{
    env,
    time::{Duration, Instant},
};

use crate::{play::History, report};

/// Seeds of the first history where none is given, so that the soak doesn't repeat the tests.
const FIRST: u64 = 1_000_000;

/// Failing histories after which it stops.
const ENOUGH: usize = 5;

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no whole number")),
    )
}

/// `SEED` plays one history and tells it; else from `FROM` on, `HISTORIES` of them or `MINUTES` long.
#[test]
#[ignore = "it runs for as long as it is told: make soak"]
fn soak() {
    if let Some(seed) = number("SEED") {
        println!("{}", report::of(seed));
        return;
    }
    let first = number("FROM").unwrap_or(FIRST);
    let last = number("HISTORIES").map_or(u64::MAX, |count| first + count);
    let minutes = number("MINUTES").unwrap_or(u64::MAX / 60);
    let begun = Instant::now();
    let mut failed = Vec::new();
    let mut seed = first;
    while seed < last
        && begun.elapsed() < Duration::from_secs(minutes * 60)
        && failed.len() < ENOUGH
    {
        if History::of(seed).play().is_some() {
            println!("{}", report::of(seed));
            failed.push(seed);
        }
        seed += 1;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let count = seed - first;
    println!(
        "{count} histories, seeds {first} to {}, in {seconds:.1} s ({:.0} a minute): {} violations {failed:?}",
        seed.saturating_sub(1),
        count as f64 / seconds * 60.0,
        failed.len(),
    );
    assert!(failed.is_empty(), "seeds {failed:?} violate an invariant");
}
