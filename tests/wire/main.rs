//! The binary over sockets: a ServiceNow on one side, a receiver with a ledger on the other.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its own functions too"
)]

mod answers;
mod authorize;
mod changes;
mod children;
mod cloud_events;
mod core_dumps;
mod crashes;
mod credentials;
mod deletes;
mod delivery;
mod edits;
mod envelope;
mod explain;
mod harness;
mod hosts;
#[path = "../kills/mod.rs"]
mod kill;
mod kills;
mod logs;
mod mistakes;
mod paging;
mod probes;
mod proxies;
mod reconcile;
mod replay;
mod secret_fields;
mod secrets;
mod signatures;
mod tls;
mod tokens;
