//! What only a real API server can show: the chart, its rights, its upgrades, and
//! the operator at work.
//!
//! The control plane is built from source on the first run; `tests/control-plane/README.md` says how.

// The lints' exemption for tests covers test functions, not what they share.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

mod audit;
mod chart;
mod control_plane;
#[path = "../kills/mod.rs"]
mod kill;
mod operator;
