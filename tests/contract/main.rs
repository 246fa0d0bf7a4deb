//! The contract with the cluster: generated files, the image, and the rules of admission row by row.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod generated;
mod image;
mod metrics;
mod page;
mod reasons;
mod rules;
mod schema;
mod stored;
mod table;
