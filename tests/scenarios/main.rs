//! The scenarios of this folder, each played in memory and over sockets (`docs/scenarios.md`).

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its own functions too"
)]

mod format;
mod play;
mod table;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use libtest_mimic::{Arguments, Conclusion, Failed, Trial};
use tokio::runtime;

use format::Scenario;
use play::Place;
use table::Results;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let results = Arc::new(Results::default());
    let (mut unreadable, mut scenarios) = (Vec::new(), Vec::new());
    for path in files() {
        let name = path.file_stem().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        match Scenario::read(&path) {
            Ok(scenario) => scenarios.push((name, Arc::new(scenario))),
            Err(error) => unreadable.push(Trial::test(name, || Err(Failed::from(error)))),
        }
    }
    let all_read = unreadable.is_empty();
    unreadable.extend(format::trials());
    let trials = |place| {
        let playable = scenarios
            .iter()
            .filter(move |(_, scenario)| scenario.is_playable(place));
        playable.map(move |(name, scenario)| (name.clone(), scenario.clone(), place))
    };
    let trial = |(name, scenario, place)| self::trial(name, scenario, place, results.clone());
    let in_memory = trials(Place::InMemory).map(trial);
    let over_sockets = trials(Place::OverSockets).map(trial);
    // One after the other: a process that is being started has this one's locks until it is
    // another, and the next run in memory would find its state folder in use.
    let in_memory = libtest_mimic::run(
        &arguments,
        unreadable.into_iter().chain(in_memory).collect(),
    );
    let over_sockets = libtest_mimic::run(&arguments, over_sockets.collect());
    let table = Trial::test("table", move || match all_read {
        true => results.check(&scenarios).map_err(Failed::from),
        false => Ok(()),
    });
    let table = libtest_mimic::run(&arguments, vec![table]);
    let failed = [in_memory, over_sockets, table]
        .iter()
        .any(Conclusion::has_failed);
    ExitCode::from(u8::from(failed))
}

/// The scenarios' files, by name.
fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    files.sort();
    files
}

/// A scenario in one place.
fn trial(name: String, scenario: Arc<Scenario>, place: Place, results: Arc<Results>) -> Trial {
    let prefix = match place {
        Place::InMemory => "in_memory",
        Place::OverSockets => "over_sockets",
    };
    Trial::test(format!("{prefix}::{name}"), move || {
        let played = runtime(place).block_on(play::play(&scenario, place));
        results.note(&name, place, played.is_ok());
        let title = &scenario.title;
        played.map_err(|error| format!("{title}\n  tests/scenarios/{name}.yaml, {error}").into())
    })
}

/// In memory time stands still unless everybody waits for it.
fn runtime(place: Place) -> runtime::Runtime {
    let mut builder = runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(place == Place::InMemory);
    // What waits for the disk comes one after the other, so that a kill can wait for the last of it.
    builder.max_blocking_threads(1);
    builder.build().unwrap()
}
