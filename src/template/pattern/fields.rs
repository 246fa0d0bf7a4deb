//! From the fields read out of a date to an instant, as Java's calendar chooses among them.

use chrono::{DateTime, Datelike, Days, FixedOffset, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::calendar;
use super::letter::Letter;
use crate::template::Zone;

/// Which fields of a pattern decide, where several could: `Calendar` takes the ones set last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    day: DayRule,
    hour: HourRule,
    pub(super) half_days: bool,
    pub(super) hours: bool,
    pub(super) zone: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DayRule {
    DayOfMonth,
    WeekOfMonth,
    WeekdayOfMonth,
    DayOfYear,
    WeekOfYear,
    WeekDate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HourRule {
    Hour,
    HalfDayHour,
}

/// The numbers of a date, `None` where the pattern has no such field. Weekdays count from Sunday
/// as 0; `half_day` and `era` are 1 for PM and AD.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fields {
    pub(super) era: Option<i64>,
    pub(super) year: Option<i64>,
    pub(super) week_year: Option<i64>,
    pub(super) month: Option<i64>,
    pub(super) week_of_year: Option<i64>,
    pub(super) week_of_month: Option<i64>,
    pub(super) day_of_year: Option<i64>,
    pub(super) day_of_month: Option<i64>,
    pub(super) weekday_of_month: Option<i64>,
    pub(super) weekday: Option<i64>,
    pub(super) half_day: Option<i64>,
    pub(super) hour: Option<i64>,
    pub(super) half_day_hour: Option<i64>,
    pub(super) minute: Option<i64>,
    pub(super) second: Option<i64>,
    pub(super) nanosecond: Option<i64>,
    /// Seconds east of Greenwich.
    pub(super) offset: Option<i32>,
}

/// Where each letter stands last in a pattern, from 1; 0 where it doesn't.
struct Stamps(Vec<Letter>);

impl Stamps {
    fn of(&self, letter: Letter) -> usize {
        self.0
            .iter()
            .rposition(|other| *other == letter)
            .map_or(0, |index| index + 1)
    }

    fn either(&self, one: Letter, other: Letter) -> usize {
        self.of(one).max(self.of(other))
    }

    fn day_rule(&self) -> DayRule {
        let weekday = self.either(Letter::WeekdayName, Letter::WeekdayNumber);
        let week_of_month = self.of(Letter::WeekOfMonth);
        let week_of_year = self.of(Letter::WeekOfYear);
        let weekday_of_month = self.of(Letter::WeekdayOfMonth);
        if self.of(Letter::WeekYear) > self.of(Letter::Year) {
            return DayRule::WeekDate;
        }
        let complete = [
            (self.of(Letter::DayOfMonth), DayRule::DayOfMonth),
            (both(week_of_month, weekday), DayRule::WeekOfMonth),
            (both(weekday_of_month, weekday), DayRule::WeekdayOfMonth),
            (self.of(Letter::DayOfYear), DayRule::DayOfYear),
            (both(week_of_year, weekday), DayRule::WeekOfYear),
        ];
        let alone = [
            (week_of_month, DayRule::WeekOfMonth),
            (weekday_of_month.max(weekday), DayRule::WeekdayOfMonth),
            (week_of_year, DayRule::WeekOfYear),
        ];
        latest(&complete)
            .or_else(|| latest(&alone))
            .unwrap_or(DayRule::DayOfMonth)
    }
}

fn both(one: usize, other: usize) -> usize {
    if one == 0 || other == 0 {
        0
    } else {
        one.max(other)
    }
}

/// The rule with the highest stamp, the first of equals.
fn latest(rules: &[(usize, DayRule)]) -> Option<DayRule> {
    let set = rules.iter().filter(|(stamp, _)| *stamp > 0);
    set.reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, rule)| *rule)
}

impl Rules {
    pub(super) fn of(letters: impl Iterator<Item = Letter>) -> Rules {
        let stamps = Stamps(letters.collect());
        let hour = stamps.either(Letter::Hour, Letter::HourFrom1);
        let half_day_hour = stamps.either(Letter::HalfDayHour, Letter::HalfDayHourFrom1);
        let half_day = stamps.of(Letter::HalfDay);
        let halves_decide = hour == 0 || both(half_day_hour, half_day) > hour;
        let zones = [Letter::ZoneName, Letter::Offset, Letter::IsoOffset];
        Rules {
            day: stamps.day_rule(),
            hour: if halves_decide {
                HourRule::HalfDayHour
            } else {
                HourRule::Hour
            },
            half_days: half_day > 0,
            hours: hour > 0 || half_day_hour > 0,
            zone: zones.iter().any(|zone| stamps.of(*zone) > 0),
        }
    }

    /// Whether 03:00 and 15:00 are written alike.
    pub(super) fn confuses_halves(self) -> bool {
        self.hours && self.hour == HourRule::HalfDayHour && !self.half_days
    }
}

impl Fields {
    /// The instant that the fields stand for; missing ones are those of 1970-01-01 00:00:00.
    /// `Err` names the letter that is out of range.
    pub(super) fn instant(&self, rules: Rules, zone: Zone) -> Result<DateTime<Utc>, Letter> {
        let seconds =
            self.hour(rules)? * 3600 + self.minute.unwrap_or(0) * 60 + self.second.unwrap_or(0);
        let time =
            TimeDelta::seconds(seconds) + TimeDelta::nanoseconds(self.nanosecond.unwrap_or(0));
        let date = self.date(rules.day)?;
        let local = date.and_time(NaiveTime::MIN).checked_add_signed(time);
        let instant = match self.offset.and_then(FixedOffset::east_opt) {
            Some(offset) => local.and_then(|local| Zone::Fixed(offset).instant(local)),
            None => local.and_then(|local| zone.instant(local)),
        };
        instant.ok_or(Letter::Year)
    }

    fn hour(&self, rules: Rules) -> Result<i64, Letter> {
        let hour = match rules.hour {
            HourRule::Hour => return Ok(self.hour.unwrap_or(0)),
            HourRule::HalfDayHour => self.half_day_hour.unwrap_or(0),
        };
        match self.half_day {
            Some(_) if hour > 11 => Err(Letter::HalfDayHour),
            half_day => Ok(hour + 12 * half_day.unwrap_or(0)),
        }
    }

    fn date(&self, rule: DayRule) -> Result<NaiveDate, Letter> {
        let weekday = self.weekday.unwrap_or(0);
        match rule {
            DayRule::DayOfMonth => {
                let day = u32::try_from(self.day_of_month.unwrap_or(1)).ok();
                day.and_then(|day| self.first_of_month()?.with_day(day))
                    .ok_or(Letter::DayOfMonth)
            }
            DayRule::DayOfYear => self.day_of_year(),
            DayRule::WeekOfMonth => {
                let week = self.week_of_month.unwrap_or(1);
                self.first_of_month()
                    .and_then(|first| calendar::in_week(first, week, weekday))
                    .ok_or(Letter::Year)
            }
            DayRule::WeekdayOfMonth => {
                let nth = self.weekday_of_month.unwrap_or(1);
                self.first_of_month()
                    .and_then(|first| calendar::nth_weekday(first, nth, weekday))
                    .ok_or(Letter::Year)
            }
            DayRule::WeekOfYear => self.in_week(self.year(), weekday),
            DayRule::WeekDate => self.in_week(self.week_year, weekday),
        }
    }

    fn day_of_year(&self) -> Result<NaiveDate, Letter> {
        let first = self.first_of_year(self.year()).ok_or(Letter::Year)?;
        let days =
            u64::try_from(self.day_of_year.unwrap_or(1) - 1).map_err(|_| Letter::DayOfYear)?;
        let date = first
            .checked_add_days(Days::new(days))
            .filter(|date| date.year() == first.year());
        date.ok_or(Letter::DayOfYear)
    }

    fn in_week(&self, year: Option<i64>, weekday: i64) -> Result<NaiveDate, Letter> {
        let first = self.first_of_year(year).ok_or(Letter::Year)?;
        calendar::in_week(first, self.week_of_year.unwrap_or(1), weekday).ok_or(Letter::Year)
    }

    fn first_of_month(&self) -> Option<NaiveDate> {
        let month = u32::try_from(self.month.unwrap_or(1)).ok()?;
        self.first_of_year(self.year())?.with_month(month)
    }

    fn first_of_year(&self, year: Option<i64>) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(i32::try_from(year.unwrap_or(1970)).ok()?, 1, 1)
    }

    /// The year as ISO 8601 counts, 0 before 1.
    fn year(&self) -> Option<i64> {
        let before = self.era == Some(0);
        self.year.map(|year| if before { 1 - year } else { year })
    }
}
