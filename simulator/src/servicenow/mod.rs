//! ServiceNow as its API behaves.

pub mod query;
