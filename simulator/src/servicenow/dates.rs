//! Dates as fields and queries spell them: to the second and without a zone, which is GMT where they are stored.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

const FORMAT: &str = "%Y-%m-%d %H:%M:%S";

pub(super) fn print(at: DateTime<Utc>) -> String {
    at.format(FORMAT).to_string()
}

pub(super) fn is_date(text: &str) -> bool {
    read(text).is_some()
}

/// The date by so much later; nothing if the text is no date.
pub(super) fn shifted(text: &str, by: TimeDelta) -> Option<String> {
    let date = read(text)?.checked_add_signed(by)?;
    Some(date.format(FORMAT).to_string())
}

fn read(text: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(text, FORMAT).ok()
}
