//! When a provider's rate limit begins anew.

use std::time::Duration;

use chrono::{DateTime, Utc};
use http::HeaderMap;

use crate::network;

/// A provider that asks for more is asked again after a day.
pub(super) const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Numbers from here on are instants, not lengths of time: in seconds, then in milliseconds.
const FIRST_EPOCH_SECOND: f64 = 1e9;
const FIRST_EPOCH_MILLISECOND: f64 = 1e12;

/// The end of a rate limit's period, as an instant or as a length of time.
pub(super) fn reset(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let value = ["x-ratelimit-reset", "ratelimit-reset"]
        .into_iter()
        .find_map(|name| text(headers, name))?;
    let number = value
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite())?;
    if number < FIRST_EPOCH_SECOND {
        return length(number);
    }
    let seconds = if number < FIRST_EPOCH_MILLISECOND {
        number
    } else {
        number / 1000.0
    };
    let now = network::server_time(headers).unwrap_or(now);
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds since 1970 are far below 2^52"
    )]
    let left = seconds - now.timestamp() as f64;
    length(left)
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn length(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds.clamp(0.0, LONGEST.as_secs_f64())).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect()
    }

    const NOW: &str = "2026-01-02T03:04:05Z";

    #[rstest::rstest]
    #[case("1767323055", 10)]
    #[case("1767323055000", 10)]
    #[case("30", 30)]
    #[case("1767320000", 0)]
    fn a_reset_is_an_instant_or_a_length(#[case] value: &'static str, #[case] seconds: u64) {
        let found = reset(
            &headers(&[("x-ratelimit-reset", value)]),
            NOW.parse().unwrap(),
        );
        assert_eq!(found, Some(Duration::from_secs(seconds)));
    }
}
