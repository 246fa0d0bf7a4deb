//! What all workers of one process share.

use std::sync::Arc;

use kube::Client;
use tokio::sync::Semaphore;

use super::{
    budget::WriteBudget,
    cache::{Cache, PollerItem},
    notices::{Notice, Notices},
    renewals::KeptRenewals,
    tokens::TokenSecrets,
};
use crate::{
    api::PollerResource,
    clock::Clock,
    fleet::Environment,
    telemetry::{Board, Metrics},
};

/// Reads of the API server in flight at once, over all workers: a start with a large fleet must not
/// flood it.
const READS: usize = 32;

#[derive(Clone)]
pub(super) struct Shared {
    pub(super) client: Client,
    /// This release, as `status.controllerName` shows it: `NAMESPACE/NAME` of its Lease.
    pub(super) owner: String,
    pub(super) cache: Cache,
    pub(super) budget: WriteBudget,
    pub(super) clock: Clock,
    pub(super) environment: Environment,
    pub(super) metrics: Metrics,
    pub(super) board: Board,
    pub(super) notices: Notices,
    pub(super) tokens: TokenSecrets,
    pub(super) renewals: KeptRenewals,
    pub(super) reads: Arc<Semaphore>,
}

impl Shared {
    pub(super) fn reads() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(READS))
    }

    /// Publishes what a person should know of a poller.
    pub(super) fn tell_poller(&self, item: &PollerItem, notices: Vec<Notice>) {
        for notice in notices {
            self.notices
                .publish(Notices::about::<PollerResource, _>(item), notice);
        }
    }
}
