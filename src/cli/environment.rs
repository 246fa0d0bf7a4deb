//! What manifests on the command line run in.

use std::{
    future::{Future, ready},
    io,
    net::{IpAddr, Ipv4Addr},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use futures::{FutureExt as _, future::BoxFuture};
use tokio::runtime;

use super::output;
use crate::{
    callback::RetryPolicy,
    catalog::{Catalog, CatalogError},
    clock::Clock,
    fleet::Environment,
    network::{AddressPolicy, AddressRule, ClientOptions, Clients, Lookup, Proxies, ProxyError},
};

/// How a notification is repeated while pollers keep running: behind it the instance is held.
pub(super) const STEADY: RetryPolicy = RetryPolicy {
    first: Duration::from_secs(1),
    max: Duration::from_secs(30),
    give_up_after: Duration::from_secs(60),
};

/// How a notification is repeated where the command ends `patience` after the first attempt.
pub(super) const fn bounded(patience: Duration) -> RetryPolicy {
    RetryPolicy {
        first: Duration::from_secs(1),
        max: Duration::from_secs(8),
        give_up_after: patience,
    }
}

/// Why commands cannot begin.
#[derive(Debug, thiserror::Error)]
pub(super) enum EnvironmentError {
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error(transparent)]
    Proxy(#[from] ProxyError),
}

/// The machine's clock and proxies, the connectors that come with Pollen, and the addresses that `allowed`
/// adds to those that everyone can reach.
///
/// # Errors
///
/// The catalog cannot be read, or a variable names no proxy.
pub(super) fn environment(
    allowed: Vec<AddressRule>,
    retry: RetryPolicy,
) -> Result<Environment, EnvironmentError> {
    Ok(Environment {
        clock: Clock::system(),
        catalog: Arc::new(Catalog::builtin()?),
        clients: Arc::new(Clients::new(
            Arc::new(AddressPolicy::of_command(allowed)),
            ClientOptions {
                proxies: Arc::new(Proxies::from_environment()?),
                ..ClientOptions::default()
            },
        )),
        retry,
    })
}

/// The same where nothing is sent: every address will do, and no name is looked up.
///
/// # Errors
///
/// The catalog cannot be read, or a variable names no proxy.
pub(super) fn offline() -> Result<Environment, EnvironmentError> {
    let everywhere = ["0.0.0.0/0", "::/0"];
    let allowed = everywhere.iter().filter_map(|range| range.parse().ok());
    let policy = AddressPolicy::of_command(allowed.collect());
    let options = ClientOptions {
        names: Arc::new(NoNames),
        ..ClientOptions::default()
    };
    Ok(Environment {
        clients: Arc::new(Clients::new(Arc::new(policy), options)),
        ..environment(Vec::new(), STEADY)?
    })
}

/// Has an address for every name, without asking anybody.
#[derive(Debug)]
struct NoNames;

impl Lookup for NoNames {
    fn addresses<'a>(&'a self, _host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        ready(Ok(vec![Ipv4Addr::LOCALHOST.into()])).boxed()
    }
}

/// Runs a command that waits for files and sockets.
pub(super) fn block_on(command: impl Future<Output = ExitCode>) -> ExitCode {
    match runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(command),
        Err(error) => output::complain(format!("the runtime cannot start: {error}")),
    }
}
