//! What is stored is read whatever wrote it: one object that cannot be read would be one that no
//! controller can speak of.

use pollen::api::{ConnectorInstance, PollerResource, StartFrom};
use serde_json::{Value, json};

use crate::table::table;

fn stored(kind: &str, fields: &[(&str, Value)]) -> Value {
    let mut object = table().bases[kind].clone();
    for (pointer, value) in fields {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        object.pointer_mut(parent).unwrap()[name] = value.clone();
    }
    object
}

#[test]
fn fields_of_a_newer_version_do_not_hide_the_rest() {
    let instance = stored(
        "ConnectorInstance",
        &[
            ("/spec/fromTheFuture", json!({"a": 1})),
            ("/status", json!({"fromTheFuture": [1]})),
        ],
    );
    let instance: ConnectorInstance = serde_json::from_value(instance).unwrap();
    assert_eq!(instance.spec.connector, "servicenowoauth");

    let poller = stored(
        "PollerResource",
        &[
            ("/spec/deletes", json!({"fromTheFuture": true})),
            ("/status", json!({"events": 3, "fromTheFuture": 1})),
        ],
    );
    let poller: PollerResource = serde_json::from_value(poller).unwrap();
    assert_eq!(poller.status.unwrap().events, Some(3));
}

#[test]
fn what_is_read_is_written_back_as_it_was() {
    for kind in ["ConnectorInstance", "PollerResource"] {
        let object = stored(kind, &[]);
        let written = match kind {
            "ConnectorInstance" => serde_json::to_value(
                serde_json::from_value::<ConnectorInstance>(object.clone()).unwrap(),
            ),
            _ => serde_json::to_value(
                serde_json::from_value::<PollerResource>(object.clone()).unwrap(),
            ),
        };
        assert_eq!(written.unwrap(), object);
    }
}

#[test]
fn every_start_that_the_server_stores_is_read() {
    for (text, start) in [
        ("2024-02-29T23:59:59.5+02:00", "2024-02-29T21:59:59.500Z"),
        ("1900-01-01T00:00:00Z", "1900-01-01T00:00:00Z"),
    ] {
        let poller = stored("PollerResource", &[("/spec/startFrom", json!(text))]);
        let poller: PollerResource = serde_json::from_value(poller).unwrap();
        assert_eq!(
            poller.spec.start_from,
            Some(StartFrom::At(start.parse().unwrap()))
        );
    }
}
