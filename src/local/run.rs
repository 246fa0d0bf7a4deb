//! Running the manifests of a folder.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt as _, future, stream};
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{
    assembly::{Assembler, Assembly, instance_name},
    check, deferral,
    manifests::{Manifests, Placed},
    memory::Memory,
    problem::{ObjectName, Problem},
    report::{Report, counted},
    runner::Runner,
    state::{FileCheckpointStore, StateError, StateFolder},
};
use crate::{api::PollerResource, fleet::Environment};

/// Pollers that poll at one time with `--once`; what the provider allows bounds them further.
const POLLS_AT_ONCE: usize = 64;

/// What to run, and how.
pub struct Options {
    /// The folder of manifests.
    pub folder: PathBuf,
    /// The state folder; `.pollen` in the folder of manifests without it.
    pub state: Option<PathBuf>,
    /// Poll each poller once, retrying for so long; without it, run until stopped.
    pub once: Option<Duration>,
    pub environment: Environment,
}

/// Why nothing was run.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    #[error("{} in the manifests", counted(.0.len() as u64, "mistake"))]
    Invalid(Vec<Problem>),
    #[error(transparent)]
    State(#[from] StateError),
}

/// Runs the pollers of a folder; returns whether every poll and delivery succeeded in the end.
///
/// # Errors
///
/// A manifest is invalid, or the state folder cannot be used; then nothing was sent.
pub async fn run(options: Options, stop: CancellationToken) -> Result<bool, LocalError> {
    let Options {
        folder,
        state,
        once,
        environment,
    } = options;
    let root = state.unwrap_or_else(|| folder.join(".pollen"));
    let manifests = read(folder, &root, &environment).await?;
    let state = StateFolder::open(&root)?;
    let memory = Memory::recall(&manifests, &state, environment.clock.now())?;
    refuse(memory.forbidden_changes(&manifests, &state))?;
    let assembler = Assembler {
        manifests: &manifests,
        memory: &memory,
        state: &root,
        environment: &environment,
        secrets_may_be_elsewhere: false,
    };
    let (assembly, problems) = assembler.assemble().await;
    refuse(problems)?;
    memory.store_new(&state)?;
    let session = Session {
        manifests,
        memory,
        state,
        environment,
    };
    session.run(assembly, once, stop).await
}

/// Reads the manifests, and opens no state folder for those that are wrong.
async fn read(
    folder: PathBuf,
    state: &Path,
    environment: &Environment,
) -> Result<Manifests, LocalError> {
    let (manifests, problems) = Manifests::read(&[folder], Some(state));
    refuse(check::all_problems(&manifests, problems, environment, false).await)?;
    Ok(manifests)
}

fn refuse(problems: Vec<Problem>) -> Result<(), LocalError> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(LocalError::Invalid(problems))
    }
}

/// Everything that stays while pollers run.
struct Session {
    manifests: Manifests,
    memory: Memory,
    state: StateFolder,
    environment: Environment,
}

impl Session {
    async fn run(
        &self,
        assembly: Assembly,
        once: Option<Duration>,
        stop: CancellationToken,
    ) -> Result<bool, LocalError> {
        let labels: Vec<_> = self
            .manifests
            .pollers
            .keys()
            .map(|name| self.label(name))
            .collect();
        let report = Arc::new(Report::new(
            self.environment.clock,
            labels.iter().map(String::as_str),
        ));
        let ended = CancellationToken::new();
        let deferrals = self.keep_deferrals(&assembly, &ended);
        let instances: Vec<_> = assembly.instances.values().cloned().collect();
        let runners = self.runners(assembly, &report)?;
        let count = counted(runners.len() as u64, "poller");
        let well = if let Some(patience) = once {
            let well = settle_all(runners, patience, &stop).await;
            report.say(&format!(
                "{count} polled, {} delivered",
                counted(report.events(), "event")
            ));
            well
        } else {
            report.say(&format!(
                "{count} running; Ctrl-C stops, and a restart goes on from there"
            ));
            keep_polling(runners, &stop).await
        };
        future::join_all(instances.iter().map(|instance| instance.rest())).await;
        ended.cancel();
        end_deferrals(deferrals, &report).await;
        Ok(well)
    }

    /// The pollers that are to poll; of the others the report says why they don't.
    fn runners(&self, assembly: Assembly, report: &Arc<Report>) -> Result<Vec<Runner>, LocalError> {
        let mut runners = Vec::with_capacity(assembly.pollers.len());
        for (name, poller) in assembly.pollers {
            let label = self.label(&name);
            if let Some(reason) = self
                .manifests
                .pollers
                .get(&name)
                .and_then(|placed| self.idle(placed))
            {
                report.warn(&format!("{label} does not poll: {reason}"));
                continue;
            }
            let Some(record) = self.memory.pollers.get(&name).cloned() else {
                continue;
            };
            let store = FileCheckpointStore::new(self.state.checkpoint_path(&name), record)?;
            runners.push(Runner {
                label,
                poller,
                store,
                report: Arc::clone(report),
            });
        }
        Ok(runners)
    }

    /// Why a poller is not to poll.
    fn idle(&self, placed: &Placed<Box<PollerResource>>) -> Option<&'static str> {
        let instance = &self
            .manifests
            .instances
            .get(&instance_name(placed))?
            .object
            .spec;
        let events = instance.events.as_ref().and_then(|events| events.enabled);
        match (placed.object.spec.suspend, instance.suspend, events) {
            (Some(true), ..) => Some("it is suspended by its spec.suspend"),
            (_, Some(true), _) => Some("its instance is suspended by spec.suspend"),
            (.., None | Some(false)) => {
                Some("events are off: set spec.events.enabled: true on its instance")
            }
            _ => None,
        }
    }

    /// The poller's name, with its namespace where there are several.
    fn label(&self, name: &ObjectName) -> String {
        let namespaces: BTreeSet<_> = self
            .manifests
            .pollers
            .keys()
            .map(|name| &name.namespace)
            .collect();
        if namespaces.len() > 1 {
            name.to_string()
        } else {
            name.name.clone()
        }
    }

    fn keep_deferrals(
        &self,
        assembly: &Assembly,
        ended: &CancellationToken,
    ) -> JoinSet<Result<(), StateError>> {
        let mut tasks = JoinSet::new();
        for (name, instance) in &assembly.instances {
            let Some(record) = self.memory.instances.get(name).cloned() else {
                continue;
            };
            let path = self.state.instance_path(name);
            tasks.spawn(deferral::keep(
                path,
                record,
                instance.state(),
                ended.clone(),
            ));
        }
        tasks
    }
}

async fn end_deferrals(mut deferrals: JoinSet<Result<(), StateError>>, report: &Report) {
    while let Some(ended) = deferrals.join_next().await {
        if let Ok(Err(error)) = ended {
            report.warn(&error.to_string());
        }
    }
}

async fn settle_all(runners: Vec<Runner>, patience: Duration, stop: &CancellationToken) -> bool {
    let polls = stream::iter(runners).map(|runner| runner.settle(patience, stop));
    polls
        .buffer_unordered(POLLS_AT_ONCE)
        .fold(true, async |well, settled| well && settled)
        .await
}

/// Polls until `stop`; returns whether every poller came to its end.
async fn keep_polling(runners: Vec<Runner>, stop: &CancellationToken) -> bool {
    let (_poker, poke) = watch::channel(0);
    let mut tasks = JoinSet::new();
    for runner in runners {
        tasks.spawn(runner.keep_polling(poke.clone(), stop.clone()));
    }
    let mut well = true;
    while let Some(ended) = tasks.join_next().await {
        well &= ended.is_ok();
    }
    well
}
