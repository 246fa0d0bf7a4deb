//! Durations as manifests write them.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::patterns;

/// A length of time such as `15m`, `1h30m` or `500ms`.
///
/// The form is that of Go's `time.ParseDuration` without sign and without units below the
/// millisecond. It is written back in whole hours, minutes, seconds and milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub std::time::Duration);

/// A text that is no [`Duration`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not numbers with units.
    #[error(
        "{0:?} is not a duration: write numbers with their units ms, s, m or h, such as 30s, 15m or 1h30m"
    )]
    Malformed(String),
    /// Longer than Kubernetes and Go can hold.
    #[error("{0:?} is too long a duration: write 2562047h or less")]
    TooLong(String),
}

/// What Go holds in a duration, and so all that an API server accepts.
const LONGEST: u128 = i64::MAX as u128;

/// Units by length; `ms` stands before `m` and `s`, so that it is recognised first.
const UNITS: [(&str, u128); 4] = [
    ("ms", 1_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
];

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || DurationError::Malformed(text.to_owned());
        if text.is_empty() {
            return Err(malformed());
        }
        let mut rest = text;
        let mut total = 0_u128;
        while !rest.is_empty() {
            let (nanos, behind) = leading_part(rest).ok_or_else(malformed)?;
            total = total.saturating_add(nanos);
            rest = behind;
        }
        let nanos = u64::try_from(total).ok().filter(|_| total <= LONGEST);
        nanos
            .map(|nanos| Self(std::time::Duration::from_nanos(nanos)))
            .ok_or_else(|| DurationError::TooLong(text.to_owned()))
    }
}

/// The nanoseconds of the first number with its unit, and the text behind it.
fn leading_part(text: &str) -> Option<(u128, &str)> {
    let (whole, rest) = digits(text)?;
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => digits(rest)?,
        None => ("", rest),
    };
    let (rest, unit) = UNITS
        .iter()
        .find_map(|(name, unit)| Some((rest.strip_prefix(name)?, *unit)))?;
    let whole = number(whole).saturating_mul(unit);
    Some((whole.saturating_add(fraction_of(fraction, unit)), rest))
}

fn digits(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// The number, or more than any duration holds.
fn number(digits: &str) -> u128 {
    digits.parse().unwrap_or(LONGEST + 1)
}

/// The nanoseconds of `0.{digits}` of a unit, rounded down.
fn fraction_of(digits: &str, unit: u128) -> u128 {
    let mut scale = unit;
    let mut nanos = 0;
    for digit in digits.bytes() {
        // Digits beyond the nanosecond carry nothing, whatever their number.
        nanos += u128::from(digit - b'0') * scale / 10;
        scale /= 10;
    }
    nanos
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let nanos = self.0.subsec_nanos();
        for (count, unit) in [
            (seconds / 3600, "h"),
            (seconds / 60 % 60, "m"),
            (seconds % 60, "s"),
        ] {
            if count > 0 {
                write!(f, "{count}{unit}")?;
            }
        }
        match (nanos / 1_000_000, nanos % 1_000_000) {
            (0, 0) if seconds == 0 => f.write_str("0s"),
            (0, 0) => Ok(()),
            (millis, 0) => write!(f, "{millis}ms"),
            (millis, rest) => write!(
                f,
                "{millis}.{}ms",
                format!("{rest:06}").trim_end_matches('0')
            ),
        }
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

impl JsonSchema for Duration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "maxLength": 16,
            "pattern": patterns::DURATION,
            "x-kubernetes-validations": [{
                // A rule that fails to evaluate refuses every edit of an object that was stored with
                // such a value, even one that leaves it alone: what is no duration is the pattern's.
                "rule": format!(
                    "!self.matches('{}') || (duration(self) >= duration('1s') && duration(self) <= duration('876000h'))",
                    patterns::DURATION
                ),
                "message": "is out of range: write 1s to 876000h, such as 30s, 15m or 1h30m",
            }],
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("15m", 900_000_000_000, "15m")]
    #[case("1h30m", 5_400_000_000_000, "1h30m")]
    #[case("90m", 5_400_000_000_000, "1h30m")]
    #[case("500ms", 500_000_000, "500ms")]
    #[case("1.5s", 1_500_000_000, "1s500ms")]
    #[case("0.25h", 900_000_000_000, "15m")]
    #[case("1m1ms", 60_001_000_000, "1m1ms")]
    #[case("1s1s", 2_000_000_000, "2s")]
    #[case("0s", 0, "0s")]
    #[case("0.000001ms", 1, "0.000001ms")]
    #[case("2562047h", 9_223_369_200_000_000_000, "2562047h")]
    fn a_duration_is_read_and_written_back(
        #[case] text: &str,
        #[case] nanos: u64,
        #[case] written: &str,
    ) {
        let duration: Duration = text.parse().unwrap();
        assert_eq!(duration.0, std::time::Duration::from_nanos(nanos));
        assert_eq!(duration.to_string(), written);
    }

    #[rstest]
    #[case("")]
    #[case("5")]
    #[case("m")]
    #[case("-5m")]
    #[case("5 m")]
    #[case("1.m")]
    #[case(".5m")]
    #[case("1d")]
    #[case("15M")]
    #[case("٣m")]
    fn what_is_no_duration_is_refused(#[case] text: &str) {
        assert_eq!(
            text.parse::<Duration>(),
            Err(DurationError::Malformed(text.to_owned()))
        );
    }

    #[rstest]
    #[case("2562048h")]
    #[case("99999999999999999999999999999999999999999999999h")]
    #[case("2562047h2562047h")]
    fn a_duration_beyond_64_bits_is_refused(#[case] text: &str) {
        assert_eq!(
            text.parse::<Duration>(),
            Err(DurationError::TooLong(text.to_owned()))
        );
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_as_the_same(nanos in 0..=u64::try_from(i64::MAX).unwrap()) {
            let duration = Duration(std::time::Duration::from_nanos(nanos));
            prop_assert_eq!(duration.to_string().parse::<Duration>(), Ok(duration));
        }

        #[test]
        fn no_text_panics(text in "[0-9.hms]{0,40}|.*") {
            let _ = text.parse::<Duration>();
        }
    }
}
