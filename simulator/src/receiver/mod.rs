//! A callback that keeps a ledger of what it is sent, checks signatures, and answers as told.

mod envelope;
mod ledger;
mod signature;

pub use ledger::{Event, Notification};
pub use signature::Signature;
