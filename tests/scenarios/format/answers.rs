//! How provider and callback misbehave.

use serde::Deserialize;
use simulator::{RetryAfter, receiver::Answer, servicenow::Fault};

use pollen::api::Duration;

/// What a request for records is answered.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ProviderAnswer {
    /// As it should be.
    Well,
    /// This status with the provider's error body.
    Status(u16),
    /// 429, with when to come back.
    Throttle(ComeBack),
    /// 401, though the token is valid.
    Unauthorized,
    /// 200 with a page for people.
    Html,
    /// 200 whose JSON breaks off.
    Truncated,
    /// 200 with rows and an error behind them.
    ErrorAfterRows,
    /// 200 with a text in the place of a record.
    StringAmongRows,
    /// 200 with nothing.
    EmptyBody,
    /// The right answer, so much later.
    Slow(Duration),
    /// The right answer in eight pieces, with this pause before each.
    Drip(Duration),
    /// No answer.
    Hang,
    /// The connection ends without an answer.
    CloseConnection,
}

/// What a notification is answered.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum CallbackAnswer {
    /// 200.
    Well,
    Status(u16),
    /// 429, with when to come back.
    Throttle(ComeBack),
    /// This status, and by a header that nothing more be sent.
    Disable(u16),
    /// 200, so much later.
    Slow(Duration),
    /// No answer.
    Hang,
    /// The connection ends without an answer.
    CloseConnection,
}

/// The `Retry-After` of a 429.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ComeBack {
    /// In so many seconds.
    Seconds(u64),
    /// At an HTTP date, so many seconds ahead.
    HttpDate(u64),
    /// It doesn't say.
    Unsaid,
}

impl ProviderAnswer {
    /// The fault; none where all is well.
    pub(crate) fn fault(&self) -> Option<Fault> {
        Some(match self {
            Self::Well => return None,
            Self::Status(status) => Fault::Status(*status),
            Self::Throttle(when) => Fault::Throttle(when.header()),
            Self::Unauthorized => Fault::Unauthorized,
            Self::Html => Fault::Html,
            Self::Truncated => Fault::Truncated,
            Self::ErrorAfterRows => Fault::ErrorAfterRows,
            Self::StringAmongRows => Fault::StringAmongRows,
            Self::EmptyBody => Fault::EmptyBody,
            Self::Slow(pause) => Fault::Slow(pause.0),
            Self::Drip(pause) => Fault::Drip(pause.0),
            Self::Hang => Fault::Hang,
            Self::CloseConnection => Fault::CloseConnection,
        })
    }
}

impl CallbackAnswer {
    pub(crate) fn answer(&self) -> Answer {
        match self {
            Self::Well => Answer::Status(200),
            Self::Status(status) => Answer::Status(*status),
            Self::Throttle(when) => Answer::RetryAfter(429, when.header()),
            Self::Disable(status) => Answer::Disable(*status),
            Self::Slow(pause) => Answer::Slow(pause.0, 200),
            Self::Hang => Answer::Hang,
            Self::CloseConnection => Answer::CloseConnection,
        }
    }
}

impl ComeBack {
    const fn header(self) -> RetryAfter {
        match self {
            Self::Seconds(seconds) => RetryAfter::Seconds(seconds),
            Self::HttpDate(seconds) => RetryAfter::HttpDate(seconds),
            Self::Unsaid => RetryAfter::Absent,
        }
    }
}
