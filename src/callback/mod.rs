//! Delivery of notifications to a callback.

mod authentication;
mod blame;
mod endpoint;
mod http;
mod outage;
mod pause;
mod permission;
mod response;
mod retry;
mod signing;
mod url;

use std::{future::Future, time::Duration};

use chrono::{DateTime, Utc};

use crate::event::{Notification, Origin};

pub use http::{CallbackSettings, HttpCallback};
pub use retry::RetryPolicy;
pub use signing::{SIGNING_SECRET, SignedBody, Signer};
pub use url::is_same_origin;

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

    /// Posts an event that was refused, the only one of its `notification`, to where such events go.
    fn dead_letter(
        &self,
        _origin: &Origin,
        _notification: &Notification,
        _rejection: &Rejection,
    ) -> impl Future<Output = Delivery> + Send {
        std::future::ready(Delivery::Unavailable(Unavailable {
            message: "there is no URL for dead letters".to_owned(),
            retry_after: None,
        }))
    }
}

/// What became of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The callback answered with a 2xx.
    Acknowledged,
    /// The same, and that nothing more is to be sent until it changes or a person resumes it.
    AcknowledgedLast,
    /// The callback refused it for good (a 4xx, a redirect).
    Rejected(Rejection),
    /// The callback could not be reached, failed or throttled, also after the retries.
    Unavailable(Unavailable),
    /// The callback took nothing (410), and nothing more is sent until it changes or a person
    /// resumes it.
    Gone,
}

/// A refusal, in words for a condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejection {
    /// The status code of the answer.
    pub status: u16,
    /// What a person should know: never a secret, bounded in length.
    pub message: String,
    pub of: Refused,
    /// When the notification was made, as it says itself.
    pub made_at: DateTime<Utc>,
    /// When it was refused.
    pub at: DateTime<Utc>,
}

/// What is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refused {
    /// An event of the notification.
    #[default]
    Event,
    /// So much at once.
    Size,
    /// Whatever is posted there: the address or the credentials are wrong, and no event is.
    Everything,
}

/// Why a callback could not take a notification now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unavailable {
    /// What a person should know: never a secret, bounded in length.
    pub message: String,
    /// How long the callback asked to be left alone, already capped.
    pub retry_after: Option<Duration>,
}
