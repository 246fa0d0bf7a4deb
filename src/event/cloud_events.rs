//! CloudEvents 1.0 in JSON: one event in structured mode, or several in batched mode (HTTP protocol
//! binding 3.2 and 3.3, JSON format 3 and 4).

use std::{borrow::Cow, fmt::Write as _};

use chrono::SecondsFormat;

use super::{Event, Kind, Notification, Origin, format::Payload, json::Object, message_id};

const STRUCTURED: &str = "application/cloudevents+json";
const BATCHED: &str = "application/cloudevents-batch+json";

/// Room for what stands around each record.
const EVENT: usize = 384;

/// The one event of a notification by itself. One of several goes as a batch, rather than in part.
pub(super) fn structured(origin: &Origin, notification: &Notification) -> Payload {
    let [event] = notification.events.as_slice() else {
        return batched(origin, notification);
    };
    let mut body = Vec::with_capacity(EVENT + event.record.len());
    write(&mut body, origin, event);
    payload(notification, STRUCTURED, body)
}

/// All events of a notification.
pub(super) fn batched(origin: &Origin, notification: &Notification) -> Payload {
    let events = &notification.events;
    let size = events.iter().map(|event| EVENT + event.record.len()).sum();
    let mut body = Vec::with_capacity(size);
    body.push(b'[');
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        write(&mut body, origin, event);
    }
    body.push(b']');
    payload(notification, BATCHED, body)
}

fn payload(notification: &Notification, content_type: &'static str, body: Vec<u8>) -> Payload {
    Payload {
        elements_id: None,
        message_id: message_id(&notification.digest()),
        content_type,
        body: body.into(),
    }
}

fn write(out: &mut Vec<u8>, origin: &Origin, event: &Event) {
    let Origin {
        namespace,
        instance,
        resource,
        connector,
        ..
    } = origin;
    let source = format!("/namespaces/{namespace}/connectorinstances/{instance}");
    let subject = format!("{resource}/{}", event.object_id);
    let time = event
        .changed_at
        .to_rfc3339_opts(SecondsFormat::AutoSi, true);
    Object::write(out, |attributes| {
        attributes.text("specversion", "1.0");
        attributes.text("id", event.id.as_str());
        attributes.text("source", &source);
        attributes.text("type", event_type(event.kind));
        attributes.text("subject", &without_forbidden(&subject));
        attributes.text("time", &time);
        attributes.text("datacontenttype", "application/json");
        attributes.text("connector", connector);
        attributes.json("data", &event.record);
    });
}

const fn event_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Created => "dev.pollen.record.created.v1",
        Kind::Updated => "dev.pollen.record.updated.v1",
        Kind::Deleted => "dev.pollen.record.deleted.v1",
    }
}

/// A text with each character that no attribute may hold in percent encoding.
fn without_forbidden(text: &str) -> Cow<'_, str> {
    if !text.contains(is_forbidden) {
        return Cow::Borrowed(text);
    }
    let mut allowed = String::with_capacity(text.len());
    for character in text.chars() {
        if is_forbidden(character) {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                // Writing to a String cannot fail.
                let _ = write!(allowed, "%{byte:02X}");
            }
        } else {
            allowed.push(character);
        }
    }
    Cow::Owned(allowed)
}

/// Controls and noncharacters (CloudEvents 1.0.2, "Type System": String).
const fn is_forbidden(character: char) -> bool {
    let code = character as u32;
    matches!(code, 0..=0x1f | 0x7f..=0x9f | 0xfdd0..=0xfdef) || code & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests;
