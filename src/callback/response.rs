//! What a callback's answer means.

use reqwest::{
    StatusCode,
    header::{HeaderMap, HeaderName},
};

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
    Misdirected,
    /// The same notification will be refused again.
    Rejected,
}

/// The meaning of a status code. Whoever answers behind a redirect was never named; with 403 a gateway
/// refuses a wrong path or key as often as a receiver an event, and nothing may be dropped for that.
pub(super) const fn verdict(status: StatusCode) -> Verdict {
    match status.as_u16() {
        200..=299 => Verdict::Acknowledged,
        408 | 409 | 429 | 500..=599 => Verdict::Retry,
        410 => Verdict::Gone,
        413 => Verdict::TooLarge,
        300..=399 | 401 | 403..=405 | 407 => Verdict::Misdirected,
        _ => Verdict::Rejected,
    }
}

/// Whether an answer asks that nothing more be sent, whatever its status says of the notification.
pub(super) fn disables(headers: &HeaderMap) -> bool {
    let value = headers.get(WEBHOOK_DELIVERY);
    value.is_some_and(|value| {
        value
            .as_bytes()
            .trim_ascii()
            .eq_ignore_ascii_case(b"disable")
    })
}

#[cfg(test)]
mod tests;
