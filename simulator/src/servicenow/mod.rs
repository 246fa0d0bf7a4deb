//! ServiceNow as its API behaves.
//!
//! What is simulated follows ServiceNow's documentation of the Table API, of encoded queries and of OAuth, and
//! recorded answers of real instances where the documentation is silent.

mod clock;
mod content;
mod dates;
mod faults;
mod history;
mod http;
mod instance;
mod listing;
mod oauth;
pub mod query;
mod schema;
mod settings;
mod state;
mod store;
mod traffic;
mod uncommitted;
mod users;

pub use crate::RetryAfter;
pub use faults::{Fault, TokenFault};
pub use history::Version;
pub use instance::Instance;
pub use oauth::TokenRequest;
pub use settings::{Links, Settings};
pub use traffic::Request;
pub use uncommitted::Uncommitted;
pub use users::Users;
