//! What an operator process is told when it starts.

use std::{net::SocketAddr, num::NonZeroU32, time::Duration};

use crate::network::AddressPolicy;

/// The settings of one operator process.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Namespaces to watch; all when empty.
    pub namespaces: Vec<String>,
    /// The operator's own namespace: where its Lease and its token Secrets stand.
    pub own_namespace: String,
    /// What tells this process from the other replicas: the pod's name.
    pub identity: String,
    /// Name of the Lease that decides which replica polls.
    pub lease_name: String,
    /// How long a Lease lasts that nobody renews; whole seconds.
    pub lease_duration: Duration,
    /// Writes to the API server per second, all kinds together.
    pub api_writes_per_second: NonZeroU32,
    /// Where health and metrics are served.
    pub http_address: SocketAddr,
    /// Which addresses callbacks and providers may have.
    pub addresses: AddressPolicy,
    /// The name of this release, as Kubernetes events and its token Secrets show it.
    pub controller_name: String,
}
