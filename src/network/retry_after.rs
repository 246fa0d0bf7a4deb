//! How long a host asks to be left alone.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The longest time for which a host can ask to be left alone.
const CAP: Duration = Duration::from_secs(60 * 60);

/// How long `Retry-After` asks to wait, in seconds or until a date (RFC 9110 §10.2.3), an hour at
/// most; `None` where it is absent, unreadable or past.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = DateTime::<Utc>::from(httpdate::parse_http_date(value).ok()?);
            (until - now).to_std().ok()?
        }
    };
    (!wait.is_zero()).then_some(wait.min(CAP))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::seconds("120", Some(120))]
    #[case::padded(" 7 ", Some(7))]
    #[case::now("0", None)]
    #[case::capped("86400", Some(3600))]
    #[case::huge("18446744073709551615", Some(3600))]
    #[case::date("Wed, 21 Oct 2015 07:28:30 GMT", Some(30))]
    #[case::obsolete_date("Wednesday, 21-Oct-15 07:28:30 GMT", Some(30))]
    #[case::asctime("Wed Oct 21 07:28:30 2015", Some(30))]
    #[case::past("Wed, 21 Oct 2015 07:27:00 GMT", None)]
    #[case::negative("-5", None)]
    #[case::fraction("1.5", None)]
    #[case::nonsense("soon", None)]
    fn retry_after_is_read_in_both_forms(#[case] value: &str, #[case] seconds: Option<u64>) {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
        let now = "2015-10-21T07:28:00Z".parse().unwrap();
        assert_eq!(retry_after(&headers, now), seconds.map(Duration::from_secs));
    }
}
