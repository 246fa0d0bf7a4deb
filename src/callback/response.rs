//! What a callback's answer means.

use reqwest::StatusCode;

/// What a status code says of the notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Acknowledged,
    /// Trying again may help.
    Retry,
    /// The callback is no more.
    Gone,
    /// The same notification will be refused again.
    Rejected,
}

/// The meaning of a status code. A redirect is a refusal: whoever answers there was never named.
pub(super) const fn verdict(status: StatusCode) -> Verdict {
    match status.as_u16() {
        200..=299 => Verdict::Acknowledged,
        408 | 409 | 429 | 500..=599 => Verdict::Retry,
        410 => Verdict::Gone,
        _ => Verdict::Rejected,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(200..=299, Verdict::Acknowledged)]
    #[case(300..=399, Verdict::Rejected)]
    #[case(400..=407, Verdict::Rejected)]
    #[case(408..=409, Verdict::Retry)]
    #[case(410..=410, Verdict::Gone)]
    #[case(411..=428, Verdict::Rejected)]
    #[case(429..=429, Verdict::Retry)]
    #[case(430..=499, Verdict::Rejected)]
    #[case(500..=599, Verdict::Retry)]
    #[case(600..=999, Verdict::Rejected)]
    fn every_status_has_its_meaning(
        #[case] statuses: std::ops::RangeInclusive<u16>,
        #[case] expected: Verdict,
    ) {
        for status in statuses {
            assert_eq!(
                verdict(StatusCode::from_u16(status).unwrap()),
                expected,
                "{status}"
            );
        }
    }
}
