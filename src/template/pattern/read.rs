//! Reading a date by a pattern's items, one field after the other.

use chrono::{DateTime, Utc};

use super::fields::Fields;
use super::letter::Letter;
use super::{Item, Items, symbols};
use crate::template::Zone;
use crate::template::zone::{read_name, read_offset};

/// Years beyond these are no dates of records.
const MAX_YEAR: i64 = 99_999;

/// Two digits below this are of this century: POSIX's reading of `%y`.
const CENTURY_PIVOT: i64 = 69;

/// Why a text is no date of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at character {position}")]
pub struct ReadError {
    /// Counted from 1, in characters of the text.
    pub position: usize,
    pub expected: Expected,
}

/// What should have stood there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Expected {
    #[error("{0}")]
    Field(&'static str),
    #[error("{0:?}")]
    Literal(char),
    #[error("the end, since the format has no letter a for AM or PM,")]
    NoHalfDay,
    #[error("milliseconds since 1970 as a number")]
    Milliseconds,
}

impl ReadError {
    pub(super) fn new(text: &str, at: usize, expected: Expected) -> ReadError {
        let before = text
            .char_indices()
            .take_while(|(index, _)| *index < at)
            .count();
        ReadError {
            position: before + 1,
            expected,
        }
    }
}

pub(super) fn read(program: &Items, text: &str, zone: Zone) -> Result<DateTime<Utc>, ReadError> {
    let mut reader = Reader {
        text,
        at: 0,
        zone,
        fields: Fields::default(),
        starts: [(None, 0); STARTS],
    };
    let mut items = program.items.iter().peekable();
    while let Some(item) = items.next() {
        match item {
            Item::Literal(literal) => reader.literal(literal)?,
            Item::Fraction {
                separator: Some(_), ..
            } => reader.fraction()?,
            Item::Fraction {
                separator: None, ..
            } => reader.digits_of_fraction()?,
            Item::Field {
                letter,
                width,
                bounded,
            } => {
                reader.field(*letter, *width, *bounded)?;
                if *letter == Letter::Second && !bounded && !continues_with_point(items.peek()) {
                    reader.fraction()?;
                }
            }
        }
    }
    reader.rest(program)?;
    let found = reader.fields.instant(program.rules, zone);
    found.map_err(|letter| reader.error_in(letter))
}

fn continues_with_point(next: Option<&&Item>) -> bool {
    match next {
        Some(Item::Literal(literal)) => literal.starts_with(['.', ',']),
        Some(Item::Fraction { .. }) => true,
        _ => false,
    }
}

/// The letters whose place is kept, because only the whole date shows that they are wrong.
const STARTS: usize = 4;

struct Reader<'text> {
    text: &'text str,
    /// A byte offset that is always between two characters.
    at: usize,
    zone: Zone,
    fields: Fields,
    starts: [(Option<Letter>, usize); STARTS],
}

impl Reader<'_> {
    fn rest_of_text(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error(&self, expected: Expected) -> ReadError {
        ReadError::new(self.text, self.at, expected)
    }

    fn error_in(&self, letter: Letter) -> ReadError {
        let start = self
            .starts
            .iter()
            .find(|(kept, _)| *kept == Some(letter))
            .map_or(0, |(_, at)| *at);
        ReadError::new(self.text, start, Expected::Field(letter.name()))
    }

    fn keep_start(&mut self, letter: Letter) {
        let slot = match letter {
            Letter::DayOfMonth => 0,
            Letter::DayOfYear => 1,
            Letter::HalfDayHour => 2,
            Letter::Year => 3,
            _ => return,
        };
        if let Some(start) = self.starts.get_mut(slot) {
            *start = (Some(letter), self.at);
        }
    }

    fn literal(&mut self, literal: &str) -> Result<(), ReadError> {
        for expected in literal.chars() {
            if !self.rest_of_text().starts_with(expected) {
                return Err(self.error(Expected::Literal(expected)));
            }
            self.at += expected.len_utf8();
        }
        Ok(())
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest_of_text();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    fn field(&mut self, letter: Letter, width: usize, bounded: bool) -> Result<(), ReadError> {
        let end = if bounded {
            self.at + width
        } else {
            self.text.len()
        };
        self.skip_blanks();
        match letter {
            Letter::Era => self.fields.era = Some(self.name(letter, &symbols::ERAS)?),
            Letter::Month if width > 2 => {
                self.fields.month = Some(self.name(letter, &symbols::MONTHS)? + 1)
            }
            Letter::WeekdayName => {
                self.fields.weekday = Some(self.name(letter, &symbols::WEEKDAYS)?)
            }
            Letter::HalfDay => self.fields.half_day = Some(self.name(letter, &symbols::HALF_DAYS)?),
            Letter::ZoneName | Letter::Offset | Letter::IsoOffset => self.offset(letter)?,
            _ => self.number(letter, end)?,
        }
        Ok(())
    }

    fn name(&mut self, letter: Letter, names: &[&'static str]) -> Result<i64, ReadError> {
        let found = symbols::find(names, self.rest_of_text());
        let (index, length) = found.ok_or_else(|| self.error(Expected::Field(letter.name())))?;
        self.at += length;
        Ok(i64::try_from(index).unwrap_or(0))
    }

    fn offset(&mut self, letter: Letter) -> Result<(), ReadError> {
        let rest = self.rest_of_text();
        let lone_z =
            rest.starts_with('Z') && !rest.as_bytes().get(1).is_some_and(u8::is_ascii_alphabetic);
        let found = if lone_z {
            Some((0, 1))
        } else {
            let named = || {
                (letter != Letter::IsoOffset)
                    .then(|| read_name(rest, self.zone))
                    .flatten()
            };
            read_offset(rest.as_bytes()).or_else(named)
        };
        let (seconds, length) = found.ok_or_else(|| self.error(Expected::Field(letter.name())))?;
        self.fields.offset = Some(seconds);
        self.at += length;
        Ok(())
    }

    fn number(&mut self, letter: Letter, end: usize) -> Result<(), ReadError> {
        let start = self.at;
        let room = if end > self.text.len() {
            0
        } else {
            end.saturating_sub(start)
        };
        let digits = || {
            self.text
                .bytes()
                .skip(start)
                .take(room)
                .take_while(u8::is_ascii_digit)
        };
        let length = digits().count();
        let number = digits().fold(0_i64, |sum, digit| {
            sum.saturating_mul(10)
                .saturating_add(i64::from(digit - b'0'))
        });
        if length == 0 || !self.set(letter, number, length) {
            return Err(self.error(Expected::Field(letter.name())));
        }
        self.at += length;
        Ok(())
    }

    /// Whether the number is in the letter's range.
    fn set(&mut self, letter: Letter, number: i64, length: usize) -> bool {
        self.keep_start(letter);
        let fields = &mut self.fields;
        let (slot, value, range) = match letter {
            Letter::Year => (&mut fields.year, century(number, length), 0..=MAX_YEAR),
            Letter::WeekYear => (&mut fields.week_year, century(number, length), 0..=MAX_YEAR),
            Letter::Month => (&mut fields.month, number, 1..=12),
            Letter::WeekOfYear => (&mut fields.week_of_year, number, 1..=53),
            Letter::WeekOfMonth => (&mut fields.week_of_month, number, 1..=6),
            Letter::DayOfYear => (&mut fields.day_of_year, number, 1..=366),
            Letter::DayOfMonth => (&mut fields.day_of_month, number, 1..=31),
            Letter::WeekdayOfMonth => (&mut fields.weekday_of_month, number, 1..=5),
            Letter::WeekdayNumber => (
                &mut fields.weekday,
                if number == 7 { 0 } else { number },
                0..=6,
            ),
            Letter::Hour => (&mut fields.hour, number, 0..=24),
            Letter::HourFrom1 => (
                &mut fields.hour,
                if number == 24 { 0 } else { number },
                0..=23,
            ),
            Letter::HalfDayHour => (&mut fields.half_day_hour, number, 0..=23),
            Letter::HalfDayHourFrom1 => (
                &mut fields.half_day_hour,
                if number == 12 { 0 } else { number },
                0..=23,
            ),
            Letter::Minute => (&mut fields.minute, number, 0..=59),
            Letter::Second => (&mut fields.second, number, 0..=60),
            Letter::Millisecond => (
                &mut fields.nanosecond,
                number.saturating_mul(1_000_000),
                0..=999_000_000,
            ),
            _ => return false,
        };
        *slot = Some(value);
        range.contains(&value)
    }

    /// A fraction that may be missing: many programs leave out one that is zero.
    fn fraction(&mut self) -> Result<(), ReadError> {
        if self.rest_of_text().starts_with(['.', ',']) {
            self.at += 1;
            return self.digits_of_fraction();
        }
        Ok(())
    }

    fn digits_of_fraction(&mut self) -> Result<(), ReadError> {
        let (nanoseconds, length) = nanoseconds(self.rest_of_text());
        if length == 0 {
            return Err(self.error(Expected::Field("a fraction of a second")));
        }
        self.fields.nanosecond = Some(nanoseconds);
        self.at += length;
        Ok(())
    }

    /// Text after the date is left alone, as `DateFormat.parse(String)` does, unless it changes
    /// the date.
    fn rest(&mut self, program: &Items) -> Result<(), ReadError> {
        let rest = self.rest_of_text().trim();
        if rest.is_empty() {
            return Ok(());
        }
        if program.rules.hours && !program.rules.half_days && starts_with_half_day(rest) {
            return Err(self.error(Expected::NoHalfDay));
        }
        // The `-15` after `2024-01` is no offset.
        if !program.rules.zone && (program.rules.hours || rest.contains(':')) {
            self.fields.offset = offset_alone(rest);
        }
        Ok(())
    }
}

fn century(year: i64, length: usize) -> i64 {
    match length {
        2 if year < CENTURY_PIVOT => 2000 + year,
        2 => 1900 + year,
        _ => year,
    }
}

/// The nanoseconds that the digits at the start of a text are as decimals, and how many they are.
fn nanoseconds(text: &str) -> (i64, usize) {
    let digits = || text.bytes().take_while(u8::is_ascii_digit);
    let padded = digits().chain(std::iter::repeat(b'0')).take(9);
    (
        padded.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')),
        digits().count(),
    )
}

fn starts_with_half_day(rest: &str) -> bool {
    let mut letters = rest.chars().take_while(char::is_ascii_alphabetic);
    symbols::find(&symbols::HALF_DAYS, rest).is_some() && letters.by_ref().count() == 2
}

fn offset_alone(rest: &str) -> Option<i32> {
    if ["Z", "UTC", "GMT"]
        .iter()
        .any(|utc| rest.eq_ignore_ascii_case(utc))
    {
        return Some(0);
    }
    read_offset(rest.as_bytes())
        .filter(|(_, length)| *length == rest.len())
        .map(|(seconds, _)| seconds)
}
