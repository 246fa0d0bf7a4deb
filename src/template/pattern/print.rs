//! Printing an instant by a pattern's items.

use std::fmt::Write;

use chrono::{DateTime, Datelike, NaiveDateTime, Timelike, Utc};

use super::letter::Letter;
use super::{Item, calendar, symbols};
use crate::template::Zone;
use crate::template::zone::offset_text;

pub(super) fn print(items: &[Item], text: &mut String, instant: DateTime<Utc>, zone: Zone) {
    let local = zone.local(instant);
    for item in items {
        match item {
            Item::Literal(literal) => text.push_str(literal),
            Item::Fraction { separator, width } => fraction(text, *separator, *width, local),
            Item::Field { letter, width, .. } => match letter {
                Letter::ZoneName | Letter::Offset | Letter::IsoOffset => {
                    text.push_str(&zone_text(*letter, *width, instant, zone));
                }
                _ => field(text, *letter, *width, local),
            },
        }
    }
}

fn field(text: &mut String, letter: Letter, width: usize, local: NaiveDateTime) {
    let weekday = local.weekday().num_days_from_sunday() as usize;
    match letter {
        Letter::Era => {
            let [before, after] = symbols::ERAS;
            text.push_str(if local.year() > 0 { after } else { before });
        }
        Letter::Month if width > 2 => text.push_str(symbols::name(
            &symbols::MONTHS,
            local.month0() as usize,
            width,
        )),
        Letter::WeekdayName => text.push_str(symbols::name(&symbols::WEEKDAYS, weekday, width)),
        Letter::HalfDay => text.push_str(symbols::name(
            &symbols::HALF_DAYS,
            usize::from(local.hour() >= 12),
            width,
        )),
        Letter::Year if width == 2 => padded(text, year_of_era(local.year()) % 100, 2),
        Letter::WeekYear if width == 2 => {
            padded(text, calendar::week_year(local.date()).rem_euclid(100), 2)
        }
        _ => padded(text, number(letter, local), width),
    }
}

fn number(letter: Letter, local: NaiveDateTime) -> i32 {
    let date = local.date();
    let number = match letter {
        Letter::Year => return year_of_era(date.year()),
        Letter::WeekYear => return calendar::week_year(date),
        Letter::Month => date.month(),
        Letter::WeekOfYear => calendar::week_of_year(date),
        Letter::WeekOfMonth => calendar::week_of_month(date),
        Letter::DayOfYear => date.ordinal(),
        Letter::DayOfMonth => date.day(),
        Letter::WeekdayOfMonth => date.day0() / 7 + 1,
        Letter::WeekdayNumber => date.weekday().number_from_monday(),
        Letter::Hour => local.hour(),
        Letter::HourFrom1 => (local.hour() + 23) % 24 + 1,
        Letter::HalfDayHour => local.hour() % 12,
        Letter::HalfDayHourFrom1 => (local.hour() + 11) % 12 + 1,
        Letter::Minute => local.minute(),
        Letter::Second => local.second(),
        Letter::Millisecond => local.nanosecond() / 1_000_000,
        Letter::Era
        | Letter::WeekdayName
        | Letter::HalfDay
        | Letter::ZoneName
        | Letter::Offset
        | Letter::IsoOffset => 0,
    };
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn year_of_era(year: i32) -> i32 {
    if year > 0 { year } else { 1 - year }
}

fn padded(text: &mut String, number: i32, width: usize) {
    // Writing to a String cannot fail.
    let _ = write!(text, "{number:0width$}");
}

fn fraction(text: &mut String, separator: Option<char>, width: usize, local: NaiveDateTime) {
    text.extend(separator);
    // chrono counts on through a leap second.
    let nanoseconds = local.nanosecond() % 1_000_000_000;
    let shown = width.clamp(3, 9);
    let divisor = 10_u32.pow(9 - u32::try_from(shown).unwrap_or(9));
    let _ = write!(text, "{:0shown$}", nanoseconds / divisor);
    text.extend(std::iter::repeat_n('0', width.saturating_sub(9)));
}

fn zone_text(letter: Letter, width: usize, instant: DateTime<Utc>, zone: Zone) -> String {
    let offset = zone.offset_at(instant);
    match (letter, width) {
        (Letter::ZoneName, 0..4) => zone.short_name(instant),
        (Letter::ZoneName, _) => zone.long_name(instant),
        (Letter::Offset, _) => offset_text(offset, ""),
        (_, _) if offset.local_minus_utc() == 0 => "Z".to_owned(),
        (_, 1) => offset_text(offset, "").chars().take(3).collect(),
        (_, 2) => offset_text(offset, ""),
        (_, _) => offset_text(offset, ":"),
    }
}
