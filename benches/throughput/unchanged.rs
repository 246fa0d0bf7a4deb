//! Records that did not change: read, compared and dropped.

use crate::{
    Result,
    bare_reader::BareReader,
    cores::{Side, keep_to},
    edges::Acknowledging,
    measure::Turns,
    one_thread,
    pollen::{Poller, PollerSettings},
    provider::{Framing, Provider, Served},
    report::Comparison,
    table::Table,
};

const RECORDS: usize = 100_000;
const PAGE: u32 = 1_000;
const ROUNDS: usize = 25;
/// Of the bare client's records per second.
const GOAL: f64 = 0.65;

/// What one reading of all pages came to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Read {
    /// Records in all pages, those that two pages share counted twice.
    pub(crate) records: usize,
    /// Of these, versions not seen before.
    pub(crate) changes: usize,
}

/// Measures and prints.
pub(crate) fn run() -> Result<()> {
    let provider = Provider::start(Table::new(RECORDS, ""), Framing::Length)?;
    let pinned = keep_to(Side::Client);
    one_thread()?.block_on(compare(&provider, pinned))
}

async fn compare(provider: &Provider, pinned: bool) -> Result<()> {
    let poller = Poller::new(provider.address(), &PollerSettings::of_pages(PAGE))?;
    let begun = poller.start().await?;
    provider.take_served();
    let (_, settled) = poller.poll(&begun, &Acknowledging).await?;
    let served = provider.take_served();
    let mut bare = BareReader::connect(provider.address(), served.targets.clone()).await?;
    bare.read().await?;
    provider.take_served();

    let mut records = 0;
    let turns = Turns::take(
        ROUNDS,
        async || bare.read().await,
        async || Ok(poller.poll(&settled, &Acknowledging).await?.0),
        |read| {
            records = checked(read, &served, &provider.take_served())?;
            Ok(())
        },
    )
    .await?;
    println!(
        "unchanged records: {records} of {} bytes in {} pages, {ROUNDS} rounds, {}",
        served.bytes / records.max(1),
        served.targets.len(),
        if pinned {
            "a core for each side"
        } else {
            "cores shared by both sides"
        },
    );
    Comparison {
        things: "records",
        count: records,
        turns: &turns,
        goal: GOAL,
    }
    .print();
    Ok(())
}

/// Both clients must ask for the same, read the same, and find nothing changed.
fn checked(read: Read, first: &Served, now: &Served) -> Result<usize> {
    if now != first {
        return Err("a client asked for other pages than the first poll did".into());
    }
    if read.changes > 0 || read.records < RECORDS {
        return Err(format!("{read:?}, where {RECORDS} unchanged records are").into());
    }
    Ok(read.records)
}
