//! What a poll says of itself in its counters and in the log.

use std::{
    io,
    sync::{Arc, Mutex},
};

use chrono::{SecondsFormat, TimeDelta};
use serde_json::{Value, json};
use tracing_subscriber::fmt;

use super::world::{BEGIN, World, at};
use crate::poll::{Child, Progress};

/// The lines that were logged, as JSON.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn of(&self, message: &str) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines
            .filter(|line: &Value| line["message"] == message)
            .collect()
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Logs what this thread does from here on.
fn logging() -> (Lines, tracing::subscriber::DefaultGuard) {
    // What no subscriber of any thread wants when it is first met stays off for a while, also here:
    // one that wants everything and writes nothing keeps it on.
    tracing::subscriber::set_global_default(tracing_subscriber::registry()).ok();
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = fmt()
        .json()
        .flatten_event(true)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    (lines, tracing::subscriber::set_default(subscriber))
}

/// A poller that has delivered `settled`, and then finds a record of every kind.
async fn busy() -> World {
    let mut world = World::started().await;
    world.plan.children.push(Child {
        uid: "child-uid".to_owned(),
        class: "child".to_owned(),
        query_fingerprint: "all of the class".to_owned(),
        started_at: Some(at(0)),
        reached: None,
    });
    world.provider().touch_at("settled", 20);
    world.pass(20).await;
    world.poll_well().await;
    world.pass(20).await;
    world.touch("new");
    world.provider().touch_at("child's", 25).class = "child";
    world.provider().touch_at("early", -5);
    let bad = [
        ("no id", json!({"sys_updated_on": BEGIN * 1_000})),
        ("no date", json!({"sys_id": "x1"})),
        (
            "odd date",
            json!({"sys_id": "x2", "sys_updated_on": "yesterday"}),
        ),
        (
            "no text",
            json!({"sys_id": "x3", "sys_updated_on": (BEGIN + 30) * 1_000, "city": "Orl\u{fffd}"}),
        ),
    ];
    for (id, record) in bad {
        world.provider().touch_at(id, 30).odd = Some(record);
    }
    world.provider().ignores_filter = true;
    world
}

fn written(second: i64) -> String {
    at(second).to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn outcomes(progress: &Progress) -> u64 {
    progress.unchanged
        + progress.excluded
        + progress.out_of_range
        + progress.changed
        + progress.flaws.total()
}

#[tokio::test(start_paused = true)]
async fn every_record_read_has_one_outcome() {
    let world = busy().await;
    let progress = world.poll().await.progress;
    assert_eq!(outcomes(&progress), progress.read, "{progress:?}");
    for (what, count) in [
        ("unchanged", progress.unchanged),
        ("changed", progress.changed),
        ("excluded", progress.excluded),
        ("out of range", progress.out_of_range),
        ("no id", progress.flaws.no_id),
        ("no date", progress.flaws.no_date),
        ("unreadable date", progress.flaws.unreadable_date),
        ("not UTF-8", progress.flaws.not_utf8),
    ] {
        assert!(count > 0, "none {what}: {progress:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_line_says_why_events_were_sent_or_not() {
    let world = busy().await;
    let (lines, _guard) = logging();
    let outcome = world.poll().await;
    outcome.log();
    let polled = lines.of("polled");
    assert_eq!(polled.len(), 1);
    let line = &polled[0];
    let expected = json!({
        "result": "complete",
        "bound": at(0).timestamp().to_string(),
        "reach_seconds": 30,
        "watermark_before": written(20),
        "watermark": written(40),
        "provider_clock": written(40),
        "read": outcome.progress.read,
        "created": 1,
        "updated": 0,
        "unordered": outcome.progress.unordered.clone().unwrap(),
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(line[field], *value, "{field} in {line}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_failed_says_why() {
    let world = World::started().await;
    world.pass(20).await;
    world
        .provider()
        .failing
        .insert(3, super::world::provider_error());
    let (lines, _guard) = logging();
    world.poll().await.log();
    let line = &lines.of("polled")[0];
    assert_eq!(line["result"], "provider");
    assert_eq!(line["why"], "the provider answered 500");
    assert_eq!(line["watermark"], line["watermark_before"]);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_needed_a_decision_is_traced_without_its_content() {
    let world = busy().await;
    world.provider().touch_at("new", 40).odd = Some(json!({
        "sys_id": "new", "sys_updated_on": (BEGIN + 40) * 1_000, "sys_mod_count": "7", "iban": "DE02",
    }));
    let (lines, _guard) = logging();
    world.poll().await;
    let sent = world.receiver.acknowledged().pop().unwrap();
    let traced = lines.of("record");
    let of = |outcome: &str| traced.iter().find(|line| line["outcome"] == outcome);
    let changed = of("changed").unwrap();
    assert_eq!(changed["event"], sent.event);
    assert_eq!(changed["record"], "\"new\"");
    assert!(changed["version"].as_str().unwrap().ends_with("/7"));
    assert_eq!(of("excluded").unwrap()["class"], "child");
    assert!(of("out_of_range").is_some() && of("bad").is_some());
    assert!(
        of("unchanged").is_none(),
        "what was settled is worth no line"
    );
    assert!(!lines.text().contains("DE02"));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_off_shows_in_the_line() {
    let world = World::started().await;
    world.pass(100).await;
    world.provider().skew = TimeDelta::seconds(-7);
    let (lines, _guard) = logging();
    world.poll().await.log();
    let line = &lines.of("polled")[0];
    assert_eq!(line["provider_clock"], written(93));
}
