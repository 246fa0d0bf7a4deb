use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap()
}

#[rstest::rstest]
#[case("-6:00", -6 * 3600)]
#[case("+6:00", 6 * 3600)]
#[case("-06:00", -6 * 3600)]
#[case("GMT-06:00", -6 * 3600)]
#[case("gmt+5:30", 19_800)]
#[case("UTC+2", 7200)]
#[case("+0530", 19_800)]
#[case("+530", 19_800)]
#[case("-6", -6 * 3600)]
fn offsets_are_read_with_or_without_gmt(#[case] name: &str, #[case] seconds: i32) {
    assert_eq!(
        zone(name),
        Zone::Fixed(FixedOffset::east_opt(seconds).unwrap())
    );
}

#[rstest::rstest]
#[case("", "leave it out for GMT")]
#[case("EDT", "America/New_York")]
#[case("PDT", "-7:00")]
#[case("america/new_york", "did you mean America/New_York?")]
#[case("New York", "did you mean America/New_York?")]
#[case("kolkata", "did you mean Asia/Kolkata?")]
#[case("+25:00", "an offset such as -6:00")]
#[case("+6:0", "an offset such as -6:00")]
#[case("+99999999999", "an offset such as -6:00")]
#[case("Moon", "an IANA name such as")]
#[case("{TimeZone}", "the account's time zone")]
fn an_unknown_name_says_what_to_write(#[case] name: &str, #[case] advice: &str) {
    let error = Zone::parse(name).unwrap_err().to_string();
    assert!(error.contains(advice), "{error}");
}

#[rstest::rstest]
#[case("2024-11-03T04:59:59Z", None)]
#[case("2024-11-03T05:00:00Z", Some("2024-11-03T05:00:00Z"))]
#[case("2024-11-03T05:30:00Z", Some("2024-11-03T05:00:00Z"))]
#[case("2024-11-03T06:00:00Z", Some("2024-11-03T05:00:00Z"))]
#[case("2024-11-03T06:59:59Z", Some("2024-11-03T05:00:00Z"))]
#[case("2024-11-03T07:00:00Z", None)]
#[case("2024-03-10T07:00:00Z", None)]
fn both_passes_of_a_repeated_hour_know_its_start(
    #[case] instant: &str,
    #[case] start: Option<&str>,
) {
    assert_eq!(
        zone("America/New_York").repeated_hour_start(at(instant)),
        start.map(at)
    );
}

#[test]
fn half_an_hour_is_repeated_on_lord_howe() {
    let start = zone("Australia/Lord_Howe").repeated_hour_start(at("2024-04-06T15:10:00Z"));
    assert_eq!(start, Some(at("2024-04-06T14:30:00Z")));
}

#[test]
fn no_hour_is_repeated_without_clock_changes() {
    for name in ["GMT", "EST", "-6:00", "Asia/Kolkata"] {
        assert_eq!(
            zone(name).repeated_hour_start(at("2024-11-03T06:00:00Z")),
            None
        );
    }
}

#[test]
fn a_displayed_zone_is_read_back() {
    for name in ["GMT", "-6:00", "+05:30", "America/New_York", "PST", "EST"] {
        assert_eq!(Zone::parse(&zone(name).to_string()), Ok(zone(name)));
    }
}

#[test]
fn the_ends_of_time_do_not_panic() {
    for instant in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        for name in ["GMT", "+14:00", "-12:00", "America/New_York"] {
            assert_eq!(zone(name).repeated_hour_start(instant), None);
            assert_ne!(
                zone(name).instant(instant.naive_utc()),
                Some(at("2024-01-01T00:00:00Z"))
            );
        }
    }
}
