//! Running the manifests of a folder.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{
    assembly::Assembler,
    check,
    manifests::Manifests,
    memory::Memory,
    problem::Problem,
    report::{Streams, counted},
    session::Session,
    state::{StateError, StateFolder},
};
use crate::fleet::Environment;

/// What to run, and how.
pub struct Options {
    /// The folder of manifests.
    pub folder: PathBuf,
    /// The state folder; `.pollen` in the folder of manifests without it.
    pub state: Option<PathBuf>,
    /// Poll each poller once, retrying for so long; without it, run until stopped.
    pub once: Option<Duration>,
    pub environment: Environment,
    /// Where the lines for the person who watches go.
    pub streams: Streams,
}

/// Why nothing was run.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    #[error("{} in the manifests", counted(.0.len() as u64, "mistake"))]
    Invalid(Vec<Problem>),
    #[error(transparent)]
    State(#[from] StateError),
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Every poll and delivery succeeded in the end.
    Well,
    /// A poll or a delivery failed, or what is remembered of a poller cannot be used.
    Failed,
    /// A manifest is invalid; the others were run.
    Invalid,
}

/// Runs the pollers of a folder. One that is invalid is reported, and keeps no other from running.
///
/// # Errors
///
/// No poller is valid, or the state folder cannot be used; then nothing was sent.
pub async fn run(options: Options, stop: CancellationToken) -> Result<Ended, LocalError> {
    let Options {
        folder,
        state,
        once,
        environment,
        streams,
    } = options;
    let root = state.unwrap_or_else(|| folder.join(".pollen"));
    let (manifests, problems) = read(folder, &root, &environment).await?;
    let state = StateFolder::open(&root)?;
    let now = environment.clock.now();
    let (mut memory, unusable) = Memory::recall(&manifests, &state, now);
    memory.restart(once.is_some(), now);
    let assembler = Assembler {
        manifests: &manifests,
        memory: &memory,
        state: &root,
        environment: &environment,
        secrets_may_be_elsewhere: false,
    };
    let (mut assembly, found) = assembler.assemble().await;
    let mut problems = check::sorted(problems, found);
    for (object, problem) in memory.forbidden_changes(&manifests, &state) {
        assembly.leave_out(&manifests, &object);
        problems.push(problem);
    }
    memory.store_new(&state)?;
    let session = Session {
        manifests,
        memory,
        state,
        environment,
    };
    let report = session.report(streams);
    let doubts = check::doubts(&session.manifests, &assembly);
    let left_out = &session.manifests.left_out;
    let odd = left_out.iter().chain(&doubts);
    odd.for_each(|odd| report.warn(&odd.to_string()));
    problems.iter().for_each(|problem| report.complain(problem));
    unusable.iter().for_each(|error| report.complain(error));
    let run = session.run(assembly, report, once, stop);
    let well = run.await? && unusable.is_empty();
    Ok(match (problems.is_empty(), well) {
        (false, _) => Ended::Invalid,
        (true, true) => Ended::Well,
        (true, false) => Ended::Failed,
    })
}

/// Reads the manifests; where no poller is valid, no state folder is opened for them.
async fn read(
    folder: PathBuf,
    state: &Path,
    environment: &Environment,
) -> Result<(Manifests, Vec<Problem>), LocalError> {
    let (manifests, problems) = Manifests::read(&[folder], Some(state));
    let (assembly, found) = check::assemble(&manifests, environment, false).await;
    let is_invalid = !problems.is_empty() || !found.is_empty();
    if is_invalid && assembly.pollers.is_empty() {
        return Err(LocalError::Invalid(check::sorted(problems, found)));
    }
    Ok((manifests, problems))
}
