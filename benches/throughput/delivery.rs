//! Changes on their way: read, posted one at a time, acknowledged.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{
    Result,
    bare_sender::BareSender,
    cores::{Side, keep_to},
    measure::Turns,
    one_thread,
    pollen::{Poller, PollerSettings, callback},
    provider::{Framing, Provider},
    receiver::Receiver,
    report::Comparison,
    table::Table,
};

const EVENTS: usize = 10_000;
const ROUNDS: usize = 25;
/// Notifications in flight, and the share of the bare client's rate that is to be reached.
const GOALS: [(usize, f64); 2] = [(1, 0.80), (64, 0.60)];

/// Measures and prints.
pub(crate) fn run() -> Result<()> {
    let provider = Provider::start(Table::new(EVENTS, ""), Framing::Length)?;
    let receiver = Receiver::start()?;
    keep_to(Side::Client);
    let runtime = one_thread()?;
    for (in_flight, goal) in GOALS {
        runtime.block_on(compare(&provider, &receiver, in_flight, goal))?;
    }
    Ok(())
}

async fn compare(
    provider: &Provider,
    receiver: &Receiver,
    in_flight: usize,
    goal: f64,
) -> Result<()> {
    let settings = PollerSettings {
        in_flight,
        ..PollerSettings::of_pages(1_000)
    };
    let poller = Poller::new(provider.address(), &settings)?;
    let callback = callback(receiver.address())?;
    let begun = poller.start().await?;
    let earlier = receiver.connections();
    poller.poll(&begun, &callback).await?;
    let bodies = receiver.take_bodies();
    let bare = BareSender::new(receiver.address(), bodies.clone(), in_flight)?;
    let bare_connections = AtomicUsize::new(0);
    let bare_turn = async || {
        let before = receiver.connections();
        bare.send().await?;
        bare_connections.fetch_add(receiver.connections() - before, Ordering::Relaxed);
        Ok(())
    };

    let turns = Turns::take(
        ROUNDS,
        bare_turn,
        async || poller.poll(&begun, &callback).await.map(|_| ()),
        |()| checked(&bodies, &receiver.take_bodies()),
    )
    .await?;
    println!(
        "events: {EVENTS}, one in a notification of {} bytes, {in_flight} in flight, {ROUNDS} rounds; \
         pollen also reads them",
        bodies.iter().map(Vec::len).sum::<usize>() / bodies.len().max(1)
    );
    Comparison {
        things: "events",
        count: EVENTS,
        turns: &turns,
        goal,
    }
    .print();
    let bares = bare_connections.load(Ordering::Relaxed);
    reused(receiver.connections() - earlier - bares, in_flight)
}

/// Fails where Pollen made a connection that it had no use for: as many serve as are in flight at once.
fn reused(connections: usize, in_flight: usize) -> Result<()> {
    println!("connections of pollen: {connections} in all its rounds\n");
    if connections > in_flight {
        return Err(
            format!("{connections} connections were made for {in_flight} in flight").into(),
        );
    }
    Ok(())
}

/// Both clients must have posted as much.
fn checked(first: &[Vec<u8>], now: &[Vec<u8>]) -> Result<()> {
    let bytes = |bodies: &[Vec<u8>]| bodies.iter().map(Vec::len).sum::<usize>();
    if now.len() != EVENTS || bytes(now) != bytes(first) {
        return Err(format!("{} notifications were posted, not {EVENTS}", now.len()).into());
    }
    Ok(())
}
