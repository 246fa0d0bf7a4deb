//! Every row of `vectors/java-dates.tsv`, which `java-dates/Vectors.java` had the SimpleDateFormat
//! of JDK 17 print and read. Where this reader or printer differs on purpose, the row stands in
//! `vectors/java-dates-exceptions.tsv` with the reason and what is wanted instead.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use pollen::template::{DatePattern, Zone};

const ROWS: &str = include_str!("vectors/java-dates.tsv");
const EXCEPTIONS: &str = include_str!("vectors/java-dates-exceptions.tsv");

/// What a row asks for: everything but Java's answers.
type Question = Vec<&'static str>;

fn cells(row: &'static str) -> Vec<&'static str> {
    row.split('\t').collect()
}

fn exceptions() -> BTreeMap<Question, &'static str> {
    EXCEPTIONS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| match cells(line).as_slice() {
            [question @ .., ours] => (question.to_vec(), *ours),
            [] => panic!("an empty line among the exceptions"),
        })
        .collect()
}

fn instant(milliseconds: &str) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(milliseconds.parse().unwrap()).unwrap()
}

fn written(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap()
}

fn answer(question: &[&str]) -> String {
    let ours = match *question {
        ["print", pattern, name, at] => DatePattern::parse(pattern)
            .ok()
            .map(|found| found.print(instant(at), zone(name))),
        ["read", pattern, name, text] => DatePattern::parse(pattern).ok().and_then(|found| {
            found
                .read(&text.replace("\\t", "\t"), zone(name))
                .ok()
                .map(written)
        }),
        ["zone", name, at] => Some(
            zone(name)
                .offset_at(instant(at))
                .local_minus_utc()
                .to_string(),
        ),
        _ => panic!("an unknown row: {question:?}"),
    };
    ours.unwrap_or_else(|| "ERROR".to_owned())
}

/// Java's answer in the form of [`answer`]; of readings the lenient one, Java's default.
fn java(row: &[&'static str]) -> (Question, String) {
    match *row {
        ["read", pattern, name, text, _, "ERROR"] => {
            (vec!["read", pattern, name, text], "ERROR".to_owned())
        }
        ["read", pattern, name, text, _, at] => {
            // Java reads years that chrono can't hold.
            let instant = DateTime::from_timestamp_millis(at.parse().unwrap());
            (
                vec!["read", pattern, name, text],
                instant.map_or_else(|| at.to_owned(), written),
            )
        }
        [ref question @ .., found] => (question.to_vec(), found.to_owned()),
        [] => panic!("an empty row"),
    }
}

#[test]
fn dates_are_printed_and_read_as_in_java_but_for_the_listed_exceptions() {
    let exceptions = exceptions();
    let mut wrong = Vec::new();
    for row in ROWS.lines() {
        let (question, java) = java(&cells(row));
        let expected = exceptions
            .get(&question)
            .map_or(java, |ours| (*ours).to_owned());
        let ours = answer(&question);
        if ours != expected {
            wrong.push(format!("{question:?}: expected {expected}, found {ours}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} rows:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_exception_differs_from_java() {
    let java: BTreeMap<_, _> = ROWS.lines().map(|row| java(&cells(row))).collect();
    for (question, ours) in exceptions() {
        let theirs = java
            .get(&question)
            .unwrap_or_else(|| panic!("no such row: {question:?}"));
        assert_ne!(theirs, ours, "{question:?}");
    }
}
