//! The instance at work.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::{sync::watch, time::Instant};

use super::{Retry, Worker, poller::PollerWork};
use crate::{
    api::{ConnectorInstance, ConnectorInstanceSpec},
    fleet::{self, Instance, InstanceSettings, InstanceState},
    operator::{
        budget::Write,
        cache::{Group, InstanceItem},
        named_secrets::Digests,
        plan::{self, Plan},
        status::{StatusWriter, WriteError, conditions::Standing},
        verdict,
    },
};

/// The default of `spec.events.refreshInterval`.
const REFRESH_INTERVAL: Duration = Duration::from_secs(15 * 60);

/// What a worker keeps of its instance.
pub(super) struct InstanceWork {
    uid: String,
    pub(super) writer: StatusWriter<ConnectorInstance>,
    /// The generation whose Secrets were read.
    seen: Option<i64>,
    /// This process has built it: what is stored of its callback is no news of an earlier one.
    built: bool,
    running: Option<Running>,
}

/// An instance that was built and whose pollers may poll.
pub(super) struct Running {
    generation: i64,
    /// Of the Secrets that it uses.
    digests: Digests,
    pub(super) instance: Arc<Instance>,
    state: watch::Receiver<InstanceState>,
    /// A poll of it has ended.
    pub(super) answered: Arc<AtomicBool>,
    /// Since when something has failed.
    failing_since: Option<Instant>,
}

impl Running {
    pub(super) fn state(&self) -> InstanceState {
        self.state.borrow().clone()
    }

    /// Whether what fails has failed for three of the instance's intervals.
    pub(super) fn is_overdue(&mut self, state: &InstanceState, item: &InstanceItem) -> bool {
        let fails = matches!(state.authenticated, Some(Err(_)))
            || state.unreached.is_some()
            || matches!(state.callback, Some(Err(_)))
            || state.deferred_until.is_some();
        if !fails {
            self.failing_since = None;
            return false;
        }
        let interval = item
            .spec
            .events
            .as_ref()
            .and_then(|events| events.refresh_interval);
        let interval = interval.map_or(REFRESH_INTERVAL, |interval| interval.0);
        self.failing_since
            .get_or_insert_with(Instant::now)
            .elapsed()
            >= interval * verdict::MISSED
    }

    pub(super) fn has_answered(&self) -> bool {
        self.answered.load(Ordering::SeqCst)
    }
}

impl InstanceWork {
    pub(super) const fn new(uid: String, writer: StatusWriter<ConnectorInstance>) -> Self {
        Self {
            uid,
            writer,
            seen: None,
            built: false,
            running: None,
        }
    }

    pub(super) fn uid(&self) -> &str {
        &self.uid
    }

    pub(super) fn has_seen(&self, item: &InstanceItem) -> bool {
        self.seen == Some(item.generation)
    }

    pub(super) const fn running(&self) -> Option<&Running> {
        self.running.as_ref()
    }

    pub(super) const fn running_mut(&mut self) -> Option<&mut Running> {
        self.running.as_mut()
    }

    pub(super) fn state_mut(&mut self) -> Option<&mut watch::Receiver<InstanceState>> {
        self.running.as_mut().map(|running| &mut running.state)
    }

    pub(super) fn events_enabled_at(&self) -> Option<DateTime<Utc>> {
        self.writer.status().events_enabled_at
    }
}

impl Worker {
    /// Builds the instance as planned, or lets it rest; its pollers are stopped whenever it
    /// changes. The plan that is answered with shows a build that failed as a rest.
    pub(super) async fn apply_instance(
        &mut self,
        group: &Group,
        planned: Option<Plan>,
    ) -> Result<Option<Plan>, Retry> {
        let (Some(item), Some(Plan::Run)) = (&group.instance, &planned) else {
            self.rest().await;
            return Ok(planned);
        };
        if self.is_current(item) || self.renew(item).await {
            self.resume_if_asked(item);
            return Ok(planned);
        }
        self.rest().await;
        match self.settle_start(item).await {
            Ok(()) => Ok(Some(self.build(item).await)),
            Err(WriteError::Refused(refusal)) => Ok(Some(Plan::Rest(Standing::stalled(
                refusal.reason,
                refusal.message,
            )))),
            Err(error) => Err(Retry(format!(
                "the status of ConnectorInstance {}: {error}",
                item.key
            ))),
        }
    }

    fn is_current(&self, item: &InstanceItem) -> bool {
        let running = self.instance.as_ref().and_then(InstanceWork::running);
        running.is_some_and(|running| {
            running.generation == item.generation && running.digests == self.digests()
        })
    }

    fn digests(&self) -> Digests {
        let credentials = self.credentials.as_ref();
        credentials.map_or_else(Digests::new, |credentials| credentials.digests.clone())
    }

    /// Lets the instance authenticate with what has changed in its Secret, while its pollers go on, and has
    /// these poll at once. False where more has changed, or what is there now cannot be used: it is built anew then, which says why.
    async fn renew(&mut self, item: &InstanceItem) -> bool {
        let digests = self.digests();
        let (Some(credentials), Some(work)) = (&self.credentials, &mut self.instance) else {
            return false;
        };
        let Some(running) = &mut work.running else {
            return false;
        };
        if running.generation != item.generation
            || !fleet::uses_beside_authentication(&item.spec).is_empty()
            || !differ_in_authentication(&running.digests, &digests, &item.spec)
        {
            return false;
        }
        let secrets = credentials.secrets.clone();
        let environment = &self.shared.environment;
        if running.instance.renew(secrets, environment).await.is_err() {
            return false;
        }
        tracing::info!(instance = %item.key, "its Secret has changed, and is used from now on");
        running.digests = digests;
        // Some sleep after a failure of their own, up to their interval.
        self.pollers.values().for_each(PollerWork::poll_now);
        true
    }

    /// Stops all pollers and takes the instance down.
    pub(super) async fn rest(&mut self) {
        self.stop_pollers().await;
        if let Some(work) = &mut self.instance {
            work.running = None;
        }
    }

    /// Stores when events were first switched on, before any poller starts from there.
    async fn settle_start(&mut self, item: &InstanceItem) -> Result<(), WriteError> {
        let Some(work) = &mut self.instance else {
            return Ok(());
        };
        work.seen = Some(item.generation);
        let mut next = work.writer.status().clone();
        next.controller_name = Some(self.shared.owner.clone());
        next.events_enabled_at = plan::events_enabled_at(item, &next, self.shared.clock.now());
        work.writer.write(next, Write::Checkpoint).await
    }

    async fn build(&mut self, item: &InstanceItem) -> Plan {
        let digests = self.digests();
        let Some(work) = &mut self.instance else {
            return Plan::Run;
        };
        let status = work.writer.status();
        // A person who has edited something wants to see what comes of it.
        let held_callback = (!work.built)
            .then(|| status.held_callback.clone())
            .flatten();
        work.built = true;
        let settings = InstanceSettings {
            namespace: item.key.namespace.clone(),
            name: item.key.name.clone(),
            spec: item.spec.clone(),
            secrets: self
                .credentials
                .as_ref()
                .map(|credentials| credentials.secrets.clone())
                .unwrap_or_default(),
            tokens: Arc::new(self.shared.tokens.of(&item.key)),
            renewals: self.shared.renewals.of(&item.key),
            deferred_until: work.writer.status().deferred_until,
            gone_callback: plan::gone_callback(item, work.writer.status()),
            held_callback,
        };
        match Instance::build(settings, &self.shared.environment).await {
            Ok(instance) => {
                let state = instance.state();
                let generation = item.generation;
                work.running = Some(Running {
                    generation,
                    digests,
                    instance,
                    state,
                    answered: Arc::default(),
                    failing_since: None,
                });
                Plan::Run
            }
            Err(error) => Plan::Rest(verdict::of_configuration(&error)),
        }
    }

    fn resume_if_asked(&self, item: &InstanceItem) {
        let Some(work) = &self.instance else { return };
        let handled = work.writer.status().last_handled_resume.as_ref();
        if let (Some(asked), Some(running)) = (&item.resume_delivery, &work.running)
            && Some(asked) != handled
        {
            tracing::info!(instance = %item.key, "delivery is resumed, as the annotation asks");
            running.instance.resume_delivery();
        }
    }
}

/// Whether nothing but the Secret that the instance authenticates with differs.
fn differ_in_authentication(before: &Digests, now: &Digests, spec: &ConnectorInstanceSpec) -> bool {
    let own = &spec.authentication.secret_ref.name;
    let others = |digests: &Digests| {
        let mut others = digests.clone();
        others.remove(own);
        others
    };
    before.contains_key(own) && now.contains_key(own) && others(before) == others(now)
}
