//! Delivery of notifications to a callback.

mod authentication;
mod http;
mod permission;
mod response;
mod retry;
mod signing;
mod url;

use std::{future::Future, time::Duration};

use crate::event::{Notification, Origin};

pub use http::{CallbackSettings, HttpCallback};
pub use retry::RetryPolicy;
pub use signing::{SignedBody, Signer};

/// Where notifications go: the engine's edge towards the receiver.
///
/// An implementation retries as its policy says before it answers; what it answers is final for
/// this poll.
pub trait Callback: Send + Sync {
    /// Delivers one notification.
    fn deliver(
        &self,
        origin: &Origin,
        notification: &Notification,
    ) -> impl Future<Output = Delivery> + Send;
}

/// What became of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The callback answered with a 2xx.
    Acknowledged,
    /// The callback refused it for good (a 4xx, a redirect).
    Rejected(Rejection),
    /// The callback could not be reached, failed or throttled, also after the retries.
    Unavailable(Unavailable),
    /// The callback answered 410: nothing more is sent until it changes or a person resumes it.
    Gone,
}

/// A refusal, in words for a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The status code of the answer.
    pub status: u16,
    /// What a person should know: never a secret, bounded in length.
    pub message: String,
}

/// Why a callback could not take a notification now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unavailable {
    /// What a person should know: never a secret, bounded in length.
    pub message: String,
    /// How long the callback asked to be left alone, already capped.
    pub retry_after: Option<Duration>,
}
