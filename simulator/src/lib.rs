//! A provider for tests, demo and benchmarks, independent of Pollen: it shares no code with what it tests.

pub mod receiver;
pub mod retry_after;
pub mod served;
pub mod servicenow;

pub use retry_after::RetryAfter;
pub use served::Served;
