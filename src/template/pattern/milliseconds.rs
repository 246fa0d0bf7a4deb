//! The `milliseconds` format: milliseconds since 1970 as a number.

use chrono::{DateTime, Utc};

use super::read::{Expected, ReadError};

/// Whole numbers up to here are exact in floating point.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

pub(super) fn read(text: &str) -> Result<DateTime<Utc>, ReadError> {
    let number = text.trim();
    let milliseconds = number.parse().ok().or_else(|| floating(number));
    let instant = milliseconds.and_then(DateTime::from_timestamp_millis);
    instant.ok_or_else(|| ReadError::new(text, 0, Expected::Milliseconds))
}

/// `1.534E12` and `1534000000000.0`; what is left of a millisecond is cut off.
fn floating(number: &str) -> Option<i64> {
    let plain = number
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let value = number
        .parse::<f64>()
        .ok()
        .filter(|value| plain && value.abs() <= MAX_EXACT)?;
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
    Some(value.floor() as i64)
}
