//! The letters of `SimpleDateFormat`.

use crate::template::Unit;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letter {
    Era,
    Year,
    WeekYear,
    Month,
    WeekOfYear,
    WeekOfMonth,
    DayOfYear,
    DayOfMonth,
    WeekdayOfMonth,
    WeekdayName,
    WeekdayNumber,
    HalfDay,
    Hour,
    HourFrom1,
    HalfDayHour,
    HalfDayHourFrom1,
    Minute,
    Second,
    Millisecond,
    ZoneName,
    Offset,
    IsoOffset,
}

impl Letter {
    pub(super) fn from_char(letter: char) -> Option<Letter> {
        Some(match letter {
            'G' => Letter::Era,
            'y' => Letter::Year,
            'Y' => Letter::WeekYear,
            'M' | 'L' => Letter::Month,
            'w' => Letter::WeekOfYear,
            'W' => Letter::WeekOfMonth,
            'D' => Letter::DayOfYear,
            'd' => Letter::DayOfMonth,
            'F' => Letter::WeekdayOfMonth,
            'E' => Letter::WeekdayName,
            'u' => Letter::WeekdayNumber,
            'a' => Letter::HalfDay,
            'H' => Letter::Hour,
            'k' => Letter::HourFrom1,
            'K' => Letter::HalfDayHour,
            'h' => Letter::HalfDayHourFrom1,
            'm' => Letter::Minute,
            's' => Letter::Second,
            'S' => Letter::Millisecond,
            'z' => Letter::ZoneName,
            'Z' => Letter::Offset,
            'X' => Letter::IsoOffset,
            _ => return None,
        })
    }

    /// For error messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Letter::Era => "an era (AD or BC)",
            Letter::Year => "a year",
            Letter::WeekYear => "the year of a week",
            Letter::Month => "a month",
            Letter::WeekOfYear => "a week of the year (1 to 53)",
            Letter::WeekOfMonth => "a week of the month (1 to 6)",
            Letter::DayOfYear => "a day of the year (1 to 366)",
            Letter::DayOfMonth => "a day of the month",
            Letter::WeekdayOfMonth => "which of the month's weekdays (1 to 5)",
            Letter::WeekdayName => "a weekday's English name",
            Letter::WeekdayNumber => "a weekday (1 to 7)",
            Letter::HalfDay => "AM or PM",
            Letter::Hour | Letter::HourFrom1 => "an hour (0 to 24)",
            Letter::HalfDayHour | Letter::HalfDayHourFrom1 => "an hour of half a day (0 to 12)",
            Letter::Minute => "a minute (0 to 59)",
            Letter::Second => "a second (0 to 60)",
            Letter::Millisecond => "a millisecond (0 to 999)",
            Letter::ZoneName => "a time zone",
            Letter::Offset | Letter::IsoOffset => "an offset such as +02:00 or Z",
        }
    }

    /// Whether a field of this width is digits alone, so that the one before it must keep to its
    /// width when nothing stands between.
    pub(super) fn is_number(self, width: usize) -> bool {
        match self {
            Letter::Era
            | Letter::WeekdayName
            | Letter::HalfDay
            | Letter::ZoneName
            | Letter::Offset
            | Letter::IsoOffset => false,
            Letter::Month => width <= 2,
            _ => true,
        }
    }

    pub(super) fn unit(self) -> Option<Unit> {
        match self {
            Letter::Year | Letter::WeekYear => Some(Unit::Years),
            Letter::Month => Some(Unit::Months),
            Letter::WeekOfYear | Letter::WeekOfMonth => Some(Unit::Weeks),
            Letter::DayOfYear
            | Letter::DayOfMonth
            | Letter::WeekdayOfMonth
            | Letter::WeekdayName
            | Letter::WeekdayNumber => Some(Unit::Days),
            Letter::Hour | Letter::HourFrom1 | Letter::HalfDayHour | Letter::HalfDayHourFrom1 => {
                Some(Unit::Hours)
            }
            Letter::Minute => Some(Unit::Minutes),
            Letter::Second => Some(Unit::Seconds),
            Letter::Millisecond => Some(Unit::Milliseconds),
            Letter::Era
            | Letter::HalfDay
            | Letter::ZoneName
            | Letter::Offset
            | Letter::IsoOffset => None,
        }
    }
}
