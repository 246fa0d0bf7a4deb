//! What a window of a million versions costs. `make bench-window` prints it, on a release build.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use chrono::TimeDelta;

use super::{
    tests::{PLENTY, Segments},
    *,
};
use crate::api;

const VERSIONS: u64 = 1_000_000;
const PAGE: u64 = 1_000;
/// Versions that share one updated date, as where many records change at once.
const PER_SECOND: u64 = 4;

fn fingerprint(number: u64) -> u64 {
    // SplitMix64: as evenly spread as a keyed hash is.
    let mut mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

fn settle(window: &mut Window, versions: std::ops::Range<u64>) {
    for number in versions {
        let second = i64::try_from(number / PER_SECOND).unwrap();
        let date = DateTime::UNIX_EPOCH + TimeDelta::seconds(1_700_000_000 + second);
        window.insert(fingerprint(number), date);
    }
}

fn store(window: &mut Window) -> api::Window {
    let since = DateTime::<Utc>::MIN_UTC;
    window.store("key".to_owned(), since, 2 * PLENTY).unwrap()
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let done = work();
    (done, begun.elapsed())
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Look-ups of a page's fingerprints; how many are known.
fn compare(window: &Window, page: std::ops::Range<u64>) -> usize {
    let known = page.filter(|number| window.contains(fingerprint(*number)));
    known.count()
}

fn page(what: &str, window: &Window, first: u64, known: usize) {
    const ROUNDS: u32 = 200;
    let (found, took) = timed(|| {
        (0..ROUNDS)
            .map(|_| compare(black_box(window), first..first + PAGE))
            .sum::<usize>()
    });
    assert_eq!(found, known * ROUNDS as usize);
    println!(
        "compare a page of {PAGE}, {what}: {:.1} µs",
        (took / ROUNDS).as_secs_f64() * 1e6
    );
}

#[test]
#[ignore = "figures of a release build: make bench-window"]
fn a_million_versions() {
    let mut segments = Segments::default();
    let mut window = Window::default();
    settle(&mut window, 0..VERSIONS);
    let (mut stored, took) = timed(|| store(&mut window));
    let written = segments.save(&mut window, &stored);
    let status = serde_json::to_vec(&stored).unwrap().len();
    println!(
        "first write: {took:?}, {} segments of {:.1} MB in all, {status} bytes in the status",
        stored.segments.len(),
        written as f64 / 1e6
    );

    for more in [1, 1_000, 10_000] {
        let versions = window.len() as u64;
        settle(&mut window, versions..versions + more);
        let took;
        (stored, took) = timed(|| store(&mut window));
        let unstored = segments.save(&mut window, &stored);
        println!("write of {more} new: {took:?}, {unstored} bytes of segments");
    }
    drop(window);

    let (window, took) = timed(|| segments.load(&stored).unwrap());
    println!("load: {took:?}");
    let (own, index) = (segments.bytes(), window.index.size());
    println!(
        "memory of the loaded window: {:.1} MiB of segments, {:.1} MiB to look up in",
        mib(own),
        mib(index)
    );
    page("all known", &window, VERSIONS / 2, PAGE as usize);
    page("none known", &window, 3 * VERSIONS, 0);
    let (restored, took) = timed(|| window.date(fingerprint(7)));
    println!("look up one date: {took:?}");
    assert!(restored.is_some());
    let mut window = window;
    let half = DateTime::UNIX_EPOCH
        + TimeDelta::seconds(1_700_000_000 + i64::try_from(VERSIONS / PER_SECOND / 2).unwrap());
    let ((), took) = timed(|| window.prune(half, |_| false));
    println!("drop the older half: {took:?}, {} left", window.len());
}
