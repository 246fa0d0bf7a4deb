//! Running without a cluster: a folder of manifests and a state folder.
//!
//! [`check`] reads the manifests by the rules of admission, [`run`] polls them with the engine
//! that the operator drives too. What a cluster keeps in status and Secrets stands in the state
//! folder.

mod assembly;
mod attention;
mod authorize;
mod check;
mod durable;
mod explain;
mod folder;
mod instance_state;
mod lines;
mod live;
mod manifests;
mod memory;
mod object;
mod once;
mod problem;
mod replays;
mod report;
mod run;
mod runner;
mod secrets;
mod session;
mod state;

pub use authorize::{AuthorizeError, Authorizing, Wanted};
pub use check::{Checked, check};
pub use explain::{ExplainError, Explained, Question, explain};
pub use problem::{Place, Problem};
pub use report::Streams;
pub use run::{Ended, LocalError, Options, run};
pub use state::StateError;
