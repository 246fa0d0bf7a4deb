//! Pollen in a cluster: both kinds watched, their pollers run, what became of them in their status.
//!
//! One process of a release leads, by a Lease. The leader has a worker for each instance, which
//! reconciles the instance and its pollers; everything that it writes passes one budget, and every
//! status has one writer, fenced by its resourceVersion.

mod authorize;
mod budget;
mod cache;
mod connect;
mod controller;
#[cfg(test)]
mod fake_api;
#[cfg(test)]
mod fixtures;
mod item;
mod lease;
mod ledger;
mod malformed;
mod named_secrets;
mod notices;
mod observer;
mod plan;
mod process;
mod renewals;
mod settings;
mod shared;
mod status;
mod tokens;
mod verdict;
mod watch;
mod worker;

use tokio_util::sync::CancellationToken;

pub use authorize::{AuthorizeError, Authorizing};
pub use settings::Settings;

use self::{connect::Clients, process::Process};
use crate::{
    catalog::{Catalog, CatalogError},
    network::{Proxies, ProxyError},
    telemetry::HttpError,
};

/// Why the operator could not begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// No kubeconfig and no service account, or one that cannot be used.
    #[error("cannot reach a cluster: {0}; run inside one, or set KUBECONFIG")]
    Connect(String),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The environment names a proxy that is none.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    #[error("a part of the operator ended by itself: {0}")]
    Ended(String),
}

/// Runs the operator until `stop`; then polls are stopped, their checkpoints stored, and the Lease
/// released, in less than ten seconds.
///
/// # Errors
///
/// No cluster is configured, or the HTTP address cannot be bound. A cluster that cannot be reached
/// is waited for.
pub async fn run(settings: Settings, stop: CancellationToken) -> Result<(), OperatorError> {
    let catalog = Catalog::builtin()?;
    let proxies = Proxies::from_environment()?;
    let clients = Clients::connect().await?;
    Process::assemble(&settings, catalog, proxies, &clients)
        .run(stop)
        .await
}
