use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::*;
use crate::template::Zone;

fn instants() -> Instants {
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    Instants {
        bound: at("2024-01-05T09:08:07.654321Z"),
        now: at("2024-01-05T10:00:00Z"),
        default_zone: Zone::parse("America/New_York").unwrap(),
    }
}

fn render(url: &str) -> String {
    Template::parse(url).unwrap().render(&instants())
}

#[rstest::rstest]
#[case("${gmtDate:yyyy-MM-dd'T'HH:mm:ss}", "2024-01-05T09:08:07")]
#[case("${date:yyyy-MM-dd'T'HH:mm:ssXXX}", "2024-01-05T04:08:07-05:00")]
#[case("${date}", "2024-01-05T09:08:07Z")]
#[case("${dateTimeZone:MST:yyyy-MM-dd HH:mm:ss}", "2024-01-05 02:08:07")]
#[case(
    "${DateTimeZone:PST:yyyy-MM-dd'T'HH:mm:ss.SSS}",
    "2024-01-05T01:08:07.654"
)]
#[case("${dateTimeZone:-6:00:HH:mm:ss}", "03:08:07")]
#[case("${dateTimeZone:+6:00:HH:mm}", "15:08")]
#[case("${dateTimeZone:GMT-06:00:HH:mm}", "03:08")]
#[case("${dateTimeZone:-6:HH:mm}", "03:08")]
#[case("${dateTimeZone:America/New_York:HH:mm}", "04:08")]
#[case("${dateTimeZone:GMT:10:HH}", "10:09")]
#[case("${nowTimeZone:GMT:yyyy-MM-dd'T'HH:mm:ss}", "2024-01-05T10:00:00")]
#[case("${epoch}", "1704445687654")]
#[case("${epoch:ms}", "1704445687654")]
#[case("${epoch:s}", "1704445687")]
#[case("${epoch:us}", "1704445687654321")]
#[case("${epoch:0}", "0")]
#[case("${milliseconds}", "1704445687654")]
#[case("${gmtDate:yyyy-MM-dd HH:mm:ss -0800}", "2024-01-05 09:08:07 -0800")]
#[case("${gmtDate:milliseconds}", "1704445687654")]
fn each_placeholder_prints_its_instant(#[case] placeholder: &str, #[case] text: &str) {
    assert_eq!(render(placeholder), text);
    assert_eq!(
        render(&format!("/a?w='{placeholder}'&b")),
        format!("/a?w='{text}'&b")
    );
}

#[rstest::rstest]
#[case("/calendars/{calendarId}/changed-events")]
#[case("/a?where=updateKey={updateKey}'")]
#[case("/a?$filter=modified gt 1 and {\"a\":{\"b\":1}}")]
#[case("/a?price=$5{")]
#[case("")]
fn text_without_placeholders_stays_as_it_is(#[case] url: &str) {
    assert_eq!(render(url), url);
}

#[rstest::rstest]
#[case("/a?w='${518862600}'", 7, "${518862600}", "no such placeholder")]
#[case(
    "/a?w='${yyyy-MM-dd'T'HH:mm:ss'Z'}'",
    7,
    "${yyyy-MM-dd'T'HH:mm:ss'Z'}",
    "write ${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}"
)]
#[case(
    "/a?w='$yyyy-MM-dd'T'HH:mm:ss'Z'}'",
    7,
    "$yyyy-MM-dd'T'HH:mm:ss'Z'}",
    "begin one with ${"
)]
#[case("/a?w=1}", 7, "}", "closes no placeholder")]
#[case(
    "ü${date:10 digit integer Unix time}",
    2,
    "${date:10 digit integer Unix time}",
    "'i' in column 5"
)]
#[case(
    "/${dateTimeZone:{TimeZone}:yyyy}'",
    2,
    "${dateTimeZone:{TimeZone}:yyyy}",
    "{TimeZone} is to be replaced"
)]
#[case(
    "/${dateTimeZone:{TimeZone}",
    2,
    "${dateTimeZone:{TimeZone}",
    "{TimeZone} is to be replaced"
)]
#[case("/${gmtDate:yyyy", 2, "${gmtDate:yyyy", "not closed")]
#[case("/${gmtDate:{yyyy", 2, "${gmtDate:{yyyy", "not closed")]
#[case("/${gmtDate:yyyy'T}", 2, "${gmtDate:yyyy'T}", "quote in column 5")]
#[case("/${gmtDate}", 2, "${gmtDate}", "gmtDate:FORMAT")]
#[case("/${gmtDate:}", 2, "${gmtDate:}", "format is blank")]
#[case(
    "/${dateTimeZone:GMT}",
    2,
    "${dateTimeZone:GMT}",
    "dateTimeZone:ZONE:FORMAT"
)]
#[case("/${nowTimeZone}", 2, "${nowTimeZone}", "nowTimeZone:ZONE:FORMAT")]
#[case(
    "/${dateTimeZone:EDT:yyyy}",
    2,
    "${dateTimeZone:EDT:yyyy}",
    "America/New_York"
)]
#[case("/${epoch:m}", 2, "${epoch:m}", "epoch:us")]
#[case("/${milliseconds:s}", 2, "${milliseconds:s}", "takes no format")]
#[case("/${}", 2, "${}", "no such placeholder")]
fn a_broken_placeholder_is_named_with_its_place(
    #[case] url: &str,
    #[case] column: usize,
    #[case] text: &str,
    #[case] advice: &str,
) {
    let error = Template::parse(url).unwrap_err();
    assert_eq!((error.column, error.text.as_str()), (column, text));
    let message = error.to_string();
    assert!(message.contains(advice), "{message}");
    assert!(
        message.starts_with(&format!("{text} in column {column} of the url: ")),
        "{message}"
    );
}

#[test]
fn the_coarsest_unit_of_the_bound_counts() {
    let unit = |url| Template::parse(url).unwrap().unit();
    assert_eq!(
        unit("/a?d=${gmtDate:yyyy-MM-dd}&t=${gmtDate:HH:mm:ss}"),
        Some(Unit::Days)
    );
    assert_eq!(
        unit("/a?d=${epoch}&t=${nowTimeZone:GMT:yyyy-MM-dd}"),
        Some(Unit::Milliseconds)
    );
    assert_eq!(unit("/a?d=${epoch:us}"), Some(Unit::Microseconds));
    assert_eq!(unit("/a?d=${epoch:0}"), None);
}

#[test]
fn only_the_bound_makes_a_poll_ask_for_changes() {
    let has_bound = |url| Template::parse(url).unwrap().has_bound();
    assert!(has_bound("/a?d=${date}"));
    assert!(!has_bound("/a?d=${nowTimeZone:GMT:yyyy}"));
    assert!(!has_bound("/a?d=${epoch:0}"));
    assert!(!has_bound("/a"));
}

#[test]
fn segments_put_together_are_the_url() {
    let url = "/a?w=x>'${gmtDate:yyyy-MM-dd'T'HH:mm:ss}' and y<'${nowTimeZone:GMT:yyyy}'";
    let template = Template::parse(url).unwrap();
    let texts = template.segments().iter().map(|segment| match segment {
        Segment::Literal(text) => text,
        Segment::Placeholder(placeholder) => placeholder.text(),
    });
    assert_eq!(texts.collect::<String>(), url);
    let moments: Vec<_> = template
        .placeholders()
        .map(|found| (found.moment(), found.column()))
        .collect();
    assert_eq!(moments, [(Moment::Bound, 9), (Moment::Now, 50)]);
}

#[test]
fn a_placeholder_gives_its_instant_to_those_who_print_it_themselves() {
    let template =
        Template::parse("${dateTimeZone:PST:yyyy} ${nowTimeZone:GMT:yyyy} ${epoch:0}").unwrap();
    let instants = instants();
    let given: Vec<_> = template
        .placeholders()
        .map(|found| found.instant(&instants))
        .collect();
    assert_eq!(given, [instants.bound, instants.now, DateTime::UNIX_EPOCH]);
}

proptest! {
    #[test]
    fn no_text_makes_parsing_panic(url in r"(\$\{?|\{|\}|:|'|gmtDate|date(TimeZone)?|epoch|[+-]6|yyyy|MM|\PC){0,24}") {
        if let Ok(template) = Template::parse(&url) {
            template.render(&instants());
        }
    }
}
