//! `docs/metrics.md` lists the metrics that are exported, no more and no fewer.
//!
//! `UPDATE_GENERATED=1 cargo test --test contract` rewrites its table.

use std::{collections::BTreeMap, fmt::Write as _};

use chrono::DateTime;
use pollen::telemetry::{
    Board, Counts, EventLabels, Line, Metrics, PollLabels, RefusedLabels, WriteLabels,
};
use prometheus_client::encoding::text::encode;

use crate::page;

/// What an operator exports in which everything has happened once.
fn exported() -> String {
    let (metrics, board) = (Metrics::default(), Board::default());
    metrics
        .polls
        .get_or_create(&PollLabels { result: "complete" })
        .inc();
    metrics
        .events
        .get_or_create(&EventLabels { kind: "created" })
        .inc();
    metrics
        .refused_events
        .get_or_create(&RefusedLabels { outcome: "skipped" })
        .inc();
    metrics
        .api_writes
        .get_or_create(&WriteLabels { what: "checkpoint" })
        .inc();
    let line = Line {
        namespace: "helpdesk".into(),
        name: "accounts".into(),
        instance: "prod".into(),
        last_poll: DateTime::UNIX_EPOCH,
        result: "complete",
        read: 0,
        events: 0,
        watermark: Some(DateTime::UNIX_EPOCH),
        deletes_held: 0,
    };
    board.polled(line, &Counts::default());
    let mut text = String::new();
    encode(&mut text, &metrics.registry(&board)).unwrap();
    text
}

#[derive(Default)]
struct Metric {
    kind: String,
    help: String,
    /// Of its first series: the name with its suffix, and the labels.
    series: Option<(String, Vec<String>)>,
}

fn metrics(text: &str) -> BTreeMap<String, Metric> {
    let mut metrics: BTreeMap<String, Metric> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines() {
        let words: Vec<_> = line.splitn(4, ' ').collect();
        match words[..] {
            ["#", "HELP", name, help] => {
                current = name.to_owned();
                metrics.entry(current.clone()).or_default().help = help.to_owned();
            }
            ["#", "TYPE", name, kind] => {
                metrics.entry(name.to_owned()).or_default().kind = kind.to_owned();
            }
            ["#", ..] => {}
            _ => {
                let metric = metrics.get_mut(&current).unwrap();
                metric.series.get_or_insert_with(|| series(line));
            }
        }
    }
    metrics
}

fn series(line: &str) -> (String, Vec<String>) {
    let series = line.rsplit_once(' ').unwrap().0;
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let labels = labels.trim_end_matches('}').split(',');
    let keys = labels.filter_map(|label| Some(label.split_once('=')?.0.to_owned()));
    (name.to_owned(), keys.collect())
}

fn table() -> String {
    let mut table = String::from("| metric | type | labels | meaning |\n|---|---|---|---|\n");
    for Metric { kind, help, series } in metrics(&exported()).into_values() {
        let (name, labels) = series.unwrap();
        let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
        let help = help.trim_end_matches('.');
        writeln!(
            table,
            "| `{name}` | {kind} | {} | {help} |",
            labels.join(", ")
        )
        .unwrap();
    }
    table
}

#[test]
fn the_documented_metrics_are_those_that_are_exported() {
    page::assert_current(
        "docs/metrics.md",
        "metrics",
        &table(),
        "cargo test --test contract",
    );
}

#[test]
fn names_follow_the_conventions_of_prometheus() {
    for Metric { kind, help, series } in metrics(&exported()).into_values() {
        let (name, _) = series.unwrap();
        assert!(name.starts_with("pollen_"), "{name}");
        assert_eq!(name.ends_with("_total"), kind == "counter", "{name}");
        assert!(!help.is_empty(), "{name}");
    }
}
