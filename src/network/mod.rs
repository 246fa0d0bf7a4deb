//! Which addresses may be reached, and HTTP clients that keep to it.
//!
//! The URLs of providers and callbacks are written by the tenants of a cluster, so a client built
//! here reaches only what the whole internet can reach, and what the operator's flags add. Two
//! gates are needed: the resolver sees every address of a host name, also when it changes between
//! two requests (DNS rebinding), but is never asked about an address written into the URL; that
//! is what [`GuardedClient::check_url`] is for. [`GuardedClient::execute`] passes both.
//!
//! Through a proxy the resolver sees the proxy's name alone: there the host's addresses are checked
//! before, as far as they are known here (`docs/network.md`).

mod client;
mod clients;
mod describe;
mod excerpt;
mod guard;
mod guarded;
mod lookup;
mod policy;
mod proxies;
mod proxy_fault;
mod redaction;
mod reserved;
mod retry_after;
mod rule;
mod sockets;
mod tls;
mod transport;
mod trouble;

pub use client::{ClientOptions, SendError, read_limited};
pub use clients::Clients;
pub use describe::describe;
pub use excerpt::{excerpt, one_line};
pub use guarded::GuardedClient;
pub use lookup::{Lookup, SystemNames};
pub use policy::{AddressPolicy, Refusal};
pub use proxies::{Proxies, ProxyError};
pub use proxy_fault::ProxyFault;
pub use retry_after::{retry_after, server_time};
pub use rule::{AddressRule, AddressRuleError};
pub use tls::{PemError, TlsSettings};
pub use transport::Transport;
pub use trouble::TlsTrouble;
