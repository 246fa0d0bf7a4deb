//! Reading dates whose fields all stand at fixed places, as in nearly every API, without looking
//! at the pattern again.

use chrono::{DateTime, NaiveDateTime, Utc};

use super::Item;
use super::letter::Letter;
use crate::template::Zone;
use crate::template::zone::read_offset;

/// Where the digits of a `yyyy-MM-dd HH:mm:ss`-like pattern stand, in bytes from the start.
///
/// Reads only what is written exactly so and in range; all else is left to the general reader,
/// which reads these dates alike.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    length: usize,
    year: Option<usize>,
    month: Option<usize>,
    day: Option<usize>,
    hour: Option<usize>,
    minute: Option<usize>,
    second: Option<usize>,
    fraction: Option<(usize, usize)>,
    literals: Box<[(usize, u8)]>,
    /// The text goes on with an offset.
    offset: bool,
}

impl Layout {
    /// `None` for patterns that can't be read so.
    pub(super) fn of(items: &[Item]) -> Option<Layout> {
        let mut layout = Layout::default();
        let mut literals = Vec::new();
        for item in items {
            layout.add(item, &mut literals)?;
        }
        layout.literals = literals.into();
        let date = layout.year.is_some() && layout.month.is_some() && layout.day.is_some();
        date.then_some(layout)
    }

    fn add(&mut self, item: &Item, literals: &mut Vec<(usize, u8)>) -> Option<()> {
        if self.offset {
            return None;
        }
        match item {
            Item::Literal(text) if text.is_ascii() => {
                literals.extend(text.bytes().zip(self.length..).map(|(byte, at)| (at, byte)));
                self.length += text.len();
            }
            Item::Field {
                letter: Letter::Offset | Letter::IsoOffset,
                ..
            } => self.offset = true,
            Item::Field { letter, width, .. } => {
                let (slot, digits) = match letter {
                    Letter::Year => (&mut self.year, 4),
                    Letter::Month => (&mut self.month, 2),
                    Letter::DayOfMonth => (&mut self.day, 2),
                    Letter::Hour => (&mut self.hour, 2),
                    Letter::Minute => (&mut self.minute, 2),
                    Letter::Second => (&mut self.second, 2),
                    _ => return None,
                };
                let first = slot.is_none() && *width == digits;
                *slot = first.then_some(self.length);
                self.length += first.then_some(digits)?;
            }
            Item::Fraction { separator, width }
                if (1..=9).contains(width) && self.fraction.is_none() =>
            {
                literals.extend(separator.map(|point| (self.length, point as u8)));
                self.length += usize::from(separator.is_some());
                self.fraction = Some((self.length, *width));
                self.length += width;
            }
            _ => return None,
        }
        Some(())
    }

    pub(super) fn read(&self, text: &[u8], zone: Zone) -> Option<DateTime<Utc>> {
        let (fixed, rest) = text.split_at_checked(self.length)?;
        let literals_match = self
            .literals
            .iter()
            .all(|(at, byte)| fixed.get(*at) == Some(byte));
        if !literals_match {
            return None;
        }
        let days = self.days(fixed)?;
        let seconds = self.seconds(fixed)?;
        let nanoseconds = self.nanoseconds(fixed)?;
        let local = days * 86_400 + i64::from(seconds);
        match (self.offset, zone) {
            (true, _) => DateTime::from_timestamp(local - i64::from(offset(rest)?), nanoseconds),
            _ if !rest.is_empty() => None,
            (false, Zone::Utc) => DateTime::from_timestamp(local, nanoseconds),
            (false, zone) => zone.instant(naive(local, nanoseconds)?),
        }
    }

    fn days(&self, fixed: &[u8]) -> Option<i64> {
        let at = self.year?;
        let year = two(fixed, at)? * 100 + two(fixed, at + 2)?;
        let month = two(fixed, self.month?)?;
        let day = two(fixed, self.day?)?;
        let valid = (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year, month);
        valid.then(|| days_from_civil(year, month, day))
    }

    fn seconds(&self, fixed: &[u8]) -> Option<u32> {
        let part = |at: Option<usize>| at.map_or(Some(0), |at| two(fixed, at));
        let (hour, minute, second) = (part(self.hour)?, part(self.minute)?, part(self.second)?);
        (hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second)
    }

    fn nanoseconds(&self, fixed: &[u8]) -> Option<u32> {
        let Some((at, width)) = self.fraction else {
            return Some(0);
        };
        let mut number = 0;
        for byte in fixed.get(at..at + width)? {
            number = number * 10 + digit(*byte)?;
        }
        Some((width..9).fold(number, |number, _| number * 10))
    }
}

fn digit(byte: u8) -> Option<u32> {
    let digit = byte.wrapping_sub(b'0');
    (digit < 10).then_some(u32::from(digit))
}

fn two(fixed: &[u8], at: usize) -> Option<u32> {
    let tens = digit(*fixed.get(at)?)?;
    let ones = digit(*fixed.get(at + 1)?)?;
    Some(tens * 10 + ones)
}

fn offset(rest: &[u8]) -> Option<i32> {
    if rest == b"Z" {
        return Some(0);
    }
    let (seconds, length) = read_offset(rest)?;
    (length == rest.len()).then_some(seconds)
}

fn naive(seconds: i64, nanoseconds: u32) -> Option<NaiveDateTime> {
    DateTime::from_timestamp(seconds, nanoseconds).map(|instant| instant.naive_utc())
}

fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970, by Howard Hinnant's `days_from_civil`: years begin in March, so that the leap
/// day comes last.
fn days_from_civil(year: u32, month: u32, day: u32) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = i64::from((153 * ((month + 9) % 12) + 2) / 5 + day - 1);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}
