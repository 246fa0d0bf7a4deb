//! `Retry-After` in the forms of RFC 9110 §10.2.3.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use http::HeaderValue;

/// When a client is asked to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    Seconds(u64),
    /// A date so many seconds ahead.
    HttpDate(u64),
    /// No header at all.
    Absent,
}

impl RetryAfter {
    /// The header's value, of an answer given at `now`.
    #[must_use]
    pub fn value(self, now: DateTime<Utc>) -> Option<HeaderValue> {
        match self {
            Self::Seconds(seconds) => Some(HeaderValue::from(seconds)),
            Self::HttpDate(seconds) => {
                let at = SystemTime::from(now).checked_add(Duration::from_secs(seconds))?;
                HeaderValue::try_from(httpdate::fmt_http_date(at)).ok()
            }
            Self::Absent => None,
        }
    }
}
