//! The zone names of Java, and those that stand inside dates.

use chrono::{DateTime, FixedOffset, Offset, TimeZone, Utc};
use chrono_tz::{OffsetName, Tz};

use super::Zone;

/// `TimeZone.getTimeZone`'s three-letter names that IANA doesn't have.
const JAVA_ZONES: [(&str, Tz); 25] = [
    ("ACT", Tz::Australia__Darwin),
    ("AET", Tz::Australia__Sydney),
    ("AGT", Tz::America__Argentina__Buenos_Aires),
    ("ART", Tz::Africa__Cairo),
    ("AST", Tz::America__Anchorage),
    ("BET", Tz::America__Sao_Paulo),
    ("BST", Tz::Asia__Dhaka),
    ("CAT", Tz::Africa__Harare),
    ("CNT", Tz::America__St_Johns),
    ("CST", Tz::America__Chicago),
    ("CTT", Tz::Asia__Shanghai),
    ("EAT", Tz::Africa__Addis_Ababa),
    ("ECT", Tz::Europe__Paris),
    ("IET", Tz::America__Indiana__Indianapolis),
    ("IST", Tz::Asia__Kolkata),
    ("JST", Tz::Asia__Tokyo),
    ("MIT", Tz::Pacific__Apia),
    ("NET", Tz::Asia__Yerevan),
    ("NST", Tz::Pacific__Auckland),
    ("PLT", Tz::Asia__Karachi),
    ("PNT", Tz::America__Phoenix),
    ("PRT", Tz::America__Puerto_Rico),
    ("PST", Tz::America__Los_Angeles),
    ("SST", Tz::Pacific__Guadalcanal),
    ("VST", Tz::Asia__Ho_Chi_Minh),
];

/// Summer names that name no zone: Java takes GMT for them without a word.
const HALF_YEARS: [(&str, &str, &str); 7] = [
    ("EDT", "America/New_York", "-4:00"),
    ("CDT", "America/Chicago", "-5:00"),
    ("MDT", "America/Denver", "-6:00"),
    ("PDT", "America/Los_Angeles", "-7:00"),
    ("AKDT", "America/Anchorage", "-8:00"),
    ("CEST", "Europe/Paris", "+2:00"),
    ("EEST", "Europe/Helsinki", "+3:00"),
];

/// Names inside dates, with Java's long form and the offset in minutes.
const NAMES: [(&str, &str, i32); 28] = [
    ("UTC", "Coordinated Universal Time", 0),
    ("GMT", "Greenwich Mean Time", 0),
    ("EST", "Eastern Standard Time", -300),
    ("EDT", "Eastern Daylight Time", -240),
    ("CST", "Central Standard Time", -360),
    ("CDT", "Central Daylight Time", -300),
    ("MST", "Mountain Standard Time", -420),
    ("MDT", "Mountain Daylight Time", -360),
    ("PST", "Pacific Standard Time", -480),
    ("PDT", "Pacific Daylight Time", -420),
    ("AKST", "Alaska Standard Time", -540),
    ("AKDT", "Alaska Daylight Time", -480),
    ("HST", "Hawaii-Aleutian Standard Time", -600),
    ("BST", "British Summer Time", 60),
    ("WET", "Western European Standard Time", 0),
    ("WEST", "Western European Summer Time", 60),
    ("CET", "Central European Standard Time", 60),
    ("CEST", "Central European Summer Time", 120),
    ("EET", "Eastern European Standard Time", 120),
    ("EEST", "Eastern European Summer Time", 180),
    ("MSK", "Moscow Standard Time", 180),
    ("IST", "India Standard Time", 330),
    ("JST", "Japan Standard Time", 540),
    ("KST", "Korean Standard Time", 540),
    ("AEST", "Australian Eastern Standard Time", 600),
    ("AEDT", "Australian Eastern Daylight Time", 660),
    ("NZST", "New Zealand Standard Time", 720),
    ("NZDT", "New Zealand Daylight Time", 780),
];

pub(super) fn java_zone(name: &str) -> Option<Zone> {
    JAVA_ZONES
        .iter()
        .find(|(java, _)| *java == name)
        .map(|(_, zone)| Zone::Named(*zone))
}

/// `-6:00`, `+0530`, `-6`, with or without `GMT` or `UTC` before it.
pub(super) fn offset_zone(name: &str) -> Option<Zone> {
    let upper = name.to_ascii_uppercase();
    let digits = upper
        .strip_prefix("GMT")
        .or_else(|| upper.strip_prefix("UTC"))
        .unwrap_or(&upper);
    let (seconds, length) = read_offset(digits.as_bytes())?;
    (length == digits.len()).then(|| FixedOffset::east_opt(seconds).map(Zone::Fixed))?
}

pub(super) fn half_year(name: &str) -> Option<(&'static str, &'static str)> {
    let found = HALF_YEARS
        .iter()
        .find(|(half, ..)| half.eq_ignore_ascii_case(name));
    found.map(|(_, instead, offset)| (*instead, *offset))
}

/// The IANA database has numbers where a zone has no name.
pub(super) fn abbreviation(offset: impl OffsetName) -> Option<String> {
    let name = offset.abbreviation()?;
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        .then(|| name.to_owned())
}

pub(super) fn long_name(short: &str, offset: FixedOffset) -> Option<&'static str> {
    let minutes = offset.local_minus_utc() / 60;
    NAMES
        .iter()
        .find(|(name, _, of)| *name == short && *of == minutes)
        .map(|(_, long, _)| *long)
}

/// An offset as ISO 8601 writes it: `+05:30` with `:`, `+0530` with nothing between.
pub(crate) fn offset_text(offset: FixedOffset, separator: &str) -> String {
    let minutes = offset.local_minus_utc() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    format!(
        "{sign}{:02}{separator}{:02}",
        minutes.abs() / 60,
        minutes.abs() % 60
    )
}

/// Reads `±h`, `±hh`, `±hmm`, `±hhmm`, `±h:mm` or `±hh:mm` at the start of a text: seconds east,
/// and how many bytes that took.
pub(crate) fn read_offset(text: &[u8]) -> Option<(i32, usize)> {
    let sign = match text.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let run = digits_at(text, 1);
    // A longer run is no offset, and may be more than a number can hold.
    let first = number_at(text, 1, run.min(4));
    let (hours, minutes, length) = match run {
        1 | 2 if text.get(1 + run) == Some(&b':') => {
            let minutes = (digits_at(text, 2 + run) == 2).then(|| number_at(text, 2 + run, 2))?;
            (first, minutes, 4 + run)
        }
        1 | 2 => (first, 0, 1 + run),
        3 | 4 => (first / 100, first % 100, 1 + run),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some((sign * (hours * 60 + minutes) * 60, length))
}

fn digits_at(text: &[u8], start: usize) -> usize {
    text.iter()
        .skip(start)
        .take_while(|byte| byte.is_ascii_digit())
        .count()
}

fn number_at(text: &[u8], start: usize, length: usize) -> i32 {
    let digits = text.iter().skip(start).take(length);
    digits.fold(0, |number, digit| number * 10 + i32::from(digit - b'0'))
}

/// Reads a zone's name at the start of a text, in any case, the names of `zone` first, since
/// `IST` is Israel's in Jerusalem and India's elsewhere; the longest name wins. Gives seconds
/// east and the bytes taken.
pub(crate) fn read_name(text: &str, zone: Zone) -> Option<(i32, usize)> {
    if let Some(offset) = utc_with_offset(text) {
        return Some(offset);
    }
    let known = NAMES
        .iter()
        .flat_map(|(short, long, minutes)| [(*short, *minutes), (*long, *minutes)]);
    let known = known.filter(|(name, _)| starts_with(text, name));
    let known = known.map(|(name, minutes)| (minutes * 60, name.len()));
    let candidates = own_name(text, zone).into_iter().chain(known);
    candidates.reduce(|best, next| if next.1 > best.1 { next } else { best })
}

/// `GMT+05:30`
fn utc_with_offset(text: &str) -> Option<(i32, usize)> {
    let prefixed = starts_with(text, "GMT") || starts_with(text, "UTC");
    let (seconds, length) = read_offset(text.as_bytes().get(3..).filter(|_| prefixed)?)?;
    Some((seconds, length + 3))
}

fn own_name(text: &str, zone: Zone) -> Option<(i32, usize)> {
    let Zone::Named(tz) = zone else { return None };
    // A day of winter and one of summer.
    [1_705_276_800, 1_721_001_600]
        .into_iter()
        .find_map(|second| {
            let instant = DateTime::<Utc>::from_timestamp(second, 0)?;
            let offset = tz.offset_from_utc_datetime(&instant.naive_utc());
            let name = abbreviation(offset).filter(|name| starts_with(text, name))?;
            Some((offset.fix().local_minus_utc(), name.len()))
        })
}

fn starts_with(text: &str, name: &str) -> bool {
    text.get(..name.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(name))
}
