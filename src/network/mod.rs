//! Which addresses may be reached, and HTTP clients that keep to it.
//!
//! The URLs of providers and callbacks are written by the tenants of a cluster, so a client built
//! here reaches only what the whole internet can reach, and what the operator's flags add. Two
//! gates are needed: the resolver sees every address of a host name, also when it changes between
//! two requests (DNS rebinding), but is never asked about an address written into the URL; that
//! is what [`GuardedClient::check_url`] is for. [`GuardedClient::execute`] passes both.

mod client;
mod clients;
mod describe;
mod excerpt;
mod guarded;
mod policy;
mod reserved;
mod retry_after;
mod rule;
mod transport;

pub use client::{ClientOptions, SendError, read_limited};
pub use clients::Clients;
pub use describe::describe;
pub use excerpt::{excerpt, one_line};
pub use guarded::GuardedClient;
pub use policy::{AddressPolicy, Refusal};
pub use retry_after::{retry_after, server_time};
pub use rule::{AddressRule, AddressRuleError};
pub use transport::Transport;
