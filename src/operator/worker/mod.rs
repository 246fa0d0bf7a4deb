//! One worker per instance: it keeps the instance and its pollers doing what their specs say.
//!
//! A reconcile dereferences (objects from the cache, statuses and Secrets from the server), plans
//! (pure), applies (builds, starts, stops) and reports (status). Nothing that it does depends on
//! which change woke it.

mod dereference;
mod instance;
mod ownership;
mod poller;
mod report;
mod roster;
mod task;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::sleep};
use tokio_util::sync::CancellationToken;

use self::{instance::InstanceWork, poller::PollerWork, roster::Roster};
use super::{
    cache::Group,
    item::Key,
    lease::Rival,
    malformed::Kind,
    named_secrets::NamedSecrets,
    plan::{self, Plan},
    shared::Shared,
};
use crate::fleet::RENEWAL_GRACE;

/// How long a worker may take to stop: its polls, then a token that is being renewed.
pub(super) const GRACE: Duration =
    Duration::from_secs(task::GRACE.as_secs() + RENEWAL_GRACE.as_secs());

/// The pause after the first reconcile that failed; it doubles.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(60);
/// How often an instance at work is looked at when nothing changes: the end of its refresh token
/// comes near without a sign.
const LOOK_AGAIN: Duration = Duration::from_secs(3_600);

/// How a worker is woken; clones wake the same worker.
#[derive(Clone, Debug, Default)]
pub(super) struct Wake(Arc<Signals>);

#[derive(Debug, Default)]
struct Signals {
    changed: Notify,
    secrets_changed: AtomicBool,
}

impl Wake {
    /// Something of the instance or its pollers changed.
    pub(super) fn objects(&self) {
        self.0.changed.notify_one();
    }

    /// A Secret that the instance names changed.
    pub(super) fn secrets(&self) {
        self.0.secrets_changed.store(true, Ordering::SeqCst);
        self.0.changed.notify_one();
    }

    fn take_secrets_changed(&self) -> bool {
        self.0.secrets_changed.swap(false, Ordering::SeqCst)
    }
}

/// The worker of one instance.
pub(super) struct Worker {
    key: Key,
    shared: Arc<Shared>,
    wake: Wake,
    stop: CancellationToken,
    credentials: Option<NamedSecrets>,
    instance: Option<InstanceWork>,
    /// Another release that has the instance, while it lives.
    rival: Option<Rival>,
    pollers: BTreeMap<String, PollerWork>,
    roster: Roster,
    failures: u32,
}

/// What a reconcile found worth trying again for.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Retry(String);

impl Worker {
    pub(super) fn new(key: Key, shared: Arc<Shared>, wake: Wake, stop: CancellationToken) -> Self {
        Self {
            key,
            shared,
            wake,
            stop,
            credentials: None,
            instance: None,
            rival: None,
            pollers: BTreeMap::new(),
            roster: Roster::new(),
            failures: 0,
        }
    }

    /// Works until `stop`, or until neither the instance nor a poller of it is left.
    pub(super) async fn run(mut self) {
        while !self.stop.is_cancelled() {
            let again = self.turn().await;
            if self.is_idle() && self.shared.cache.group(&self.key).is_empty() {
                break;
            }
            self.wait(again).await;
        }
        self.stop_pollers().await;
        // The process may end behind this. An instance that is at rest by now may have begun a renewal.
        if self.stop.is_cancelled() {
            self.shared.renewals.rest(&self.key).await;
        }
        for name in self.pollers.keys() {
            self.shared.board.remove(&self.key.namespace, name);
        }
    }

    /// One reconcile; answers when to look again unless something changes before.
    async fn turn(&mut self) -> Option<Duration> {
        match self.reconcile().await {
            Ok(again) => {
                self.failures = 0;
                again
            }
            Err(Retry(error)) => {
                let wait = FIRST_RETRY
                    .saturating_mul(1 << self.failures.min(6))
                    .min(LONGEST_RETRY);
                self.failures = self.failures.saturating_add(1);
                tracing::warn!(instance = %self.key, error, "the reconcile is tried again");
                Some(wait)
            }
        }
    }

    async fn reconcile(&mut self) -> Result<Option<Duration>, Retry> {
        let (group, opened) = self.dereference().await?;
        if !self.owns(&group).await? {
            self.leave().await;
            return Ok(Some(ownership::PAUSE));
        }
        let planned = self.plan_instance(&group);
        let is_wanted = planned == Some(Plan::Run);
        let plan = self.apply_instance(&group, planned).await?;
        let again = self.apply_pollers(&group, plan.as_ref()).await?;
        self.report_instance(&group, plan.as_ref()).await?;
        let later = is_wanted.then(|| look_again(plan.as_ref()));
        opened.map(|()| again.into_iter().chain(later).min())
    }

    fn plan_instance(&self, group: &Group) -> Option<Plan> {
        let missing = self
            .credentials
            .as_ref()
            .map_or(&[][..], |credentials| &credentials.missing);
        if let Some(item) = &group.instance {
            return Some(plan::instance(item, missing));
        }
        let malformed = self.shared.cache.malformed(Kind::Instance, &self.key);
        malformed.map(|malformed| Plan::Rest(malformed.standing()))
    }

    async fn wait(&mut self, again: Option<Duration>) {
        let state = self.instance.as_mut().and_then(InstanceWork::state_mut);
        let state_changed = async {
            match state {
                // Its sender lives as long as the instance, which this worker holds.
                Some(state) => _ = state.changed().await,
                None => std::future::pending().await,
            }
        };
        let timer = async {
            match again {
                Some(again) => sleep(again).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = self.wake.0.changed.notified() => {}
            () = state_changed => {}
            () = timer => {}
        }
    }

    fn is_idle(&self) -> bool {
        self.instance.is_none() && self.pollers.is_empty()
    }

    /// Stops all pollers, whose last checkpoints are stored when this returns.
    async fn stop_pollers(&mut self) {
        let stopping: Vec<_> = self
            .pollers
            .values_mut()
            .map(|poller| poller.stop(&self.shared))
            .collect();
        futures::future::join_all(stopping).await;
    }
}

/// When to look again at an instance that is to be at work.
fn look_again(plan: Option<&Plan>) -> Duration {
    match plan {
        Some(Plan::Run) => LOOK_AGAIN,
        // It could not be built; a name that does not resolve may do so later.
        _ => LONGEST_RETRY,
    }
}

#[cfg(test)]
mod tests;
