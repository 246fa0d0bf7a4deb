//! One poller, ready to poll.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use chrono::{DateTime, Utc};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{
    Environment, Instance,
    plan::{interval, plan, resource},
    probed::{self, Probed},
    schedule::Grid,
    turn::Turn,
    unsupported::{unsupported_by_instance, unsupported_by_poller},
};
use crate::{
    api::{Checkpoint, ConnectorInstanceSpec, PollerResourceSpec, Subclasses},
    category::ConfigurationError,
    clock::Clock,
    poll::{self, CheckpointStore, Child, Edges, End, Held, Outcome, Plan},
    provider::{FetchError, Findings, ResourceSettings, ResourceSource},
};

/// Everything a poller is built from.
pub struct PollerSettings {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    /// metadata.creationTimestamp; locally, when it was first seen.
    pub created_at: DateTime<Utc>,
    pub spec: PollerResourceSpec,
    /// The other pollers of the instance.
    pub siblings: Vec<Sibling>,
}

/// Another poller of the same instance, as far as a parent's poller must know it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sibling {
    pub name: String,
    pub uid: String,
    pub spec: PollerResourceSpec,
    /// Where it started, once that is stored.
    pub started_at: Option<DateTime<Utc>>,
}

/// One poller, ready to poll.
pub struct Poller {
    name: String,
    instance: Arc<Instance>,
    plan: Plan,
    source: ResourceSource,
    grid: Grid,
    clock: Clock,
    /// Siblings that take a class of this poller's records, and the class.
    children: Vec<(Sibling, String)>,
    /// Whether the children had their chance to start.
    children_awaited: AtomicBool,
    /// What the specs ask for in vain.
    unsupported: Vec<String>,
    findings: OnceCell<Findings>,
    /// What the first row showed, where there was none to probe with.
    late_findings: OnceCell<Findings>,
}

impl Poller {
    /// Builds a poller; sends nothing.
    ///
    /// # Errors
    ///
    /// The resource, URL, a format or a field is wrong, or its instance has no callback.
    pub fn build(
        instance: &Arc<Instance>,
        settings: PollerSettings,
        environment: &Environment,
    ) -> Result<Self, ConfigurationError> {
        let source = source(instance, &settings.spec, &settings.name)?;
        if instance.callback.is_none() {
            return Err(ConfigurationError::new(
                "spec.instanceRef",
                format!(
                    "instance {:?} has no callback: write spec.events.callback.url there",
                    instance.name
                ),
            ));
        }
        let plan = plan(instance, &settings, &source)?;
        Ok(Self {
            grid: Grid::new(&settings.uid, interval(instance, &settings.spec)),
            children: children(instance, &settings, &source),
            children_awaited: AtomicBool::new(false),
            instance: instance.clone(),
            unsupported: unsupported(&instance.spec, &settings.spec),
            name: settings.name,
            plan,
            source,
            clock: environment.clock,
            findings: OnceCell::new(),
            late_findings: OnceCell::new(),
        })
    }

    /// How often it polls.
    #[must_use]
    pub const fn interval(&self) -> std::time::Duration {
        self.grid.interval()
    }

    /// The instance that it polls.
    #[must_use]
    pub const fn instance(&self) -> &Arc<Instance> {
        &self.instance
    }

    /// The siblings that take a class of its records, each with the class.
    #[must_use]
    pub fn children(&self) -> &[(Sibling, String)] {
        &self.children
    }

    /// Whether it asks what it asked when `checkpoint` was stored.
    pub(super) fn asks_as(&self, checkpoint: &Checkpoint) -> bool {
        checkpoint.query_fingerprint == self.plan.query_fingerprint
    }

    pub(super) const fn grid(&self) -> &Grid {
        &self.grid
    }

    pub(super) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Polls once: probes if need be, sweeps, delivers, stores.
    pub async fn poll<S: CheckpointStore>(
        &self,
        held: Option<Held>,
        store: &mut S,
        stop: &CancellationToken,
    ) -> Outcome {
        self.poll_in_span(held, store, stop)
            .instrument(self.span())
            .await
    }

    /// Named in every line that a poll logs, whichever level is asked for.
    fn span(&self) -> tracing::Span {
        let (namespace, poller) = (&self.plan.origin.namespace, &self.name);
        tracing::debug_span!(target: "pollen::poll", "poll", namespace, poller)
    }

    async fn poll_in_span<S: CheckpointStore>(
        &self,
        mut held: Option<Held>,
        store: &mut S,
        stop: &CancellationToken,
    ) -> Outcome {
        let polled = self.try_poll(&mut held, store, stop).await;
        let mut outcome = polled.unwrap_or_else(|end| Outcome {
            checkpoint: held,
            ..Outcome::of(end)
        });
        outcome.findings = self.findings();
        outcome.log();
        outcome
    }

    /// Polls once, unless the instance is held: then it ends as the poll did that showed why.
    pub async fn poll_unless_held<S: CheckpointStore>(
        &self,
        held: Option<Held>,
        store: &mut S,
        stop: &CancellationToken,
    ) -> Outcome {
        let turn = match Turn::take(&self.instance) {
            Ok(turn) => turn,
            Err(wait) => {
                return Outcome {
                    checkpoint: held,
                    ..Outcome::of(wait.into_end())
                };
            }
        };
        let outcome = self.poll(held, store, stop).await;
        turn.end(&outcome);
        outcome
    }

    /// Takes `held` once nothing stands in the poll's way.
    async fn try_poll<S: CheckpointStore>(
        &self,
        held: &mut Option<Held>,
        store: &mut S,
        stop: &CancellationToken,
    ) -> Result<Outcome, End> {
        let Some(callback) = &self.instance.callback else {
            return Err(End::Stopped);
        };
        let known = held.as_ref().map(|held| &held.checkpoint);
        self.probe(known, stop).await?;
        if held.is_none() {
            *held = Some(self.start(store, stop).await?.into());
        }
        if let Some(held) = held {
            self.instance
                .starts
                .record(&self.plan.uid, held.checkpoint.started_at);
        }
        let plan = self.plan_with_children(stop).await?;
        let Some(held) = held.take() else {
            return Err(End::Stopped);
        };
        let edges = Edges {
            source: &Probed {
                instance: &self.instance,
                source: &self.source,
                findings: self.findings.get(),
                rest: &self.late_findings,
            },
            callback,
            store,
        };
        Ok(poll::poll(&plan, held, edges, &self.clock, stop).await)
    }

    /// Where it starts, resolved once and stored.
    async fn start<S: CheckpointStore>(
        &self,
        store: &mut S,
        stop: &CancellationToken,
    ) -> Result<Checkpoint, End> {
        let _leave = self.instance.leave_to_ask().await;
        poll::start(&self.plan, &self.source, store, &self.clock, stop).await
    }

    /// Asks the provider, until it does, whether it understands the query.
    async fn probe(
        &self,
        checkpoint: Option<&Checkpoint>,
        stop: &CancellationToken,
    ) -> Result<(), End> {
        let now = self.clock.now();
        let from = match checkpoint {
            Some(checkpoint) => checkpoint.records.watermark - self.plan.reach,
            None => self.plan.start_instant(now, now),
        };
        let probing = self.findings.get_or_try_init(|| self.sound(from));
        tokio::select! {
            biased;
            () = stop.cancelled() => Err(End::Stopped),
            findings = probing => findings.map(drop).map_err(End::ProviderFailed),
        }
    }

    /// What probing found; a finding that forbids polling is an error, and is probed for again with
    /// the next poll, since it may be mended at the provider.
    async fn sound(&self, from: DateTime<Utc>) -> Result<Findings, FetchError> {
        let _leave = self.instance.leave_to_ask().await;
        probed::sound(self.source.probe(self.clock.now(), from).await?)
    }

    /// The plan, with where each child started by now. Before its first sweep a parent waits for
    /// children that are about to start, so that no record of theirs comes from both.
    async fn plan_with_children(&self, stop: &CancellationToken) -> Result<Plan, End> {
        if !self.children_awaited.swap(true, Ordering::Relaxed) {
            let starting: Vec<_> = self
                .children
                .iter()
                .filter(|(child, _)| is_starting(child))
                .collect();
            let uids: Vec<_> = starting
                .iter()
                .map(|(child, _)| child.uid.clone())
                .collect();
            tokio::select! {
                biased;
                () = stop.cancelled() => return Err(End::Stopped),
                () = self.instance.starts.wait_for(&uids) => {}
            }
        }
        Ok(self.plan_now())
    }

    /// The plan, with where each child started by now.
    pub(super) fn plan_now(&self) -> Plan {
        let mut plan = self.plan.clone();
        plan.children = self
            .children
            .iter()
            .map(|(child, class)| Child {
                class: class.clone(),
                started_at: self.instance.starts.of(&child.uid).or(child.started_at),
            })
            .collect();
        plan
    }

    pub(super) const fn source(&self) -> &ResourceSource {
        &self.source
    }

    fn findings(&self) -> Vec<String> {
        let probed = [&self.findings, &self.late_findings]
            .into_iter()
            .filter_map(OnceCell::get);
        self.source
            .notes()
            .iter()
            .chain(&self.unsupported)
            .chain(probed.flat_map(|findings| &findings.notes))
            .cloned()
            .collect()
    }
}

fn unsupported(instance: &ConnectorInstanceSpec, spec: &PollerResourceSpec) -> Vec<String> {
    let mut all = unsupported_by_poller(spec);
    let told = unsupported_by_instance(instance).into_iter();
    all.extend(told.map(|text| format!("its instance's {text}")));
    all
}

fn source(
    instance: &Arc<Instance>,
    spec: &PollerResourceSpec,
    name: &str,
) -> Result<ResourceSource, ConfigurationError> {
    let settings = ResourceSettings {
        resource: resource(spec, name).to_owned(),
        spec,
    };
    ResourceSource::new(instance.connection.clone(), &settings)
}

/// A child without a stored start that will poll.
fn is_starting(child: &Sibling) -> bool {
    child.started_at.is_none() && child.spec.suspend != Some(true)
}

/// The siblings that take a class of this poller's records: a child must ask for all of its class,
/// and a suspended one still counts (polling rule 17).
fn children(
    instance: &Arc<Instance>,
    settings: &PollerSettings,
    own: &ResourceSource,
) -> Vec<(Sibling, String)> {
    let classes = &instance.connection.connector().classes;
    // Most tables have no class below them: only where one has are the siblings worth a look each.
    let is_parent = |table: &str| classes.values().any(|parent| parent == table);
    if settings.spec.subclasses == Some(Subclasses::Include) || !own.table().is_some_and(is_parent)
    {
        return Vec::new();
    }
    let class_of = |sibling: &Sibling| {
        let source = source(instance, &sibling.spec, &sibling.name).ok()?;
        let class = source.table().filter(|_| source.unfiltered())?;
        (Some(class) != own.table() && own.covers(class)).then(|| class.to_owned())
    };
    let taken = settings
        .siblings
        .iter()
        .filter_map(|sibling| Some((sibling.clone(), class_of(sibling)?)));
    taken.collect()
}
