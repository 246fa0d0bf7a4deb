//! CloudEvents 1.0 in JSON, read as a receiver reads them.

use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::Value;

use super::envelope::Enclosed;

/// One event. `D` is what is made of its data.
#[derive(Deserialize)]
struct CloudEvent<D> {
    specversion: String,
    id: String,
    #[serde(rename = "type")]
    kind: String,
    subject: String,
    time: String,
    data: D,
}

/// How many events a body has, or why it is none. Their data is not kept.
pub(super) fn count(is_batch: bool, body: &[u8]) -> Result<usize, String> {
    parse::<IgnoredAny>(is_batch, body).map(|events| events.len())
}

/// The events of a body; none if it cannot be read.
pub(super) fn read(is_batch: bool, body: &[u8]) -> Vec<Enclosed> {
    let events = parse::<Value>(is_batch, body).unwrap_or_default();
    events.into_iter().filter_map(enclosed).collect()
}

fn parse<D: DeserializeOwned>(is_batch: bool, body: &[u8]) -> Result<Vec<CloudEvent<D>>, String> {
    let events: Result<Vec<CloudEvent<D>>, _> = if is_batch {
        serde_json::from_slice(body)
    } else {
        serde_json::from_slice(body).map(|event| vec![event])
    };
    let events = events.map_err(|error| format!("the body is no CloudEvent: {error}"))?;
    match events.iter().find(|event| event.specversion != "1.0") {
        None => Ok(events),
        Some(event) => Err(format!(
            "specversion {} is not known here",
            event.specversion
        )),
    }
}

fn enclosed(event: CloudEvent<Value>) -> Option<Enclosed> {
    let kind = event
        .kind
        .strip_prefix("dev.pollen.record.")?
        .strip_suffix(".v1")?;
    let (object_type, object_id) = event.subject.split_once('/')?;
    Some(Enclosed {
        event_id: event.id,
        kind: kind.to_uppercase(),
        object_id: object_id.to_owned(),
        object_type: object_type.to_owned(),
        date: event.time,
        record: event.data,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(version: &str) -> Value {
        json!({
            "specversion": version, "id": "1", "source": "/a", "type": "dev.pollen.record.deleted.v1",
            "subject": "incident/a/b", "time": "2026-01-01T00:00:00Z", "data": {"n": 1},
        })
    }

    #[test]
    fn one_event_and_a_batch_are_read() {
        let one = event("1.0").to_string();
        let two = json!([event("1.0"), event("1.0")]).to_string();
        assert_eq!(count(false, one.as_bytes()), Ok(1));
        assert_eq!(count(true, two.as_bytes()), Ok(2));
        let [read] = read(false, one.as_bytes()).try_into().unwrap();
        assert_eq!(
            (&*read.kind, &*read.object_type, &*read.object_id),
            ("DELETED", "incident", "a/b")
        );
        assert_eq!(read.record, json!({"n": 1}));
    }

    #[test]
    fn what_is_no_event_says_why() {
        assert!(count(false, b"{}").unwrap_err().contains("no CloudEvent"));
        assert!(count(true, event("1.0").to_string().as_bytes()).is_err());
        assert!(
            count(false, event("0.3").to_string().as_bytes())
                .unwrap_err()
                .contains("0.3")
        );
    }
}
