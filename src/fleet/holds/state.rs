//! What is known of an instance, for its conditions.

use chrono::{DateTime, Utc};

use super::GONE;
use crate::{category::Category, poll::End, provider::FetchError};

/// What is known of an instance, for its conditions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InstanceState {
    /// `None` until the first token was had or refused.
    pub authenticated: Option<Result<(), Failure>>,
    /// Why the last poll could not even connect to the provider's host, in words for a condition;
    /// `None` where one could, or none has tried.
    pub unreached: Option<String>,
    /// `None` until the first notification was answered.
    pub callback: Option<Result<(), CallbackFailure>>,
    /// The callback answered 410 and waits for a person.
    pub callback_gone: bool,
    /// Until when the provider asked to be left alone.
    pub deferred_until: Option<DateTime<Utc>>,
    /// How long the callback is left alone.
    pub held: Option<CallbackHold>,
}

/// How long a callback that failed is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallbackHold {
    pub until: DateTime<Utc>,
    /// The callback asked for that itself.
    pub asked: bool,
}

/// A failure as a condition shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub category: Category,
    pub message: String,
}

/// Why the callback takes no events, in words for a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallbackFailure {
    /// It cannot be reached, fails, throttles, or is gone.
    Unavailable(String),
    /// It refuses an event, and a poller waits there.
    Rejects(String),
}

impl CallbackFailure {
    /// What a person should know.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::Unavailable(message) | Self::Rejects(message) => message,
        }
    }
}

impl InstanceState {
    /// Takes what the end of a poll says of what the instance has to do with.
    pub(super) fn learn(&mut self, end: &End) {
        let unavailable =
            |message: &str| Some(Err(CallbackFailure::Unavailable(message.to_owned())));
        match end {
            End::CallbackUnavailable(why) => self.callback = unavailable(&why.message),
            End::Blocked { rejection, .. } => {
                self.callback = Some(Err(CallbackFailure::Rejects(rejection.message.clone())));
            }
            End::CallbackGone => self.callback = unavailable(GONE),
            End::ProviderFailed(error) => self.learn_of_provider(error),
            _ => {}
        }
    }

    fn learn_of_provider(&mut self, error: &FetchError) {
        if error.category == Category::Authentication {
            self.authenticated = Some(Err(Failure {
                category: error.category,
                message: error.message.clone(),
            }));
        }
        // A fault of Pollen's own says nothing of the host.
        if error.category != Category::Internal {
            self.unreached = error.is_unreached.then(|| error.message.clone());
        }
    }
}
