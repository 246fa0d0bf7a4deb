//! The coarsest step that a date format can tell apart.

use chrono::{
    DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc,
};

use super::Zone;

/// What a date format rounds to, finest first, so that `max` is the coarsest.
///
/// The poll reaches back at least one unit, and rounds its bound down as the provider will see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    Nanoseconds,
    Microseconds,
    Milliseconds,
    Seconds,
    Minutes,
    Hours,
    Days,
    Weeks,
    Months,
    Years,
}

impl Unit {
    /// The longest that one unit lasts: a month is 31 days, a year 366; a day is 24 hours, and
    /// one hour more covers the day on which clocks go back.
    pub fn duration(self) -> TimeDelta {
        match self {
            Unit::Nanoseconds => TimeDelta::nanoseconds(1),
            Unit::Microseconds => TimeDelta::microseconds(1),
            Unit::Milliseconds => TimeDelta::milliseconds(1),
            Unit::Seconds => TimeDelta::seconds(1),
            Unit::Minutes => TimeDelta::minutes(1),
            Unit::Hours => TimeDelta::hours(1),
            Unit::Days => TimeDelta::hours(25),
            Unit::Weeks => TimeDelta::hours(7 * 24 + 1),
            Unit::Months => TimeDelta::hours(31 * 24 + 1),
            Unit::Years => TimeDelta::days(366),
        }
    }

    /// The earliest instant that prints like `instant` in `zone`: hours and what is finer are cut
    /// off the local time, days and what is coarser begin at local midnight, weeks on Sunday.
    pub fn floor(self, instant: DateTime<Utc>, zone: Zone) -> DateTime<Utc> {
        let local = zone.local(instant);
        let floored = match self {
            Unit::Nanoseconds => Some(instant),
            Unit::Days | Unit::Weeks | Unit::Months | Unit::Years => first_day(self, local.date())
                .and_then(|day| zone.earliest(day.and_time(NaiveTime::MIN))),
            _ => instant.checked_sub_signed(past_the_unit(self, local)),
        };
        floored.unwrap_or(instant)
    }
}

fn first_day(unit: Unit, day: NaiveDate) -> Option<NaiveDate> {
    match unit {
        Unit::Weeks => day.checked_sub_days(Days::new(day.weekday().num_days_from_sunday().into())),
        Unit::Months => day.with_day(1),
        Unit::Years => NaiveDate::from_ymd_opt(day.year(), 1, 1),
        _ => Some(day),
    }
}

fn past_the_unit(unit: Unit, local: NaiveDateTime) -> TimeDelta {
    let nanoseconds = u64::from(local.num_seconds_from_midnight()) * 1_000_000_000
        + u64::from(local.nanosecond());
    let step = unit
        .duration()
        .num_nanoseconds()
        .and_then(|step| u64::try_from(step).ok());
    let past = nanoseconds % step.unwrap_or(1).max(1);
    TimeDelta::nanoseconds(i64::try_from(past).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[rstest::rstest]
    #[case(Unit::Nanoseconds, "UTC", "2024-05-17T13:14:15.123456789Z")]
    #[case(Unit::Microseconds, "UTC", "2024-05-17T13:14:15.123456Z")]
    #[case(Unit::Milliseconds, "UTC", "2024-05-17T13:14:15.123Z")]
    #[case(Unit::Seconds, "UTC", "2024-05-17T13:14:15Z")]
    #[case(Unit::Minutes, "UTC", "2024-05-17T13:14:00Z")]
    #[case(Unit::Hours, "UTC", "2024-05-17T13:00:00Z")]
    #[case(Unit::Hours, "Asia/Kolkata", "2024-05-17T12:30:00Z")]
    #[case(Unit::Days, "UTC", "2024-05-17T00:00:00Z")]
    #[case(Unit::Days, "America/New_York", "2024-05-17T04:00:00Z")]
    #[case(Unit::Weeks, "UTC", "2024-05-12T00:00:00Z")]
    #[case(Unit::Months, "UTC", "2024-05-01T00:00:00Z")]
    #[case(Unit::Years, "-6:00", "2024-01-01T06:00:00Z")]
    fn an_instant_is_rounded_down_in_the_zone(
        #[case] unit: Unit,
        #[case] zone: &str,
        #[case] floored: &str,
    ) {
        let zone = Zone::parse(zone).unwrap();
        assert_eq!(
            unit.floor(at("2024-05-17T13:14:15.123456789Z"), zone),
            at(floored)
        );
    }

    #[test]
    fn instants_before_1970_are_rounded_down_too() {
        let floored = Unit::Seconds.floor(at("1969-12-31T23:59:58.5Z"), Zone::Utc);
        assert_eq!(floored, at("1969-12-31T23:59:58Z"));
    }

    #[test]
    fn a_day_whose_midnight_is_skipped_begins_at_its_first_instant() {
        let zone = Zone::parse("America/Sao_Paulo").unwrap();
        assert_eq!(
            Unit::Days.floor(at("2018-11-04T12:00:00Z"), zone),
            at("2018-11-04T03:00:00Z")
        );
    }

    #[test]
    fn the_ends_of_time_do_not_panic() {
        for instant in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            let zone = Zone::parse("+14:00").unwrap();
            assert!(Unit::Years.floor(instant, zone) <= instant);
        }
    }
}
