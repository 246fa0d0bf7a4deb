//! Half an hour of ten instances, one of whose callbacks dies and comes back: simulated, in memory
//! and under a paused clock, beside the same half hour in which none dies.
//!
//! `make outage` prints what it came to.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod delays;
#[path = "../scenarios/play/hosts.rs"]
mod hosts;
mod pollen_at_work;
mod stores;
mod tenant;
mod timeline;

use std::time::Duration;

use chrono::{DateTime, Utc};
use simulator::Clock;

use delays::Delays;
use tenant::{Behaviour, Tenant};
use timeline::{Minute, Timeline};

/// Instances, of which the first one's callback dies.
const TENANTS: usize = 10;
const MINUTES: usize = 30;
/// The callback dies here, and is well again from there on.
const DIES: usize = 5;
const RECOVERS: usize = 18;
/// From here on until then some posts get through.
const FLAPS: usize = 16;
/// The longest pause between two probes, one more poll interval, and the time it takes to send what
/// has piled up.
const DRAINED: usize = RECOVERS + 7;

/// How far apart changes are at each provider: seconds, or what `EACH` says.
fn each() -> u64 {
    let given = std::env::var("EACH").ok();
    given.and_then(|seconds| seconds.parse().ok()).unwrap_or(5)
}

/// What half an hour came to.
struct HalfHour {
    tenants: Vec<Tenant>,
    timeline: Vec<Minute>,
}

async fn half_hour(dying: Behaviour) -> HalfHour {
    let clock = Clock::starting_at(begin());
    let tenant = |index| match index {
        0 => Tenant::new(clock, index, dying),
        _ => Tenant::new(clock, index, Behaviour::Well),
    };
    let tenants: Vec<_> = (0..TENANTS).map(tenant).collect();
    let pollen = pollen_at_work::start(begin(), &tenants).await;
    let writers: Vec<_> = tenants.iter().map(Tenant::write).collect();
    let mut timeline = Timeline::begin();
    for _ in 0..MINUTES {
        tokio::time::sleep(Duration::from_secs(60)).await;
        timeline.note(&tenants[0], &pollen);
    }
    writers.iter().for_each(|writer| writer.abort());
    // What was written in the last seconds is on its way.
    tokio::time::sleep(Duration::from_secs(30)).await;
    pollen.stop().await;
    HalfHour {
        tenants,
        timeline: timeline.minutes,
    }
}

fn begin() -> DateTime<Utc> {
    "2026-01-02T09:00:00Z".parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_dying_callback_delays_nobody_else_and_its_backlog_drains_in_order() {
    let quiet = half_hour(Behaviour::Well).await;
    let outage = half_hour(Behaviour::Dying).await;
    let healthy = |run: &HalfHour| Delays::of(&run.tenants[1..]);
    let (before, beside) = (healthy(&quiet), healthy(&outage));
    println!("delays of the nine healthy instances, from change to arrival");
    println!("  without the dying one: {before}");
    println!("  beside the dying one:  {beside}");
    println!("the dying one: {}", Delays::of(&outage.tenants[..1]));
    println!("{}", Timeline::table(&outage.timeline, &quiet.timeline));

    assert_eq!(before.events, beside.events);
    for (quiet, outage) in [
        (before.median, beside.median),
        (before.p99, beside.p99),
        (before.longest, beside.longest),
    ] {
        assert!(
            outage <= quiet + Duration::from_millis(10),
            "{outage:?} is more than {quiet:?}"
        );
    }
    for tenant in &outage.tenants {
        tenant.has_everything_in_order_and_once();
    }
    judge_outage(&outage.timeline);
    memory_is_bounded(&outage.timeline, &quiet.timeline);
}

/// What piles up stays at the provider: the process grows as it does where nothing dies, by what both
/// ends keep of all that passed.
fn memory_is_bounded(outage: &[Minute], quiet: &[Minute]) {
    const TOLERATED: u64 = 16 << 20;
    for (minute, beside) in outage.iter().zip(quiet) {
        let (grown, quiet) = (minute.grown, beside.grown);
        assert!(
            grown <= quiet + TOLERATED,
            "{grown} bytes more, {quiet} where nothing dies"
        );
    }
}

fn judge_outage(timeline: &[Minute]) {
    let down = &timeline[DIES..RECOVERS];
    let (posts, pages) = timeline[DIES..FLAPS]
        .iter()
        .fold((0, 0), |(posts, pages), minute| {
            (posts + minute.posts, pages + minute.pages)
        });
    // Eleven minutes: a few attempts of each probe, and probes that come minutes apart.
    assert!(
        (5..=100).contains(&posts),
        "{posts} posts while it was down"
    );
    assert!(
        pages <= 40,
        "{pages} pages were read while nothing could be sent"
    );
    // Between its last two failures some may get through.
    let piled_up = down.iter().map(|minute| minute.backlog).max().unwrap();
    let expected = 10 * 60 / each() as usize;
    assert!(piled_up >= expected, "{piled_up} changes piled up");
    for minute in &timeline[DRAINED..] {
        let of_two_polls = 20 / each() as usize;
        assert!(
            minute.backlog <= of_two_polls + 1,
            "{} changes wait",
            minute.backlog
        );
    }
    for minute in timeline {
        assert!(
            minute.checkpoint <= 16 * 1024,
            "{} bytes stored",
            minute.checkpoint
        );
    }
}
