//! Moments and lengths of time.

use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, de::Error as _};

/// How the provider writes dates.
const FORMAT: &str = "%Y-%m-%d %H:%M:%S";

/// A length of time with a sign, such as `-2h` or `+300ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shift(pub(crate) TimeDelta);

/// When a record is dated: so long before or after the provider's present, or a text of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Relative(TimeDelta),
    /// As it is: also what is no date.
    Literal(String),
}

impl Moment {
    /// The date as the provider writes it, `later` than stated; a text that is no date is what it is.
    pub(crate) fn text(&self, now: DateTime<Utc>, later: TimeDelta) -> String {
        let date = match self {
            Self::Relative(shift) => (now + *shift).naive_utc(),
            Self::Literal(text) => match NaiveDateTime::parse_from_str(text, FORMAT) {
                Ok(date) => date,
                Err(_) => return text.clone(),
            },
        };
        (date + later).format(FORMAT).to_string()
    }
}

impl FromStr for Shift {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no length of time: write it like -30s or +5m");
        let (sign, length) = match text.split_at_checked(1) {
            Some(("-", length)) => (-1, length),
            Some(("+", length)) => (1, length),
            _ => (1, text),
        };
        let length: pollen::api::Duration = length.parse().map_err(|_| wrong())?;
        let length = TimeDelta::from_std(length.0).map_err(|_| wrong())?;
        Ok(Self(length * sign))
    }
}

impl<'de> Deserialize<'de> for Shift {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "now" {
            return Ok(Self::Relative(TimeDelta::zero()));
        }
        if !text.starts_with(['-', '+']) {
            return Ok(Self::Literal(text));
        }
        let shift: Shift = text.parse().map_err(D::Error::custom)?;
        Ok(Self::Relative(shift.0))
    }
}
