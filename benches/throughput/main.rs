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

/// Measures and prints.
type Part = fn() -> Result<()>;

/// The parts, in the order in which they run.
const PARTS: [(&str, Part); 3] = [
    ("memory", memory::run),
    ("unchanged", unchanged::run),
    ("delivery", delivery::run),
];

fn main() -> Result<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments
        .first()
        .is_some_and(|first| first == memory::CLIENT)
    {
        return memory::client(arguments.into_iter().skip(1));
    }
    // `cargo bench` says so; `cargo test --all-targets` starts benches too, without.
    let Some(flag) = arguments.iter().position(|argument| argument == "--bench") else {
        return Ok(());
    };
    arguments.remove(flag);
    run(&arguments)
}

/// Runs the parts that `asked` names, or all where it names none.
fn run(asked: &[String]) -> Result<()> {
    let is_part = |name: &String| PARTS.iter().any(|(part, _)| part == name);
    if let Some(unknown) = asked.iter().find(|name| !is_part(name)) {
        let names = PARTS.map(|(name, _)| name).join(", ");
        return Err(format!("{unknown:?} is no part: there are {names}").into());
    }
    for (name, part) in PARTS {
        if asked.is_empty() || asked.iter().any(|asked| asked == name) {
            part()?;
        }
    }
    Ok(())
}

/// A runtime on the calling thread alone.
fn one_thread() -> Result<Runtime> {
    Ok(runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}
