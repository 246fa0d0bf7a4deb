//! What stands between `${` and `}`: a word, then what it takes.

use super::Problem;
use crate::template::placeholder::Form;
use crate::template::{DatePattern, EpochUnit, Moment, Zone};

const ISO_8601: &str = "yyyy-MM-dd'T'HH:mm:ss'Z'";

pub(super) fn read(inner: &str) -> Result<(Moment, Form), Problem> {
    let (word, argument) = match inner.split_once(':') {
        Some((word, argument)) => (word, Some(argument)),
        None => (inner, None),
    };
    match word.to_ascii_lowercase().as_str() {
        "gmtdate" => date(
            argument.ok_or(Problem::NoFormat("gmtDate"))?,
            Some(Zone::Utc),
        ),
        "date" => match argument {
            Some(format) => date(format, None),
            None => date(ISO_8601, Some(Zone::Utc)),
        },
        "datetimezone" => zoned(Moment::Bound, "dateTimeZone", argument),
        "nowtimezone" => zoned(Moment::Now, "nowTimeZone", argument),
        "epoch" => epoch(argument),
        "milliseconds" if argument.is_some() => Err(Problem::NoArgument("milliseconds")),
        "milliseconds" => epoch(None),
        _ => Err(unknown(inner)),
    }
}

fn date(format: &str, zone: Option<Zone>) -> Result<(Moment, Form), Problem> {
    let pattern = DatePattern::parse(format).map_err(Problem::Format)?;
    Ok((Moment::Bound, Form::Date(pattern, zone)))
}

fn zoned(
    moment: Moment,
    word: &'static str,
    argument: Option<&str>,
) -> Result<(Moment, Form), Problem> {
    let (zone, format) = argument.and_then(split_zone).ok_or(Problem::NoZone(word))?;
    let zone = Zone::parse(zone).map_err(Problem::Zone)?;
    date(format, Some(zone)).map(|(_, form)| (moment, form))
}

/// `-6:00:yyyy-MM-dd` is a zone with a colon, then a format: an offset's hours go on after a
/// colon with two digits and another colon.
fn split_zone(argument: &str) -> Option<(&str, &str)> {
    let (zone, format) = argument.split_once(':')?;
    let hours = zone
        .rsplit(['+', '-'])
        .next()
        .filter(|hours| hours.len() < zone.len());
    let is_offset = hours.is_some_and(|hours| matches!(hours.len(), 1 | 2) && digits(hours));
    match format.split_once(':') {
        Some((minutes, format)) if is_offset && minutes.len() == 2 && digits(minutes) => {
            Some((argument.get(..zone.len() + 3)?, format))
        }
        _ => Some((zone, format)),
    }
}

fn digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn epoch(unit: Option<&str>) -> Result<(Moment, Form), Problem> {
    let (moment, unit) = match unit {
        None | Some("ms") => (Moment::Bound, EpochUnit::Milliseconds),
        Some("s") => (Moment::Bound, EpochUnit::Seconds),
        Some("us") => (Moment::Bound, EpochUnit::Microseconds),
        Some("0") => (Moment::Beginning, EpochUnit::Seconds),
        Some(_) => return Err(Problem::EpochUnit),
    };
    Ok((moment, Form::Epoch(unit)))
}

fn unknown(inner: &str) -> Problem {
    match DatePattern::parse(inner) {
        Ok(_) => Problem::NoWord(inner.to_owned()),
        Err(_) => Problem::Unknown,
    }
}
