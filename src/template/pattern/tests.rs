use proptest::prelude::*;

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn pattern(text: &str) -> DatePattern {
    DatePattern::parse(text).unwrap()
}

fn read(format: &str, text: &str) -> Result<DateTime<Utc>, ReadError> {
    pattern(format).read(text, Zone::Utc)
}

#[rstest::rstest]
#[case("", "the date format is blank")]
#[case("  ", "the date format is blank")]
#[case("yyyy-MM-ddTHH:mm", "'T' in column 11 is no letter of a date")]
#[case("milliseconds'", "'i' in column 2 is no letter of a date")]
#[case("yyyy-MM-dd'T'HH:mm:ssXXX'", "the quote in column 25 is not closed")]
#[case("yyyy-MM-ddXXXX", "4 X in column 11; write X, XX or XXX")]
#[case(
    "YYYY-MM-dd",
    "Y in column 1 is the year that a week belongs to; write y"
)]
#[case("dd/MM/YYYY", "Y in column 7")]
#[case("'today'", "tells neither a day nor a time")]
#[case("XXX", "tells neither a day nor a time")]
fn a_broken_pattern_names_the_place(#[case] text: &str, #[case] problem: &str) {
    let error = DatePattern::parse(text).unwrap_err().to_string();
    assert!(error.contains(problem), "{error}");
}

#[rstest::rstest]
#[case("yyyy-MM-dd", "2024-13-05", "expected a month at character 6")]
#[case(
    "yyyy-MM-dd",
    "2024-02-30",
    "expected a day of the month at character 9"
)]
#[case("yyyy-MM-dd", "2024/02/03", "expected '-' at character 5")]
#[case(
    "yyyy-DDD",
    "2023-366",
    "expected a day of the year (1 to 366) at character 6"
)]
#[case(
    "hh:mm a",
    "15:00 PM",
    "expected an hour of half a day (0 to 12) at character 1"
)]
#[case("d MMM yyyy", "5 Mäi 2024", "expected a month at character 3")]
#[case("'ü'yyyy", "üx", "expected a year at character 2")]
#[case(
    "HH:mm",
    "10:30 pm",
    "expected the end, since the format has no letter a for AM or PM, at character 6"
)]
#[case(
    "HH:mmXXX",
    "10:30",
    "expected an offset such as +02:00 or Z at character 6"
)]
#[case(
    "milliseconds",
    "yesterday",
    "expected milliseconds since 1970 as a number at character 1"
)]
fn an_unreadable_date_names_the_place(
    #[case] format: &str,
    #[case] text: &str,
    #[case] message: &str,
) {
    assert_eq!(read(format, text).unwrap_err().to_string(), message);
}

#[rstest::rstest]
#[case("2024-01-05T09:08:07.5Z", "2024-01-05T09:08:07.5Z")]
#[case("2024-01-05T09:08:07,25Z", "2024-01-05T09:08:07.25Z")]
#[case("2024-01-05T09:08:07.451000+00:00", "2024-01-05T09:08:07.451Z")]
#[case("2024-01-05T09:08:07.123456789Z", "2024-01-05T09:08:07.123456789Z")]
#[case("2024-01-05T09:08:07.1234567899Z", "2024-01-05T09:08:07.123456789Z")]
#[case("2024-01-05T09:08:07Z", "2024-01-05T09:08:07Z")]
fn a_fraction_is_a_fraction_whatever_its_length(#[case] text: &str, #[case] instant: &str) {
    for format in [
        "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
        "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
        "yyyy-MM-dd'T'HH:mm:ssXXX",
    ] {
        assert_eq!(read(format, text), Ok(at(instant)), "{format}");
    }
}

#[test]
fn microseconds_are_printed_as_such() {
    let bound = at("2024-01-05T09:08:07.451002Z");
    assert_eq!(
        pattern("ss.SSSSSSXXX").print(bound, Zone::Utc),
        "07.451002Z"
    );
    assert_eq!(
        pattern("ss.SSSSSSSSSS").print(bound, Zone::Utc),
        "07.4510020000"
    );
    assert_eq!(pattern("ss.S").print(bound, Zone::Utc), "07.451");
}

#[rstest::rstest]
#[case("1534000000000", "2018-08-11T15:06:40Z")]
#[case("-1", "1969-12-31T23:59:59.999Z")]
#[case(" 0 ", "1970-01-01T00:00:00Z")]
#[case("1.534E12", "2018-08-11T15:06:40Z")]
#[case("1534000000000.75", "2018-08-11T15:06:40Z")]
#[case("-0.5", "1969-12-31T23:59:59.999Z")]
fn milliseconds_are_read_in_every_spelling(#[case] text: &str, #[case] instant: &str) {
    assert_eq!(read("milliseconds", text), Ok(at(instant)));
}

#[rstest::rstest]
#[case("")]
#[case("NaN")]
#[case("inf")]
#[case("1e300")]
#[case("9223372036854775807")]
#[case("1534 ms")]
#[case("0x10")]
fn other_texts_are_no_milliseconds(#[case] text: &str) {
    assert!(read("milliseconds", text).is_err());
}

#[rstest::rstest]
#[case("yyyy-MM-dd HH:mm:ss", Unit::Seconds)]
#[case("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", Unit::Milliseconds)]
#[case("yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", Unit::Microseconds)]
#[case("ss.SSSSSSSSS", Unit::Nanoseconds)]
#[case("yyyy-MM-dd'T'HH:mmz", Unit::Minutes)]
#[case("yyyy-MM-dd HH", Unit::Hours)]
#[case("yyyy-MM-dd", Unit::Days)]
#[case("EEE", Unit::Days)]
#[case("YYYY-'W'ww", Unit::Weeks)]
#[case("MMM yyyy", Unit::Months)]
#[case("yyyy", Unit::Years)]
#[case("yyyy-MM-dd hh:mm:ss a", Unit::Seconds)]
#[case("yyyy-MM-dd hh:mm:ss", Unit::Days)]
#[case("milliseconds", Unit::Milliseconds)]
fn the_unit_is_the_finest_that_can_be_told_apart(#[case] format: &str, #[case] unit: Unit) {
    assert_eq!(pattern(format).unit(), unit);
}

#[test]
fn a_zone_without_a_name_prints_as_its_offset() {
    let zone = Zone::parse("America/Sao_Paulo").unwrap();
    assert_eq!(
        pattern("HH z").print(at("2024-01-05T09:00:00Z"), zone),
        "06 GMT-03:00"
    );
}

#[test]
fn a_zone_name_is_first_looked_up_in_the_zone_of_the_field() {
    let read = |zone| {
        pattern("yyyy-MM-dd HH:mm z").read("2024-01-05 09:00 IST", Zone::parse(zone).unwrap())
    };
    assert_eq!(read("Asia/Jerusalem"), Ok(at("2024-01-05T07:00:00Z")));
    assert_eq!(read("GMT"), Ok(at("2024-01-05T03:30:00Z")));
}

#[test]
fn the_ends_of_time_print() {
    for instant in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        let zone = Zone::parse("+14:00").unwrap();
        assert!(
            !pattern("G yyyy YY ww W F D E u HH:mm:ss.SSS zzzz XXX")
                .print(instant, zone)
                .is_empty()
        );
    }
}

#[test]
fn a_field_of_any_width_prints() {
    let wide = "y".repeat(70_000);
    assert!(
        pattern(&wide)
            .print(at("2024-01-05T09:00:00Z"), Zone::Utc)
            .ends_with("02024")
    );
}

/// Patterns that say all of an instant, with the digits of a second that they keep.
const WHOLE: [(&str, u32); 9] = [
    ("yyyy-MM-dd'T'HH:mm:ssXXX", 0),
    ("yyyy-MM-dd'T'HH:mm:ss.SSSZ", 3),
    ("yyyy-MM-dd'T'HH:mm:ss.SSSSSSX", 6),
    ("EEE, dd MMM yyyy HH:mm:ss Z", 0),
    ("yyyyMMddHHmmssSSSXX", 3),
    ("d MMMM yyyy h:mm:ss,SSSSSSSSS a XXX", 9),
    ("YYYY-'W'ww-u HH:mm:ss XXX", 0),
    ("yyyy D K:mm:ss a Z", 0),
    ("milliseconds", 3),
];

proptest! {
    #[test]
    fn what_a_whole_pattern_prints_it_reads_back(
        second in -30_000_000_000_i64..250_000_000_000,
        nanosecond in 0..1_000_000_000_u32,
        choice in 0..WHOLE.len(),
        hour in -12..14,
    ) {
        let (format, digits) = WHOLE[choice];
        let step = 10_u32.pow(9 - digits);
        let instant = DateTime::from_timestamp(second, nanosecond / step * step).unwrap();
        let zone = Zone::parse(&format!("{hour:+}:30")).unwrap();
        // X prints hours alone.
        let zone = if format.ends_with("SX") { Zone::Utc } else { zone };
        let text = pattern(format).print(instant, zone);
        prop_assert_eq!(pattern(format).read(&text, zone), Ok(instant), "{}", text);
    }

    #[test]
    fn the_quick_way_reads_like_the_general_one(
        text in "(19|20|00)[0-9]{2}-[0-2][0-9]-[0-4][0-9][ T][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{3})?(Z|[+-][0-2][0-9]:?[0-6][0-9])?",
        zone in "GMT|-6:00|America/New_York",
    ) {
        let zone = Zone::parse(&zone).unwrap();
        for format in ["yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ssXXX", "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "yyyy-MM-dd'T'HH:mm:ss.SSSZ"] {
            let pattern = pattern(format);
            let Program::Items(items) = &*pattern.program else { unreachable!() };
            if let Some(quick) = items.layout.as_ref().unwrap().read(text.as_bytes(), zone) {
                prop_assert_eq!(read::read(items, &text, zone), Ok(quick));
            }
        }
    }

    #[test]
    fn no_text_makes_reading_panic(
        format in "([GyYMLwWDdFEuaHkKhmsSzZX]{1,4}|[-:. T]|'T'){1,8}",
        text in r"([0-9]{1,12}|[-+:., TZ]|Jan|AM|GMT|PST|\PC){0,12}",
    ) {
        if let Ok(pattern) = DatePattern::parse(&format) {
            let _ = pattern.read(&text, Zone::parse("America/New_York").unwrap());
        }
    }
}
