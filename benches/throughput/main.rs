//! How fast Pollen is beside a bare client in the same run, and what memory a page costs.
//!
//! `make bench` runs it; CONTRIBUTING.md says how to read it.

mod bare_reader;
mod bare_sender;
mod cores;
mod delivery;
mod edges;
mod measure;
mod memory;
mod pollen;
mod provider;
mod receiver;
mod report;
mod table;
mod unchanged;

use std::error::Error;

use tokio::runtime::{self, Runtime};

/// A bench fails by saying why.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("--bench") => {
            memory::run()?;
            unchanged::run()?;
            delivery::run()
        }
        Some(memory::CLIENT) => memory::client(arguments),
        // `cargo test --all-targets` starts benches too, without an argument.
        _ => Ok(()),
    }
}

/// A runtime on the calling thread alone.
fn one_thread() -> Result<Runtime> {
    Ok(runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}
