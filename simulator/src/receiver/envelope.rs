//! The envelope of Open Connectors, read as its receivers read it.

use std::collections::HashMap;

use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::Value;

/// One notification's body. `R` is what is made of the records.
#[derive(Deserialize)]
struct Envelope<R> {
    message: Message<R>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message<R> {
    event_id: String,
    raw: R,
    events: Vec<Standard>,
}

/// The standardized part of one event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Standard {
    event_type: String,
    object_id: String,
    object_type: String,
    date: String,
}

/// One event as it stands in an envelope.
#[derive(Debug, PartialEq)]
pub(super) struct Enclosed {
    pub(super) event_id: String,
    pub(super) kind: String,
    pub(super) object_id: String,
    pub(super) object_type: String,
    pub(super) date: String,
    pub(super) record: Value,
}

/// How many events a body encloses, or why it is no envelope. Its records are not kept.
pub(super) fn count(body: &[u8]) -> Result<usize, String> {
    parse::<IgnoredAny>(body).map(|message| message.events.len())
}

/// The events that a body encloses; none if it is no envelope.
///
/// Event and record belong together by their place in `events` and in `raw.OBJECTTYPE`.
pub(super) fn read(body: &[u8]) -> Vec<Enclosed> {
    let Ok(message) = parse::<HashMap<String, Value>>(body) else {
        return Vec::new();
    };
    let Message {
        event_id,
        raw,
        events,
    } = message;
    let enclosed = |(place, event): (usize, Standard)| Enclosed {
        record: raw
            .get(&event.object_type)
            .and_then(|records| records.get(place))
            .cloned()
            .unwrap_or_default(),
        event_id: event_id.clone(),
        kind: event.event_type,
        object_id: event.object_id,
        object_type: event.object_type,
        date: event.date,
    };
    events.into_iter().enumerate().map(enclosed).collect()
}

fn parse<R: DeserializeOwned>(body: &[u8]) -> Result<Message<R>, String> {
    serde_json::from_slice::<Envelope<R>>(body)
        .map(|envelope| envelope.message)
        .map_err(|error| format!("the body is no envelope of Open Connectors: {error}"))
}

#[cfg(test)]
mod tests;
