//! What arrived, held against what had to.

use std::collections::BTreeMap;

use serde_json::Value;
use simulator::receiver::Event;

use super::{Polled, always::without_repeats, letters, world::World};
use crate::format::{Expected, ExpectedEvents, Poll};

/// The most lines of one kind in a complaint.
const LINES: usize = 8;

/// Holds a poll against what its step says.
pub(super) fn judge(world: &World, poll: &Poll, polled: &Polled) -> Result<(), String> {
    let mut complaints = Vec::new();
    if polled.run.end != poll.wanted_end() {
        let (wanted, end) = (poll.wanted_end(), polled.run.end);
        complaints.push(format!("it ended with {end:?}, expected {wanted:?}"));
    }
    complaints.extend(events(world, &poll.events, &polled.events));
    complaints.extend(letters::complaints(&poll.dead_letters.0, &polled.letters));
    for text in &poll.says {
        if !polled.run.errors.contains(text) {
            complaints.push(format!("it did not say {text:?}"));
        }
    }
    if poll.compares && !polled.compared {
        complaints.push("it did not read the list of ids".to_owned());
    }
    if let Some(most) = poll.pages_at_most.filter(|most| polled.pages > *most) {
        complaints.push(format!(
            "{} pages were asked for, expected {most} at most",
            polled.pages
        ));
    }
    if let Some(least) = poll.lasts_at_least.filter(|least| polled.took < least.0) {
        complaints.push(format!(
            "it took {:?}, expected {:?} at least",
            polled.took, least.0
        ));
    }
    if complaints.is_empty() {
        return Ok(());
    }
    if !polled.run.errors.is_empty() {
        complaints.push(format!("it said: {}", polled.run.errors.trim_end()));
    }
    Err(complaints.join("\n  "))
}

/// Holds all that was acknowledged so far against what had to be.
pub(super) fn arrived(world: &World, expected: &ExpectedEvents) -> Result<(), String> {
    let once = without_repeats(world, world.receiver.acknowledged())?;
    let complaints = events(world, expected, &once);
    match complaints.is_empty() {
        true => Ok(()),
        false => Err(complaints.join("\n  ")),
    }
}

/// What is wrong with the events that came.
fn events(world: &World, expected: &ExpectedEvents, got: &[Event]) -> Vec<String> {
    if expected.any {
        return Vec::new();
    }
    let wanted = &expected.events;
    let shown = |event: &Event| shown(world, event);
    let (mut left, mut missing) = (by_name(world, got), Vec::new());
    for expected in wanted {
        let key = (expected.kind.clone(), expected.record.clone());
        let events = left.entry(key).or_default();
        match events.iter().position(|event| expected.fits(event)) {
            Some(place) => _ = events.remove(place),
            None => missing.push(expected.to_string()),
        }
    }
    let unexpected: Vec<_> = left.into_values().flatten().map(shown).collect();
    let mut complaints = Vec::new();
    for (what, lines) in [("missing", missing), ("not expected", unexpected)] {
        if !lines.is_empty() {
            complaints.push(format!("{what}: {}", listed(&lines)));
        }
    }
    if complaints.is_empty() && expected.in_order {
        complaints.extend(out_of_order(world, wanted, got));
    }
    complaints
}

fn by_name<'e>(world: &World, got: &'e [Event]) -> BTreeMap<(String, String), Vec<&'e Event>> {
    let mut left: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for event in got {
        let key = (event.kind.clone(), world.name(&event.object_id));
        left.entry(key).or_default().push(event);
    }
    left
}

fn out_of_order(world: &World, wanted: &[Expected], got: &[Event]) -> Option<String> {
    let is_its = |(expected, event): &(&Expected, &Event)| {
        expected.record == world.name(&event.object_id) && expected.fits(event)
    };
    let place = wanted.iter().zip(got).position(|pair| !is_its(&pair))?;
    let came: Vec<_> = got
        .iter()
        .skip(place)
        .map(|event| shown(world, event))
        .collect();
    let due: Vec<_> = wanted.iter().skip(place).map(ToString::to_string).collect();
    Some(format!(
        "in another order, from place {} on: {}\n  expected: {}",
        place + 1,
        listed(&came),
        listed(&due)
    ))
}

fn listed(lines: &[String]) -> String {
    let shown = lines
        .iter()
        .take(LINES)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match lines.len().checked_sub(LINES) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}

pub(super) fn shown(world: &World, event: &Event) -> String {
    let kind = event.kind.to_lowercase();
    let version = event.record["sys_mod_count"].as_str().unwrap_or_default();
    format!(
        "{kind} {} of {} (version {version:?} of {})",
        world.name(&event.object_id),
        event.object_type,
        event.date
    )
}

impl Expected {
    fn fits(&self, event: &Event) -> bool {
        let is_so = |(field, value): &(String, String)| match &event.record[field.as_str()] {
            Value::String(text) => text == value,
            Value::Null => false,
            other => serde_json::from_str(value).is_ok_and(|value: Value| value == *other),
        };
        self.kind == event.kind
            && self.of.as_ref().is_none_or(|of| *of == event.object_type)
            && self.fields.iter().all(is_so)
    }
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind.to_lowercase(), self.record)?;
        for (field, value) in &self.fields {
            write!(f, " {field}={value}")?;
        }
        self.of.iter().try_for_each(|of| write!(f, " of {of}"))
    }
}
