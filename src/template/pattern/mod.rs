//! Date patterns of Java's `SimpleDateFormat`, compiled once.

mod calendar;
mod compile;
mod fields;
mod layout;
mod letter;
mod milliseconds;
mod print;
mod read;
mod symbols;

use std::{fmt, sync::Arc};

use chrono::{DateTime, Utc};

use self::fields::Rules;
use self::layout::Layout;
use self::letter::Letter;
use super::{Unit, Zone};

pub use compile::PatternError;
pub use read::ReadError;

/// How a provider writes its dates: a pattern of Java's `SimpleDateFormat` with US English texts
/// (`yyyy-MM-dd'T'HH:mm:ssXXX`), or `milliseconds` since 1970.
///
/// Clones share what was compiled: a poller has several, and there are many pollers.
#[derive(Clone)]
pub struct DatePattern {
    source: Arc<str>,
    program: Arc<Program>,
}

#[derive(Debug)]
enum Program {
    Milliseconds,
    Items(Items),
}

#[derive(Debug)]
struct Items {
    items: Box<[Item]>,
    rules: Rules,
    unit: Unit,
    layout: Option<Layout>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Literal(String),
    /// `bounded` where another number follows at once: the field then has exactly its width.
    Field {
        letter: Letter,
        width: usize,
        bounded: bool,
    },
    /// `S` right after the seconds, or after a `.` or `,` that follows them.
    Fraction {
        separator: Option<char>,
        width: usize,
    },
}

impl DatePattern {
    /// Compiles a pattern. All letters of `SimpleDateFormat` are known: `G y Y M L w W D d F E u
    /// a H k K h m s S z Z X`; text between single quotes stands for itself, `''` is a quote.
    /// Fails on other letters, an open quote, more than three `X`, nothing that tells a day or time, and `Y`, the year of a week,
    /// beside a month or a day without a week, where `y` was meant.
    pub fn parse(pattern: &str) -> Result<DatePattern, PatternError> {
        let program = match pattern {
            "milliseconds" => Program::Milliseconds,
            _ => Program::Items(compile::compile(pattern)?),
        };
        Ok(DatePattern {
            source: pattern.into(),
            program: Arc::new(program),
        })
    }

    /// Writes an instant as the pattern says, in `zone`. Differs from Java in three things:
    ///
    /// - `S` after the seconds prints a fraction with as many digits, at least three (close.io's
    ///   `SSSSSS` are microseconds; Java prints milliseconds padded with zeros).
    /// - Dates before 15 October 1582 are Gregorian, as ISO 8601 and all providers have them.
    /// - A zone without a name prints as `GMT-03:00` under `z`.
    pub fn print(&self, instant: DateTime<Utc>, zone: Zone) -> String {
        let mut text = String::with_capacity(self.source.len() + 8);
        self.print_to(&mut text, instant, zone);
        text
    }

    /// [`DatePattern::print`] into a text that is there already.
    pub(super) fn print_to(&self, text: &mut String, instant: DateTime<Utc>, zone: Zone) {
        match &*self.program {
            Program::Milliseconds => text.push_str(&instant.timestamp_millis().to_string()),
            Program::Items(program) => print::print(&program.items, text, instant, zone),
        }
    }

    /// Reads a date; `zone` is where the text is local, unless it names a zone or offset itself.
    ///
    /// Reads what Java reads with `setLenient(true)`, its default: short and long numbers, blanks
    /// before fields, month and day names in both lengths and any case, a wrong weekday, and text
    /// after the date. Where that loses or corrupts data, the date is read for what it says:
    ///
    /// - Fractions of seconds are fractions however many digits there are, whatever the count of
    ///   `S`, and also where there are none, or `S` isn't in the pattern. Java reads six digits
    ///   as so many milliseconds, which is minutes.
    /// - An offset or `Z` is read in every ISO form under `X`, `Z` and `z`, and after a pattern
    ///   that ends without one. Java drops `+02:00` there, and the `30` of `+0530` under `X`.
    /// - Fields out of range are errors: month 13, 30 February, minute 60. Java carries them over,
    ///   so that 25/12/2024 under `MM/dd/yyyy` becomes January 2026. Hour 24 and second 60, which
    ///   ISO 8601 knows, are carried over.
    /// - `AM` or `PM` after a pattern that has no `a` is an error. Java drops it.
    /// - Two digits of a year are 1969 to 2068, as POSIX has it. Java's window moves with the
    ///   start of the process, and under `yyyy` it reads the year 24.
    /// - Dates before 15 October 1582 are Gregorian.
    ///
    /// `milliseconds` reads a whole number, negative before 1970, or one as floating-point
    /// printers spell it (`1.534E12`).
    ///
    /// Local times that the clocks skip or repeat are resolved as [`Zone::instant`] says.
    pub fn read(&self, text: &str, zone: Zone) -> Result<DateTime<Utc>, ReadError> {
        match &*self.program {
            Program::Milliseconds => milliseconds::read(text),
            Program::Items(program) => {
                let quick = program
                    .layout
                    .as_ref()
                    .and_then(|layout| layout.read(text.as_bytes(), zone));
                quick.map_or_else(|| read::read(program, text, zone), Ok)
            }
        }
    }

    /// The finest unit that the pattern writes. With `h` or `K` but no `a` that is a day, since
    /// morning and evening look alike.
    pub fn unit(&self) -> Unit {
        match &*self.program {
            Program::Milliseconds => Unit::Milliseconds,
            Program::Items(program) => program.unit,
        }
    }
}

/// The pattern as it was written.
impl fmt::Display for DatePattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.source)
    }
}

impl fmt::Debug for DatePattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DatePattern({:?})", self.source)
    }
}

impl PartialEq for DatePattern {
    fn eq(&self, other: &DatePattern) -> bool {
        self.source == other.source
    }
}

impl Eq for DatePattern {}

#[cfg(test)]
mod tests;
