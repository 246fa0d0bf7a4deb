//! What a callback's answer means.

use reqwest::{
    StatusCode,
    header::{HeaderMap, HeaderName},
};

use super::blame::Blame;

/// By this header of an answer a receiver governs what is sent to it (Standard Webhooks, as its
/// implementations have it).
const WEBHOOK_DELIVERY: HeaderName = HeaderName::from_static("webhook-delivery");

/// What an answer, or its absence, says of the notification: the rows of the table in
/// `docs/delivery.md`, which is made of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Acknowledged,
    /// Trying again may help.
    Retry,
    /// The callback is no more.
    Gone,
    /// It holds more than the receiver takes.
    TooLarge,
    /// Nothing posted so is taken there: no event is at fault.
    Misdirected(Blame),
    /// The same notification will be refused again.
    Rejected,
    /// The receiver asks not to be sent it again, whatever else it answered.
    Aborted,
}

/// What an answer asks for beside its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    None,
    /// That nothing more be sent, whatever the status says of the notification.
    Disable,
    /// That this notification not be sent again.
    Abort,
}

/// The meaning of a status code. With 403 a gateway refuses a wrong path or key as often as a receiver an
/// event, and nothing may be dropped for that. What is no status is understood as a 5xx (RFC 9110 §15), and
/// a 4xx that is none of those known as a 400.
pub(super) const fn verdict(status: StatusCode) -> Verdict {
    if let Some(blame) = Blame::of_status(status) {
        return Verdict::Misdirected(blame);
    }
    match status.as_u16() {
        200..=299 => Verdict::Acknowledged,
        408 | 409 | 429 | 500.. => Verdict::Retry,
        410 => Verdict::Gone,
        413 => Verdict::TooLarge,
        _ => Verdict::Rejected,
    }
}

/// The meaning of a whole answer to a notification.
pub(super) fn verdict_of(status: StatusCode, wish: Wish, body: &[u8]) -> Verdict {
    let verdict = match Blame::of_page(status, body) {
        Some(blame) => Verdict::Misdirected(blame),
        None => verdict(status),
    };
    match (wish, verdict) {
        (Wish::Abort, Verdict::Retry | Verdict::Misdirected(_)) => Verdict::Aborted,
        _ => verdict,
    }
}

impl Wish {
    /// What the headers of an answer ask for.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let asks = |for_what: &[u8]| {
            let mut values = headers.get_all(WEBHOOK_DELIVERY).iter();
            values.any(|value| value.as_bytes().trim_ascii().eq_ignore_ascii_case(for_what))
        };
        if asks(b"disable") {
            Self::Disable
        } else if asks(b"abort-message") {
            Self::Abort
        } else {
            Self::None
        }
    }
}

#[cfg(test)]
mod tests;
