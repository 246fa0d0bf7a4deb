//! The form in which an event travels that its callback refused: what was posted, and why it was
//! not taken (`docs/delivery.md` is the reference).

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};

use super::{Digest, Event, Origin, format::Payload, json::Object, open_connectors::event_type};

/// The type of a dead letter.
const TYPE: &str = "dev.pollen.deadletter.v1";
/// Room for what stands around the notification.
const ENVELOPE: usize = 1024;

/// Why an event could not be delivered.
#[derive(Clone, Debug)]
pub struct LetterHead<'a> {
    /// The status code of the callback's answer.
    pub status: u16,
    /// The same in words.
    pub reason: &'a str,
    /// When it was refused.
    pub at: DateTime<Utc>,
}

impl LetterHead<'_> {
    /// The letter about `event`, which was `refused` in this form. A repeated one has the ids of the
    /// first, and they are not those of a notification.
    #[must_use]
    pub fn letter(&self, origin: &Origin, event: &Event, refused: &Payload) -> Payload {
        let digest = Digest::of("dead letter").text(event.id.as_str()).end();
        let id = digest.hex();
        let mut body = Vec::with_capacity(ENVELOPE + refused.body.len());
        Object::write(&mut body, |letter| {
            letter.text("type", TYPE);
            letter.text("id", &id);
            self.write_reason(letter);
            write_event(letter, origin, event);
            letter.text("contentType", refused.content_type);
            letter.json("notification", &refused.body);
        });
        Payload {
            elements_id: Some(digest.number().to_string()),
            message_id: format!("msg_{id}"),
            content_type: "application/json",
            body: Bytes::from(body),
        }
    }

    fn write_reason(&self, letter: &mut Object<'_>) {
        letter.text(
            "time",
            &self.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        );
        letter.number("status", self.status.into());
        letter.text("reason", self.reason);
    }
}

fn write_event(letter: &mut Object<'_>, origin: &Origin, event: &Event) {
    letter.text("namespace", &origin.namespace);
    letter.text("instance", &origin.instance);
    letter.text("resource", &origin.resource);
    letter.text("objectId", &event.object_id);
    letter.text("eventId", event.id.as_str());
    letter.text("eventType", event_type(event.kind));
    let changed_at = event
        .changed_at
        .to_rfc3339_opts(SecondsFormat::AutoSi, true);
    letter.text("changedAt", &changed_at);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Identity, Kind};

    fn letter(reason: &str, second: i64) -> Payload {
        let origin = Origin {
            namespace: "helpdesk".to_owned(),
            instance: "servicenow-prod".to_owned(),
            resource: "incident".to_owned(),
            connector: "servicenowoauth".to_owned(),
            hub: "helpdesk".to_owned(),
            tags: Vec::new(),
            identity: Identity::new("helpdesk", "servicenow-prod", None),
        };
        let event = Event {
            id: origin.event_id("46f0\"", "3"),
            kind: Kind::Updated,
            object_id: "46f0\"".to_owned(),
            changed_at: "2026-01-02T03:04:05Z".parse().unwrap(),
            record: Bytes::from_static(b"{}"),
        };
        let refused = Payload {
            elements_id: None,
            message_id: "msg_1".to_owned(),
            content_type: "application/json",
            body: Bytes::from_static(b"{ \"v\": 1.0e0 }"),
        };
        let head = LetterHead {
            status: 422,
            reason,
            at: DateTime::from_timestamp(second, 0).unwrap(),
        };
        head.letter(&origin, &event, &refused)
    }

    #[test]
    fn a_dead_letter_carries_what_was_posted_to_the_byte_and_why_it_was_refused() {
        let letter = letter("the callback said \"no\"", 1_800_000_000);
        let expected = concat!(
            r#"{"type":"dev.pollen.deadletter.v1","id":"ID","time":"2027-01-15T08:00:00.000Z","#,
            r#""status":422,"reason":"the callback said \"no\"","namespace":"helpdesk","#,
            r#""instance":"servicenow-prod","resource":"incident","objectId":"46f0\"","#,
            r#""eventId":"EVENT","eventType":"UPDATED","changedAt":"2026-01-02T03:04:05Z","#,
            r#""contentType":"application/json","notification":{ "v": 1.0e0 }}"#,
        );
        let body = String::from_utf8(letter.body.to_vec()).unwrap();
        let read: serde_json::Value = serde_json::from_str(&body).unwrap();
        let id = letter.message_id.trim_start_matches("msg_");
        let event = read["eventId"].as_str().unwrap();
        assert_eq!(body.replace(id, "ID").replace(event, "EVENT"), expected);
    }

    #[test]
    fn a_repeated_letter_has_the_ids_of_the_first_whatever_it_says() {
        let (first, second) = (letter("no", 1), letter("not now either", 2));
        assert_ne!(first.body, second.body);
        let ids = |letter: &Payload| (letter.elements_id.clone(), letter.message_id.clone());
        assert_eq!(ids(&first), ids(&second));
    }
}
