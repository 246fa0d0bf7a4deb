//! How long a host asks to be left alone.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// How long `Retry-After` asks to wait, in seconds, whole or not, or until a date (RFC 9110
/// §10.2.3), `longest` at most; `None` where it is absent, unreadable or past.
///
/// A date is counted from the host's own clock where the answer shows it, else from `now`.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: DateTime<Utc>, longest: Duration) -> Option<Duration> {
    let value = text(headers, RETRY_AFTER)?;
    let wait = match value.parse::<f64>() {
        Ok(seconds) => length(seconds)?,
        Err(_) => {
            let until = DateTime::<Utc>::from(httpdate::parse_http_date(value).ok()?);
            (until - server_time(headers).unwrap_or(now))
                .to_std()
                .ok()?
        }
    };
    (!wait.is_zero()).then_some(wait.min(longest))
}

/// The host's clock: the `Date` header.
#[must_use]
pub fn server_time(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    httpdate::parse_http_date(text(headers, DATE)?)
        .ok()
        .map(Into::into)
}

/// A number of seconds from a header; more than a length of time can be is the longest one.
fn length(seconds: f64) -> Option<Duration> {
    if seconds.is_nan() || seconds < 0.0 {
        return None;
    }
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::seconds("120", Some(120.0))]
    #[case::padded(" 7 ", Some(7.0))]
    #[case::now("0", None)]
    #[case::capped("86400", Some(3600.0))]
    #[case::huge("18446744073709551615", Some(3600.0))]
    #[case::date("Wed, 21 Oct 2015 07:28:30 GMT", Some(30.0))]
    #[case::obsolete_date("Wednesday, 21-Oct-15 07:28:30 GMT", Some(30.0))]
    #[case::asctime("Wed Oct 21 07:28:30 2015", Some(30.0))]
    #[case::past("Wed, 21 Oct 2015 07:27:00 GMT", None)]
    #[case::negative("-5", None)]
    #[case::fraction("1.5", Some(1.5))]
    #[case::beyond_any_time("1e300", Some(3600.0))]
    #[case::no_number("NaN", None)]
    #[case::nonsense("soon", None)]
    fn retry_after_is_read_in_both_forms(#[case] value: &str, #[case] seconds: Option<f64>) {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
        let now = "2015-10-21T07:28:00Z".parse().unwrap();
        let hour = Duration::from_secs(3600);
        let expected = seconds.map(Duration::from_secs_f64);
        assert_eq!(retry_after(&headers, now, hour), expected);
    }

    #[test]
    fn a_date_is_counted_from_the_hosts_own_clock() {
        let headers = HeaderMap::from_iter([
            (DATE, "Fri, 02 Jan 2026 04:04:05 GMT".parse().unwrap()),
            (
                RETRY_AFTER,
                "Fri, 02 Jan 2026 04:04:15 GMT".parse().unwrap(),
            ),
        ]);
        let now = "2026-01-02T03:04:05Z".parse().unwrap();
        let expected = Some(Duration::from_secs(10));
        assert_eq!(retry_after(&headers, now, Duration::MAX), expected);
    }
}
