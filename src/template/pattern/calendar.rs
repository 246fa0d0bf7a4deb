//! Weeks as the US calendar of Java counts them: from Sunday, the first being the one with the
//! first day of the year or month.

use chrono::{Datelike, Days, NaiveDate, TimeDelta};

pub(super) fn week_year(date: NaiveDate) -> i32 {
    let saturday = date.checked_add_days(Days::new((6 - days_after_sunday(date)).into()));
    saturday.unwrap_or(date).year()
}

pub(super) fn week_of_year(date: NaiveDate) -> u32 {
    if week_year(date) > date.year() {
        return 1;
    }
    week(date.ordinal0(), date)
}

pub(super) fn week_of_month(date: NaiveDate) -> u32 {
    week(date.day0(), date)
}

/// Which week a date is in, counted from the one that holds the day `days` before it.
fn week(days: u32, date: NaiveDate) -> u32 {
    let first = (days_after_sunday(date) + 7 * 53 - days) % 7;
    (days + first) / 7 + 1
}

fn days_after_sunday(date: NaiveDate) -> u32 {
    date.weekday().num_days_from_sunday()
}

/// A weekday of the week numbered `week` (1 is the one that holds `first`).
pub(super) fn in_week(first: NaiveDate, week: i64, days_after_sunday: i64) -> Option<NaiveDate> {
    let from_sunday = i64::from(first.weekday().num_days_from_sunday());
    first.checked_add_signed(TimeDelta::days(
        7 * (week - 1) + days_after_sunday - from_sunday,
    ))
}

/// The `nth` of a weekday from `first` on.
pub(super) fn nth_weekday(first: NaiveDate, nth: i64, days_after_sunday: i64) -> Option<NaiveDate> {
    let from_sunday = i64::from(first.weekday().num_days_from_sunday());
    let wait = (days_after_sunday - from_sunday).rem_euclid(7);
    first.checked_add_signed(TimeDelta::days(wait + 7 * (nth - 1)))
}
