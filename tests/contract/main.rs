//! The contract with the cluster: generated files, and the rules of admission row by row.

mod generated;
mod rules;
mod schema;
mod table;
