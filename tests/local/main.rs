//! `pollen check` and `pollen local` as a user runs them: the binary, a folder, exit codes.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its own functions too"
)]

mod examples;
mod explain;
mod folder;
mod invalid;
mod process;
