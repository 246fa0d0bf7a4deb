//! A provider and a callback for tests, demo and benchmarks, independent of Pollen: they share no code with what they test.

mod clock;
pub mod receiver;
pub mod reckoning;
pub mod retry_after;
pub mod served;
pub mod servicenow;

pub use clock::Clock;
pub use retry_after::RetryAfter;
pub use served::Served;
