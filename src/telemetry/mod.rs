//! What a running Pollen shows of itself: logs, metrics, health.
//!
//! It imports no other floor: the others are handed [`Metrics`], a [`Readiness`] and a [`Board`].

mod board;
mod http;
mod log;
mod metrics;
mod pollers;
mod readiness;

pub use board::{Board, Counts, Line};
pub use http::{HttpError, Served, serve};
pub use log::{LogError, LogFormat, init};
pub use metrics::{EventLabels, Metrics, PollLabels, RefusedLabels, WriteLabels};
pub use readiness::{Readiness, Unsynced};
