//! What the receiver says to what it is sent.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{StreamExt as _, stream};
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{LOCATION, RETRY_AFTER},
};

use super::Incoming;
use crate::{RetryAfter, served::CloseConnection};

const WEBHOOK_DELIVERY: HeaderName = HeaderName::from_static("webhook-delivery");

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Status(u16),
    /// The status with a `Retry-After`.
    RetryAfter(u16, RetryAfter),
    /// The status, and by a header that nothing more be sent.
    Disable(u16),
    /// The status, and by a header that this notification not be sent again.
    Abort(u16),
    /// 307 to the address given.
    Redirect(String),
    /// No answer; the connection stays open.
    Hang,
    /// The status, so much later.
    Slow(Duration, u16),
    /// No answer; the connection is closed.
    CloseConnection,
    /// 200 with a body that never ends.
    EndlessBody,
}

impl Default for Answer {
    fn default() -> Self {
        Self::Status(200)
    }
}

impl Answer {
    /// The status that a client sees; `None` where it sees none.
    pub(super) const fn status(&self) -> Option<u16> {
        match self {
            Self::Status(status)
            | Self::RetryAfter(status, _)
            | Self::Disable(status)
            | Self::Abort(status)
            | Self::Slow(_, status) => Some(*status),
            Self::Redirect(_) => Some(307),
            Self::EndlessBody => Some(200),
            Self::Hang | Self::CloseConnection => None,
        }
    }

    /// Waits as long as the answer is to take.
    pub(super) async fn delay(&self) {
        match self {
            Self::Hang => std::future::pending().await,
            Self::Slow(delay, _) => tokio::time::sleep(*delay).await,
            _ => {}
        }
    }

    pub(super) fn response(&self, now: DateTime<Utc>) -> Response {
        let Some(status) = self.status() else {
            return CloseConnection.into_response();
        };
        let mut response = Response::new(self.body());
        // A status that HTTP has none of is the test's mistake: it shows as one that nobody means.
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::NOT_IMPLEMENTED);
        let header = match self {
            Self::RetryAfter(_, when) => when.value(now).map(|value| (RETRY_AFTER, value)),
            Self::Disable(_) => Some((WEBHOOK_DELIVERY, HeaderValue::from_static("disable"))),
            Self::Abort(_) => Some((WEBHOOK_DELIVERY, HeaderValue::from_static("abort-message"))),
            Self::Redirect(to) => HeaderValue::try_from(to).ok().map(|to| (LOCATION, to)),
            _ => None,
        };
        response.headers_mut().extend(header);
        response
    }

    fn body(&self) -> Body {
        if *self != Self::EndlessBody {
            return Body::empty();
        }
        let piece = Bytes::from_static(&[b' '; 8 * 1024]);
        Body::from_stream(stream::repeat(piece).map(Ok::<_, std::convert::Infallible>))
    }
}

type Choice = Arc<dyn Fn(&Incoming) -> Answer + Send + Sync>;

/// The answers to come.
#[derive(Default)]
pub(super) struct Answers(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    next: VecDeque<Answer>,
    /// What is answered when nothing is queued; 200 where nothing was said.
    choice: Option<Choice>,
}

impl Answers {
    pub(super) fn push(&self, answer: Answer) {
        self.with(|queue| queue.next.push_back(answer));
    }

    pub(super) fn choose_by(&self, choice: Choice) {
        self.with(|queue| queue.choice = Some(choice));
    }

    /// The answer to `incoming`; what is queued goes first.
    pub(super) fn to(&self, incoming: &Incoming) -> Answer {
        let (queued, choice) = self.with(|queue| (queue.next.pop_front(), queue.choice.clone()));
        queued
            .or_else(|| choice.map(|choice| choice(incoming)))
            .unwrap_or_default()
    }

    fn with<T>(&self, act: impl FnOnce(&mut Queue) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
