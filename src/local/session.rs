//! The pollers of a folder at work.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures::{StreamExt as _, future, stream};
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{
    assembly::Assembly,
    instance_state,
    manifests::Manifests,
    memory::Memory,
    problem::ObjectName,
    replays::Replays,
    report::{Report, Streams, counted},
    runner::Runner,
    secrets::{Followed, follow},
    state::{FileCheckpointStore, StateError, StateFolder},
};
use crate::fleet::Environment;

/// Pollers that poll at one time with `--once`; what the provider allows bounds them further.
const POLLS_AT_ONCE: usize = 64;

/// Everything that stays while pollers run.
pub(super) struct Session {
    pub(super) manifests: Manifests,
    pub(super) memory: Memory,
    pub(super) state: StateFolder,
    pub(super) environment: Environment,
}

impl Session {
    /// A report over the pollers.
    pub(super) fn report(&self, streams: Streams) -> Arc<Report> {
        let pollers = self.manifests.pollers.keys();
        let labels: Vec<_> = pollers.map(|name| self.label(name)).collect();
        Arc::new(Report::new(
            self.environment.clock,
            labels.iter().map(String::as_str),
            streams,
        ))
    }

    /// Runs the pollers, and says why some don't; returns whether every poll and delivery
    /// succeeded in the end.
    pub(super) async fn run(
        &self,
        assembly: Assembly,
        report: Arc<Report>,
        once: Option<Duration>,
        stop: CancellationToken,
    ) -> Result<bool, StateError> {
        let ended = CancellationToken::new();
        let states = self.keep_states(&assembly, &ended);
        let instances: Vec<_> = assembly.instances.values().cloned().collect();
        let mut followed = self.followed(&assembly);
        let runners = self.runners(assembly, &report)?;
        let count = counted(runners.len() as u64, "poller");
        let well = if let Some(patience) = once {
            let well = settle_all(runners, patience, &stop).await;
            followed
                .iter_mut()
                .for_each(|secret| secret.remind(&report));
            report.say(&format!(
                "{count} polled, {} delivered",
                counted(report.events(), "event")
            ));
            well
        } else {
            report.say(&format!(
                "{count} running; Ctrl-C stops, and a restart goes on from there"
            ));
            let (poker, poke) = watch::channel(0);
            let environment = self.environment.clone();
            let following = follow(
                followed,
                environment,
                Arc::clone(&report),
                poker,
                stop.clone(),
            );
            future::join(keep_polling(runners, &poke, &stop), following)
                .await
                .0
        };
        future::join_all(instances.iter().map(|instance| instance.rest())).await;
        ended.cancel();
        end_states(states, &report).await;
        Ok(well)
    }

    /// The pollers that are to poll; of the others the report says why they don't.
    fn runners(&self, assembly: Assembly, report: &Arc<Report>) -> Result<Vec<Runner>, StateError> {
        let mut runners = Vec::with_capacity(assembly.pollers.len());
        for (name, poller) in assembly.pollers {
            let label = self.label(&name);
            if let Some(reason) = self
                .manifests
                .pollers
                .get(&name)
                .and_then(|placed| self.manifests.idle(placed))
            {
                report.warn(&format!("{label} does not poll: {reason}"));
                continue;
            }
            let Some(record) = self.memory.pollers.get(&name).cloned() else {
                continue;
            };
            let replays = Replays::of(record.checkpoint.as_ref());
            let store = FileCheckpointStore::new(
                self.state.checkpoint_path(&name),
                self.state.segments(&name),
                record,
                self.memory.stored(&name),
            )?;
            let report = Arc::clone(report);
            runners.push(Runner::new(label, poller, store, replays, report));
        }
        Ok(runners)
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

    /// The Secrets of the instances, to be taken as they change.
    fn followed(&self, assembly: &Assembly) -> Vec<Followed> {
        let followed = assembly.instances.iter().filter_map(|(name, instance)| {
            let (secret, file, entries) = self.manifests.followed(name)?;
            let instance = Arc::clone(instance);
            Some(Followed {
                name: name.clone(),
                instance,
                secret,
                file,
                entries,
                shared_with: self.manifests.shared_with(name),
                reminded: None,
            })
        });
        followed.collect()
    }

    fn keep_states(
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
            tasks.spawn(instance_state::keep(
                path,
                record,
                instance.callback_digest().map(str::to_owned),
                instance.state(),
                ended.clone(),
            ));
        }
        tasks
    }
}

async fn end_states(mut states: JoinSet<Result<(), StateError>>, report: &Report) {
    while let Some(ended) = states.join_next().await {
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

/// Polls until `stop`, and whenever `poke` changes; returns whether every poller came to its end.
async fn keep_polling(
    runners: Vec<Runner>,
    poke: &watch::Receiver<u64>,
    stop: &CancellationToken,
) -> bool {
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
