//! The poller configurations that Open Connectors' users have: each placeholder renders, each
//! format reads what it prints, and what is broken in itself is refused with its place.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use pollen::template::{DatePattern, Instants, Template, Unit, Zone};
use serde_json::Value;

const CONFIGURATIONS: &str = include_str!("vectors/poller-configurations.json");

/// Where a text stands: the configuration's source, the resource, the key.
type Place = (String, String, &'static str);

/// The broken texts among them, and how their errors begin.
const BROKEN: [(&str, &str, &str, &str); 9] = [
    (
        "docs/elements/zohocrm/events.md",
        "accounts",
        "url",
        "${dateTimeZone:{TimeZone}:yyyy-MM-dd HH:mm:ss} in column 43 of the url: {TimeZone} is to be replaced",
    ),
    (
        "docs/elements/zohocrm/events.md",
        "activities-calls",
        "url",
        "${dateTimeZone:{TimeZone}:yyyy-MM-dd HH:mm:ss} in column 51 of the url: {TimeZone} is to be replaced",
    ),
    (
        "docs/elements/zohocrm/events.md",
        "accounts",
        "updatedDateTimezone",
        "\"{TimeZone}\" is to be replaced",
    ),
    (
        "docs/elements/zohocrm/events.md",
        "activities-calls",
        "updatedDateTimezone",
        "\"{TimeZone}\" is to be replaced",
    ),
    (
        "docs/elements/linkedin/events.md",
        "companies/{id}/updates/comments",
        "updatedDateFormat",
        "date format \"milliseconds'\": 'i' in column 2",
    ),
    (
        "docs/elements/linkedin/events.md",
        "companies/{id}/updates/likes",
        "updatedDateFormat",
        "date format \"milliseconds'\": 'i' in column 2",
    ),
    (
        "servicetitan/element.json",
        "customers",
        "url",
        "$yyyy-MM-dd'T'HH:mm:ss'Z'} in column 33 of the url: this closes no placeholder",
    ),
    (
        "servicetitan/element.json",
        "invoices",
        "url",
        "${yyyy-MM-dd'T'HH:mm:ss'Z'} in column 32 of the url: a format alone; write ${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}",
    ),
    (
        "other",
        "deals",
        "createdDateFormat",
        "date format \"yyyy-MM-dd'T'HH:mm:ssXXX'\": the quote in column 25",
    ),
];

const DATE_KEYS: [&str; 4] = [
    "updatedDateFormat",
    "createdDateFormat",
    "updatedDateTimezone",
    "createdDateTimezone",
];

/// All texts of the 39, without blank ones, which are as good as absent.
fn texts() -> BTreeMap<Place, Vec<String>> {
    let configurations: Vec<Value> = serde_json::from_str(CONFIGURATIONS).unwrap();
    assert_eq!(configurations.len(), 39);
    let mut texts = BTreeMap::<Place, Vec<String>>::new();
    for configuration in &configurations {
        let source = configuration["source"].as_str().unwrap();
        for (resource, poller) in configuration["configuration"].as_object().unwrap() {
            let url = ("url", &poller["url"]);
            let dates = DATE_KEYS.map(|key| (key, &poller["datesConfiguration"][key]));
            for (key, value) in dates.into_iter().chain([url]) {
                if let Some(text) = value.as_str().filter(|text| !text.trim().is_empty()) {
                    texts
                        .entry((source.to_owned(), resource.clone(), key))
                        .or_default()
                        .push(text.to_owned());
                }
            }
        }
    }
    texts
}

fn is_broken((source, resource, key): &Place) -> bool {
    BROKEN
        .iter()
        .any(|broken| (broken.0, broken.1, broken.2) == (source, resource, key))
}

fn sound(kind: &str) -> Vec<String> {
    let all = texts()
        .into_iter()
        .filter(|(place, _)| place.2.ends_with(kind) && !is_broken(place));
    all.flat_map(|(_, texts)| texts).collect()
}

fn instants() -> Instants {
    Instants {
        bound: "2024-07-05T13:08:07.654321Z".parse().unwrap(),
        now: "2024-07-05T14:00:00Z".parse().unwrap(),
        default_zone: Zone::Utc,
    }
}

#[test]
fn every_url_renders() {
    let urls = sound("url");
    for url in &urls {
        let template = Template::parse(url).unwrap();
        let rendered = template.render(&instants());
        assert!(!rendered.contains("${"), "{rendered}");
        assert_eq!(
            template.placeholders().count(),
            url.matches("${").count(),
            "{url}"
        );
        let shows_a_date =
            rendered.contains("2024") || rendered.contains("17201848") || !template.has_bound();
        assert!(shows_a_date, "{rendered}");
    }
    assert_eq!(urls.len(), 54);
}

#[test]
fn every_format_reads_what_it_prints() {
    let bound = instants().bound;
    for format in sound("Format") {
        let pattern = DatePattern::parse(&format).unwrap();
        let zone = Zone::parse("America/New_York").unwrap();
        let read: DateTime<Utc> = pattern.read(&pattern.print(bound, zone), zone).unwrap();
        assert_eq!(read, pattern.unit().floor(bound, zone), "{format}");
    }
}

#[test]
fn every_format_within_a_url_reads_what_it_prints() {
    for url in sound("url") {
        for placeholder in Template::parse(&url).unwrap().placeholders() {
            let text = placeholder.text();
            let Some((_, format)) = text.trim_end_matches('}').rsplit_once(":yyyy") else {
                continue;
            };
            let pattern = DatePattern::parse(&format!("yyyy{format}")).unwrap();
            let zone = placeholder.zone(&instants());
            let instant = placeholder.instant(&instants());
            let read = pattern
                .read(&placeholder.render(&instants()), zone)
                .unwrap();
            assert_eq!(read, placeholder.unit().floor(instant, zone), "{text}");
        }
    }
}

#[test]
fn every_time_zone_is_known() {
    for name in sound("Timezone") {
        Zone::parse(&name).unwrap();
    }
}

#[test]
fn what_is_broken_is_refused_with_its_place() {
    let texts = texts();
    for (source, resource, key, beginning) in BROKEN {
        let place = texts
            .keys()
            .find(|place| (place.0.as_str(), place.1.as_str(), place.2) == (source, resource, key));
        for text in &texts[place.unwrap()] {
            let error = match key {
                "url" => Template::parse(text).unwrap_err().to_string(),
                "updatedDateTimezone" => Zone::parse(text).unwrap_err().to_string(),
                _ => DatePattern::parse(text).unwrap_err().to_string(),
            };
            assert!(
                error.starts_with(beginning),
                "{source}, {resource}: {error}"
            );
        }
    }
}

#[test]
fn a_poller_by_days_reaches_back_a_day() {
    let plaid =
        Template::parse("/hubs/finance/transactions?where=date>'${date:yyyy-MM-dd}'").unwrap();
    assert_eq!(plaid.unit(), Some(Unit::Days));
}
