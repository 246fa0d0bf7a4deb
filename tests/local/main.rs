//! `pollen check` and `pollen local` as a user runs them: the binary, a folder, exit codes.

mod examples;
mod folder;
mod invalid;
mod process;
