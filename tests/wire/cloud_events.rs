//! Events as CloudEvents 1.0, and the leave that a callback gives before it is posted to.

use chrono::TimeDelta;
use jsonschema::Validator;
use serde_json::{Value, json};
use simulator::receiver::{Consent, Signature};

use crate::harness::World;

/// The specification's own schema of one event.
fn schema() -> Validator {
    let schema = include_str!("../vectors/cloudevents.schema.json");
    let options = jsonschema::draft7::options().should_validate_formats(true);
    options
        .build(&serde_json::from_str(schema).unwrap())
        .unwrap()
}

async fn world(format: &str, incidents: usize) -> World {
    let world = World::with_incidents().await;
    world.set_callback("format", json!(format));
    for row in 0..incidents {
        let id = format!("id-{row}");
        let updated = format!("2026-01-02 03:04:{row:02}");
        let fields = [
            ("sys_id", &*id),
            ("sys_created_on", &updated),
            ("sys_updated_on", &updated),
        ];
        world.instance.create("incident", &fields);
    }
    world
}

#[tokio::test]
async fn a_structured_event_is_that_of_the_specification_field_by_field() {
    let world = world("CloudEvents", 2).await;
    assert_eq!(world.poll_well().await.len(), 2);
    let sent = world.receiver.notifications();
    assert_eq!(sent.len(), 2, "one event in each notification");
    assert_eq!(
        sent[0].headers["content-type"],
        "application/cloudevents+json"
    );
    assert!(!sent[0].headers.contains_key("elements-webhook-id"));
    assert_eq!(sent[0].standard_webhooks, Signature::Valid);
    assert_eq!(sent[0].signature, Signature::Valid);
    let mut event: Value = serde_json::from_slice(&sent[0].body).unwrap();
    assert!(schema().is_valid(&event), "{event}");
    let id = event["id"].take();
    assert_eq!(id.as_str().unwrap().len(), 32, "{id}");
    let stored = world.instance.record("id-0").unwrap();
    let expected = json!({
        "specversion": "1.0",
        "id": null,
        "source": "/namespaces/helpdesk/connectorinstances/servicenow",
        "type": "dev.pollen.record.created.v1",
        "subject": "incident/id-0",
        "time": "2026-01-02T03:04:00Z",
        "datacontenttype": "application/json",
        "connector": "servicenowoauth",
        "data": serde_json::to_value(stored).unwrap(),
    });
    assert_eq!(event, expected);
}

#[tokio::test]
async fn a_batch_carries_as_many_events_as_are_allowed() {
    let world = world("CloudEventsBatch", 7).await;
    world.set_callback("maxEventsPerNotification", json!(3));
    world.poll_well().await;
    let schema = schema();
    let sizes = world.receiver.notifications().into_iter().map(|sent| {
        assert_eq!(
            sent.headers["content-type"],
            "application/cloudevents-batch+json"
        );
        let events: Vec<Value> = serde_json::from_slice(&sent.body).unwrap();
        assert!(events.iter().all(|event| schema.is_valid(event)));
        events.len()
    });
    assert_eq!(sizes.collect::<Vec<_>>(), [3, 3, 1]);
}

#[tokio::test]
async fn a_callback_is_asked_once_before_the_first_notification_and_each_names_the_origin() {
    let world = world("CloudEvents", 3).await;
    world.set_callback("handshake", json!({"origin": "events.acme.example"}));
    let consent = Consent::Granted {
        origin: "events.acme.example".to_owned(),
        rate: Some("6000".to_owned()),
    };
    world.receiver.consent(consent);
    assert_eq!(world.poll_well().await.len(), 3);
    let [asked] = world.receiver.asked().try_into().unwrap();
    assert_eq!(asked.path, "/events");
    assert_eq!(
        asked.headers["webhook-request-origin"],
        "events.acme.example"
    );
    for sent in world.receiver.notifications() {
        assert_eq!(
            sent.headers["webhook-request-origin"],
            "events.acme.example"
        );
    }
    assert_eq!(world.poll_well().await, []);
    assert_eq!(
        world.receiver.asked().len(),
        1,
        "asked though there is nothing to post"
    );
}

#[tokio::test]
async fn a_callback_that_does_not_consent_gets_nothing_until_it_does() {
    let world = world("CloudEventsBatch", 2).await;
    for (consent, words) in [
        (
            Consent::Withheld(405),
            "405 Method Not Allowed, has no WebHook-Allowed-Origin",
        ),
        (
            Consent::Withheld(200),
            "200 OK, has no WebHook-Allowed-Origin",
        ),
        (
            Consent::Granted {
                origin: "other.example".to_owned(),
                rate: None,
            },
            "allows \"other.example\" alone",
        ),
    ] {
        world.receiver.consent(consent);
        let ended = world.poll_once_retrying("10s").await;
        let said = [
            "allows no notifications from pollen.dev",
            words,
            "spec.events.callback.handshake.mode: Skip",
        ];
        ended.assert_said(1, &said);
        assert_eq!(world.receiver.notifications().len(), 0);
    }
    world.receiver.consent(Consent::default());
    assert_eq!(world.poll_well().await.len(), 2);
}

#[tokio::test]
async fn a_callback_that_is_out_of_order_when_it_is_asked_is_asked_again() {
    let world = world("CloudEvents", 1).await;
    world.receiver.consent(Consent::Withheld(503));
    // Its answer stands for a second, and pauses are drawn from zero on.
    let ended = world.poll_once_retrying("10s").await;
    let told = [
        "answered 503 Service Unavailable to OPTIONS, the question",
        "spec.events.callback.handshake.mode: Skip",
    ];
    ended.assert_said(1, &told);
    assert!(world.receiver.asked().len() >= 2);
}

#[tokio::test]
async fn notifications_keep_to_the_rate_that_the_callback_allows() {
    let world = world("CloudEvents", 4).await;
    world.set_callback("maxInFlight", json!(4));
    let consent = Consent::Granted {
        origin: "*".to_owned(),
        rate: Some("120".to_owned()),
    };
    world.receiver.consent(consent);
    assert_eq!(world.poll_well().await.len(), 4);
    let sent = world.receiver.notifications();
    let took = sent[3].at - sent[0].at;
    assert!(took >= TimeDelta::milliseconds(1_400), "{took}");
}

#[tokio::test]
async fn a_callback_of_open_connectors_and_one_that_is_known_are_not_asked() {
    for skipped in [
        json!({"format": "OpenConnectors"}),
        json!({"format": "CloudEvents", "handshake": {"mode": "Skip"}}),
    ] {
        let world = world("CloudEvents", 1).await;
        world.receiver.consent(Consent::Withheld(405));
        for (field, value) in skipped.as_object().unwrap() {
            world.set_callback(field, value.clone());
        }
        assert_eq!(world.poll_well().await.len(), 1);
        assert_eq!(world.receiver.asked().len(), 0);
        let sent = world.receiver.notifications().remove(0);
        assert!(!sent.headers.contains_key("webhook-request-origin"));
    }
}
