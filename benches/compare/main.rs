//! Pollen beside airbyte-cdk and dlt: the same scenarios against the same simulated ServiceNow.
//!
//! `make compare` runs it and writes `docs/compare.md`; `peers/` has what each of them is told.

mod judge;
mod page;
mod peer;
mod scenario;
mod world;

use std::{error::Error, path::PathBuf};

use judge::Verdict;
use page::Page;
use peer::Peer;
use scenario::Scenario;
use simulator::servicenow::Instance;
use world::World;

/// A comparison that cannot be made says why.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const PAGE: &str = "docs/compare.md";

#[tokio::main]
async fn main() -> Result<()> {
    // `cargo test --all-targets` starts benches too, without an argument.
    let Some(python) = std::env::args().skip(1).find(|each| each != "--bench") else {
        return Ok(());
    };
    let peers = Peer::all(&PathBuf::from(python));
    let mut page = Page::new(&peers, Instance::new().now().date_naive());
    for scenario in scenario::ALL {
        let mut verdicts = Vec::new();
        for peer in &peers {
            verdicts.push(play(scenario, peer).await?);
        }
        page.add(scenario, &verdicts);
    }
    std::fs::write(PAGE, page.to_string())?;
    println!("\nwritten into {PAGE}");
    Ok(())
}

async fn play(scenario: &Scenario, peer: &Peer) -> Result<Verdict> {
    let mut world = World::new(peer, scenario.lookback).await?;
    scenario.act.play(&mut world).await?;
    let verdict = Verdict::of(&world);
    println!("{:4} {:28} {verdict}", scenario.id, peer.name);
    Ok(verdict)
}
