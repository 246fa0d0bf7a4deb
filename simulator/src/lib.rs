//! A provider for tests, demo and benchmarks, independent of Pollen: it shares no code with what it tests.

pub mod receiver;
pub mod servicenow;
