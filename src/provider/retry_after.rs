//! How long a provider asks to be left alone.

use std::time::Duration;

use chrono::{DateTime, Utc};
use http::HeaderMap;

/// A provider that asks for more is asked again after a day.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Numbers from here on are instants, not lengths of time: in seconds, then in milliseconds.
const FIRST_EPOCH_SECOND: f64 = 1e9;
const FIRST_EPOCH_MILLISECOND: f64 = 1e12;

/// `Retry-After` in seconds, whole or not, or as a date (RFC 9110, 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = text(headers, "retry-after")?;
    match text.parse::<f64>() {
        Ok(seconds) => length(seconds),
        Err(_) => until(
            httpdate::parse_http_date(text).ok()?.into(),
            server_time(headers).unwrap_or(now),
        ),
    }
}

/// The end of a rate limit's period, as an instant or as a length of time.
pub(super) fn rate_limit_reset(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
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
    let now = server_time(headers).unwrap_or(now);
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds since 1970 are far below 2^52"
    )]
    let left = seconds - now.timestamp() as f64;
    length(left)
}

/// The provider's clock: the `Date` header.
pub(super) fn server_time(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    httpdate::parse_http_date(text(headers, "date")?)
        .ok()
        .map(Into::into)
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn length(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds.clamp(0.0, LONGEST.as_secs_f64())).ok()
}

fn until(end: DateTime<Utc>, now: DateTime<Utc>) -> Option<Duration> {
    Some(
        end.signed_duration_since(now)
            .to_std()
            .unwrap_or(Duration::ZERO)
            .min(LONGEST),
    )
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
    #[case("7", Some(7_000))]
    #[case("0.5", Some(500))]
    #[case("-3", Some(0))]
    #[case("1e300", Some(86_400_000))]
    #[case("Fri, 02 Jan 2026 03:05:05 GMT", Some(60_000))]
    #[case("Fri, 02 Jan 2026 03:00:00 GMT", Some(0))]
    #[case("NaN", None)]
    #[case("soon", None)]
    fn retry_after_is_read_in_both_forms(
        #[case] value: &'static str,
        #[case] milliseconds: Option<u64>,
    ) {
        let found = retry_after(&headers(&[("retry-after", value)]), NOW.parse().unwrap());
        assert_eq!(found, milliseconds.map(Duration::from_millis));
    }

    #[test]
    fn a_date_is_counted_from_the_providers_own_clock() {
        let headers = headers(&[
            ("date", "Fri, 02 Jan 2026 04:04:05 GMT"),
            ("retry-after", "Fri, 02 Jan 2026 04:04:15 GMT"),
        ]);
        assert_eq!(
            retry_after(&headers, NOW.parse().unwrap()),
            Some(Duration::from_secs(10))
        );
    }

    #[rstest::rstest]
    #[case("1767323055", 10)]
    #[case("1767323055000", 10)]
    #[case("30", 30)]
    #[case("1767320000", 0)]
    fn a_reset_is_an_instant_or_a_length(#[case] value: &'static str, #[case] seconds: u64) {
        let found = rate_limit_reset(
            &headers(&[("x-ratelimit-reset", value)]),
            NOW.parse().unwrap(),
        );
        assert_eq!(found, Some(Duration::from_secs(seconds)));
    }
}
