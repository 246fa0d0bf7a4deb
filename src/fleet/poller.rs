//! One poller, ready to poll.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{
    Environment, Instance, Sibling, Stored, Taker,
    deletes::{Deletes, deletes, unlisted},
    kinship::Kinship,
    plan::{interval, plan, resource},
    probed::{self, Probed},
    remarks::Remarks,
    schedule::Grid,
    turn::Turn,
};
use crate::{
    api::{Checkpoint, PollerResourceSpec},
    category::ConfigurationError,
    clock::Clock,
    poll::{self, CheckpointStore, Edges, End, Held, Outcome, Plan, Progress},
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
    /// What the annotation `pollen.dev/confirm-deletes` says.
    pub confirmed_deletes: Option<String>,
    /// The other pollers of the instance.
    pub siblings: Vec<Sibling>,
    /// What is stored of this one.
    pub stored: Stored,
    /// What is still stored of pollers of the instance that are no more, with their uids.
    pub gone: Vec<(String, Stored)>,
}

/// What a sweep is for.
pub(super) enum Errand {
    Poll,
    /// A stretch of a replay, behind a poll that has done so much.
    Replay(Box<Progress>),
}

/// One poller, ready to poll.
pub struct Poller {
    name: String,
    pub(super) instance: Arc<Instance>,
    pub(super) plan: Plan,
    source: ResourceSource,
    grid: Grid,
    clock: Clock,
    kinship: Kinship,
    /// What is to be known of what the spec asks for.
    told: Vec<String>,
    /// Why it finds no deletions though it should.
    deletes_unavailable: Option<String>,
    /// Why it finds some of them alone, from the first record on that showed it.
    deletes_incomplete: OnceLock<String>,
    findings: OnceCell<Findings>,
    /// What the first row showed, where there was none to probe with.
    late_findings: OnceCell<Findings>,
    pub(super) remarks: Remarks,
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
        let Deletes {
            source,
            unavailable,
            finding,
        } = deletes(
            source(instance, &settings.spec, &settings.name)?,
            &settings.spec,
        )?;
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
            kinship: Kinship::new(instance, &settings, &source),
            instance: instance.clone(),
            told: finding.into_iter().collect(),
            deletes_unavailable: unavailable,
            deletes_incomplete: OnceLock::new(),
            name: settings.name,
            plan,
            source,
            clock: environment.clock,
            findings: OnceCell::new(),
            late_findings: OnceCell::new(),
            remarks: Remarks::default(),
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

    /// The siblings that take a class of its records.
    #[must_use]
    pub fn takers(&self) -> &[Taker] {
        self.kinship.takers()
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
    pub(super) fn span(&self) -> tracing::Span {
        let (namespace, poller) = (&self.plan.origin.namespace, &self.name);
        tracing::debug_span!(target: "pollen::poll", "poll", namespace, poller)
    }

    async fn poll_in_span<S: CheckpointStore>(
        &self,
        mut held: Option<Held>,
        store: &mut S,
        stop: &CancellationToken,
    ) -> Outcome {
        let known = held.as_ref().map(|held| &held.checkpoint);
        self.remarks.meet(known, &self.plan, &self.source);
        let polled = self.try_poll(&mut held, store, stop).await;
        let mut outcome = polled.unwrap_or_else(|end| Outcome {
            checkpoint: held,
            ..Outcome::of(end)
        });
        self.tell_of_deletes(&mut outcome.progress);
        outcome.log();
        let mut outcome = self.begin_replay(outcome, store, stop).await;
        outcome.findings = self.findings();
        self.remarks.make(&mut outcome, &self.plan);
        outcome
    }

    /// Adds to what a poll tells why deletions are not found, where that holds for every poll.
    fn tell_of_deletes(&self, progress: &mut Progress) {
        if let Some(class) = &progress.unlisted_class {
            self.deletes_incomplete.get_or_init(|| unlisted(class));
        }
        if let Some(why) = &self.deletes_unavailable {
            progress.deletes_unavailable = Some(why.clone());
        } else if progress.deletes_unavailable.is_none() {
            progress.deletes_unavailable = self.deletes_incomplete.get().cloned();
        }
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
        let known = held.as_ref().map(|held| &held.checkpoint);
        self.probe(known, stop).await?;
        if held.is_none() {
            *held = Some(self.start(store, stop).await?.into());
        }
        self.kinship.may_have_started();
        let outcome = self.sweep(held, Errand::Poll, store, stop).await?;
        self.kinship.may_have_started();
        Ok(outcome)
    }

    /// Sweeps, delivers, stores; takes `held` once nothing stands in the way.
    pub(super) async fn sweep<S: CheckpointStore>(
        &self,
        held: &mut Option<Held>,
        errand: Errand,
        store: &mut S,
        stop: &CancellationToken,
    ) -> Result<Outcome, End> {
        let Some(callback) = &self.instance.callback else {
            return Err(End::Stopped);
        };
        let mut sweep = tokio::select! {
            biased;
            () = stop.cancelled() => return Err(End::Stopped),
            sweep = self.kinship.sweep() => sweep,
        };
        let Some(held) = held.take() else {
            return Err(End::Stopped);
        };
        let plan = self.plan_among_kin(Some(&held.checkpoint));
        let edges = Edges {
            source: &Probed::new(
                &self.instance,
                &self.source,
                self.findings.get(),
                &self.late_findings,
            ),
            callback,
            store,
        };
        let outcome = match errand {
            Errand::Poll => poll::poll(&plan, held, edges, &self.clock, stop).await,
            Errand::Replay(polled) => {
                poll::replay(&plan, held, *polled, edges, &self.clock, stop).await
            }
        };
        if let Some(polled) = sweep.as_deref_mut() {
            *polled = Some(self.clock.now());
        }
        Ok(outcome)
    }

    /// Where it starts, resolved once and stored. A child whose parent has polled since the child was
    /// made starts at the provider's time: what is dated before may have come from the parent.
    async fn start<S: CheckpointStore>(
        &self,
        store: &mut S,
        stop: &CancellationToken,
    ) -> Result<Checkpoint, End> {
        let parents = tokio::select! {
            biased;
            () = stop.cancelled() => return Err(End::Stopped),
            parents = self.kinship.parents_at_rest() => parents,
        };
        let _leave = self.instance.leave_to_ask().await;
        let plan = self.kinship.starting(&self.plan, &parents);
        let checkpoint = poll::start(&plan, &self.source, store, &self.clock, stop).await?;
        self.kinship.may_have_started();
        Ok(checkpoint)
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

    /// The plan, with what the children have settled by now.
    pub(super) fn plan_among_kin(&self, checkpoint: Option<&Checkpoint>) -> Plan {
        self.kinship.among(&self.plan, checkpoint, &self.source)
    }

    pub(super) const fn source(&self) -> &ResourceSource {
        &self.source
    }

    pub(super) fn findings(&self) -> Vec<String> {
        let probed = [&self.findings, &self.late_findings]
            .into_iter()
            .filter_map(OnceCell::get);
        self.source
            .notes()
            .iter()
            .chain(&self.told)
            .chain(probed.flat_map(|findings| &findings.notes))
            .cloned()
            .collect()
    }
}

/// The source of a poller of `instance` called `name`.
pub(super) fn source(
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
