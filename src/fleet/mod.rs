//! Instances and pollers at work: what both rims, `local` and `operator`, assemble and run.

mod holds;
mod schedule;
mod starts;

pub use holds::{Failure, InstanceState};

use std::{future::Future, sync::Arc};

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    api::{Checkpoint, ConnectorInstanceSpec, PollerResourceSpec},
    category::ConfigurationError,
    clock::Clock,
    poll::{CheckpointStore, Outcome},
    provider::auth::TokenStore,
    secrets::Secrets,
};

/// What all instances of one process share.
#[derive(Clone)]
pub struct Environment {
    pub clock: Clock,
}

/// Everything an instance is built from.
pub struct InstanceSettings {
    pub namespace: String,
    pub name: String,
    pub spec: ConnectorInstanceSpec,
    /// The Secrets that [`secret_names`] lists, as far as they exist.
    pub secrets: Secrets,
    pub tokens: Arc<dyn TokenStore>,
    /// A deferral that an earlier process stored.
    pub deferred_until: Option<DateTime<Utc>>,
}

/// The names of the Secrets that an instance needs.
#[must_use]
pub fn secret_names(_spec: &ConnectorInstanceSpec) -> Vec<String> {
    todo!()
}

/// One instance at work: its connection, tokens, callback and holds, shared by its pollers.
pub struct Instance {}

impl Instance {
    /// Builds an instance; sends nothing.
    ///
    /// # Errors
    ///
    /// The connector, a parameter, a Secret or the callback is wrong.
    pub fn build(
        _settings: InstanceSettings,
        _environment: &Environment,
    ) -> Result<Arc<Self>, ConfigurationError> {
        todo!()
    }

    /// The state as it changes.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<InstanceState> {
        todo!()
    }

    /// Sends to the callback again after a 410 or within a hold.
    pub fn resume_delivery(&self) {
        todo!()
    }
}

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
    pub spec: PollerResourceSpec,
    /// Where it started, once that is stored.
    pub started_at: Option<DateTime<Utc>>,
}

/// One poller, ready to poll.
pub struct Poller {}

impl Poller {
    /// Builds a poller; sends nothing.
    ///
    /// # Errors
    ///
    /// The resource, URL, a format or a field is wrong.
    pub fn build(
        _instance: &Arc<Instance>,
        _settings: PollerSettings,
        _environment: &Environment,
    ) -> Result<Self, ConfigurationError> {
        todo!()
    }

    /// How often it polls.
    #[must_use]
    pub fn interval(&self) -> std::time::Duration {
        todo!()
    }

    /// Polls once: probes if need be, sweeps, delivers, stores.
    pub async fn poll<S: CheckpointStore>(
        &self,
        _checkpoint: Option<Checkpoint>,
        _store: &mut S,
        _stop: &CancellationToken,
    ) -> Outcome {
        todo!()
    }
}

/// Who is told after each poll: the rim, which makes conditions or lines of it.
pub trait Observer: Send {
    /// A poll has ended.
    fn polled(&mut self, outcome: &Outcome) -> impl Future<Output = ()> + Send;

    /// The poller waits, for the reason given, before it polls again.
    fn waiting(&mut self, reason: &str) -> impl Future<Output = ()> + Send;
}

/// Polls at once and then at each grid point (phase = hash of the uid), and whenever `poke`
/// changes, until `stop`; returns the checkpoint as it was last stored.
///
/// While the instance holds (callback unavailable, provider deferral, credentials refused) it
/// waits, and one poller's poll probes.
pub async fn run<S: CheckpointStore, O: Observer>(
    _poller: Poller,
    _checkpoint: Option<Checkpoint>,
    _store: S,
    _observer: O,
    _poke: watch::Receiver<u64>,
    _stop: CancellationToken,
) -> Option<Checkpoint> {
    todo!()
}
