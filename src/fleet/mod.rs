//! Instances and pollers at work: what both rims, `local` and `operator`, assemble and run.

mod authentication;
mod authorization;
mod credentials;
mod deletes;
mod explain;
mod gone;
mod holds;
mod instance;
mod kin;
mod kinship;
mod plan;
mod poller;
mod probed;
mod remarks;
mod replaying;
mod runner;
mod schedule;
mod secret_uses;
mod starts;
mod stored;
mod telling;
mod tls;
mod turn;

use std::sync::Arc;

pub use authorization::{Authorization, Authorized};
pub use credentials::RENEWAL_GRACE;
pub use explain::{Answer, ExplainError, Version};
pub use holds::{CallbackFailure, CallbackHold, Failure, InstanceState};
pub use instance::{Instance, InstanceSettings};
pub use kin::{Kin, Relative};
pub use kinship::{Sibling, Taker};
pub use poller::{Poller, PollerSettings};
pub use runner::{Begin, Observer, run};
pub use secret_uses::{provider_secret_names, secret_names, uses_beside_authentication};
pub use starts::{Starts, Sweep};
pub use stored::Stored;
pub use telling::{Heard, TellingStore};

use crate::{callback::RetryPolicy, catalog::Catalog, clock::Clock, network::Clients};

/// What all instances of one process share.
#[derive(Clone)]
pub struct Environment {
    pub clock: Clock,
    pub catalog: Arc<Catalog>,
    /// The way to providers and callbacks, and which addresses these may have.
    pub clients: Arc<Clients>,
    /// How a notification is repeated before its callback counts as unavailable.
    pub retry: RetryPolicy,
}
