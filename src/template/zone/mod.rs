//! Time zones by the names that poller configurations use.

mod names;

use std::fmt;

use chrono::{
    DateTime, FixedOffset, MappedLocalTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc,
};
use chrono_tz::{TZ_VARIANTS, Tz};

pub(super) use names::{offset_text, read_name, read_offset};

/// A time zone: UTC, a fixed offset, or a zone of the IANA database with its clock changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Zone {
    #[default]
    Utc,
    Fixed(FixedOffset),
    Named(Tz),
}

/// Why a zone's name can't be used, with the name to write instead where there is one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZoneError {
    #[error(
        "the time zone is blank; leave it out for GMT, or write one such as America/New_York or -6:00"
    )]
    Blank,
    #[error(
        "time zone {name:?} stands for one half of the year; write {instead}, or the fixed offset {offset}"
    )]
    HalfYear {
        name: String,
        instead: &'static str,
        offset: &'static str,
    },
    #[error("unknown time zone {name:?}; did you mean {instead}?")]
    Misspelt { name: String, instead: String },
    #[error(
        "unknown time zone {name:?}; write GMT, an IANA name such as America/New_York, or an offset such as -6:00"
    )]
    Unknown { name: String },
    #[error(
        "{name:?} is to be replaced by the account's time zone; write it, such as America/New_York or -6:00"
    )]
    Unfilled { name: String },
}

impl Zone {
    /// Reads a zone's name: `GMT`, `UTC`, `Z`, an IANA name, an offset (`-6:00`, `+0530`, `-6`,
    /// `GMT-06:00`), or one of Java's three-letter names with Java's meaning, as
    /// `TimeZone.getTimeZone` of JDK 17 has them: `PST` and `CST` change their clocks with Los
    /// Angeles and Chicago; `EST`, `MST` and `HST` are fixed at -5, -7 and -10; `IST` is India
    /// and `BST` Bangladesh.
    ///
    /// Where Java silently takes GMT for a name that it doesn't know (`EDT`, `PDT`, `-6:00`), an
    /// offset is read as it says and the rest is an error.
    pub fn parse(name: &str) -> Result<Zone, ZoneError> {
        let name = name.trim();
        if name.is_empty() {
            return Err(ZoneError::Blank);
        }
        if ["GMT", "UTC", "Z"]
            .iter()
            .any(|utc| name.eq_ignore_ascii_case(utc))
        {
            return Ok(Zone::Utc);
        }
        names::java_zone(name)
            .or_else(|| names::offset_zone(name))
            .or_else(|| name.parse().ok().map(Zone::Named))
            .ok_or_else(|| unknown(name))
    }

    /// The offset from UTC at an instant.
    pub fn offset_at(self, instant: DateTime<Utc>) -> FixedOffset {
        match self {
            Zone::Utc => Utc.fix(),
            Zone::Fixed(offset) => offset,
            Zone::Named(zone) => zone.offset_from_utc_datetime(&instant.naive_utc()).fix(),
        }
    }

    /// The instant of a local time, as Java's calendar resolves it. A time that the clocks skip
    /// is moved forward by what they skip (02:30 becomes 03:30); a time that they show twice is
    /// the second, in standard time. `None` beyond the years that chrono can hold.
    pub fn instant(self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        self.resolve(local, |_, second| second)
    }

    /// Like [`Zone::instant`], but the first of two.
    pub(super) fn earliest(self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        self.resolve(local, |first, _| first)
    }

    /// If the local time of an instant is one that the clocks show twice, the instant at which
    /// they showed the first of these times first: where 01:00 to 02:00 is repeated, the first
    /// 01:00. A record dated in that hour may have been written in either pass.
    pub fn repeated_hour_start(&self, instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let Zone::Named(zone) = self else { return None };
        let local = self.local(instant);
        let MappedLocalTime::Ambiguous(first, second) = zone.offset_from_local_datetime(&local)
        else {
            return None;
        };
        let (first, second) = (first.fix(), second.fix());
        let repeated = TimeDelta::seconds(i64::from(
            first.local_minus_utc() - second.local_minus_utc(),
        ));
        let change = self.clock_change(minus_offset(local, first)?, minus_offset(local, second)?);
        change.checked_sub_signed(repeated)
    }

    /// The local time at an instant; at the ends of chrono's years, UTC.
    pub(super) fn local(self, instant: DateTime<Utc>) -> NaiveDateTime {
        let utc = instant.naive_utc();
        utc.checked_add_offset(self.offset_at(instant))
            .unwrap_or(utc)
    }

    /// The name that Java's `z` prints: `PST` or `PDT` by the season, `GMT-06:00` without a name.
    pub(super) fn short_name(self, instant: DateTime<Utc>) -> String {
        let abbreviation = match self {
            Zone::Utc => Some("UTC".to_owned()),
            Zone::Fixed(_) => None,
            Zone::Named(zone) => {
                names::abbreviation(zone.offset_from_utc_datetime(&instant.naive_utc()))
            }
        };
        abbreviation.unwrap_or_else(|| format!("GMT{}", offset_text(self.offset_at(instant), ":")))
    }

    /// The name that Java's `zzzz` prints, `Pacific Standard Time`, for the zones in common use;
    /// elsewhere the short one.
    pub(super) fn long_name(self, instant: DateTime<Utc>) -> String {
        let short = self.short_name(instant);
        names::long_name(&short, self.offset_at(instant)).map_or(short, str::to_owned)
    }

    fn resolve(
        self,
        local: NaiveDateTime,
        choose: fn(DateTime<Utc>, DateTime<Utc>) -> DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let zone = match self {
            Zone::Utc => return Some(local.and_utc()),
            Zone::Fixed(offset) => return minus_offset(local, offset),
            Zone::Named(zone) => zone,
        };
        match zone.offset_from_local_datetime(&local) {
            MappedLocalTime::Single(offset) => minus_offset(local, offset.fix()),
            MappedLocalTime::Ambiguous(first, second) => Some(choose(
                minus_offset(local, first.fix())?,
                minus_offset(local, second.fix())?,
            )),
            MappedLocalTime::None => {
                // No zone has changed its clocks twice within two days of a gap.
                let before = local.checked_sub_signed(TimeDelta::hours(48))?.and_utc();
                minus_offset(local, self.offset_at(before))
            }
        }
    }

    /// The instant of the clock change between two instants with different offsets.
    fn clock_change(self, before: DateTime<Utc>, after: DateTime<Utc>) -> DateTime<Utc> {
        let old = self.offset_at(before);
        let (mut low, mut high) = (before.timestamp(), after.timestamp());
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let same = DateTime::from_timestamp(middle, 0)
                .is_some_and(|instant| self.offset_at(instant) == old);
            if same { low = middle } else { high = middle }
        }
        DateTime::from_timestamp(high, 0).unwrap_or(after)
    }
}

/// A name that [`Zone::parse`] reads back.
impl fmt::Display for Zone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Zone::Utc => formatter.write_str("GMT"),
            Zone::Fixed(offset) => formatter.write_str(&offset_text(*offset, ":")),
            Zone::Named(zone) => formatter.write_str(zone.name()),
        }
    }
}

fn minus_offset(local: NaiveDateTime, offset: FixedOffset) -> Option<DateTime<Utc>> {
    local.checked_sub_offset(offset).map(|utc| utc.and_utc())
}

fn unknown(name: &str) -> ZoneError {
    if name.contains(['{', '}']) {
        return ZoneError::Unfilled {
            name: name.to_owned(),
        };
    }
    if let Some((instead, offset)) = names::half_year(name) {
        return ZoneError::HalfYear {
            name: name.to_owned(),
            instead,
            offset,
        };
    }
    match nearest(name) {
        Some(instead) => ZoneError::Misspelt {
            name: name.to_owned(),
            instead: instead.to_owned(),
        },
        None => ZoneError::Unknown {
            name: name.to_owned(),
        },
    }
}

/// An IANA name that differs in case and spaces alone, or whose city that is.
fn nearest(name: &str) -> Option<&'static str> {
    let name = name.replace(' ', "_");
    let same = |zone: &&'static str| zone.eq_ignore_ascii_case(&name);
    let city = |zone: &&'static str| {
        zone.rsplit('/')
            .next()
            .is_some_and(|city| city.eq_ignore_ascii_case(&name))
    };
    let zones = || TZ_VARIANTS.iter().map(|zone| zone.name());
    zones().find(same).or_else(|| zones().find(city))
}

#[cfg(test)]
mod tests;
