//! The envelope of Open Connectors, as its receivers know it: the order of the fields, the doubled
//! instance id and the date as Java prints it included.

use bytes::Bytes;
use chrono::{DateTime, Datelike as _, Month, Timelike as _, Utc};

use super::{
    Event, Kind, Notification, Origin,
    format::Payload,
    json::{Object, write_text},
    message_id,
};

/// Room for what stands around the records, and around each.
const ENVELOPE: usize = 768;
const EVENT: usize = 320;

/// The envelope, its ids derived from those of the events.
pub(super) fn encode(
    origin: &Origin,
    notification: &Notification,
    created_at: DateTime<Utc>,
) -> Payload {
    let digest = notification.digest();
    let id = digest.number().to_string();
    let envelope = Envelope {
        origin,
        notification,
        created_at,
        polled_at: to_the_second(notification.polled_at),
        id: &id,
        event_id: &digest.opaque(),
    };
    let body = envelope.body();
    Payload {
        elements_id: Some(id),
        message_id: message_id(&digest),
        content_type: "application/json",
        body,
    }
}

/// One notification with what its envelope adds.
struct Envelope<'a> {
    origin: &'a Origin,
    notification: &'a Notification,
    created_at: DateTime<Utc>,
    polled_at: String,
    /// Decimal digits.
    id: &'a str,
    /// Opaque text of at most 20 characters, one per notification.
    event_id: &'a str,
}

impl Envelope<'_> {
    fn body(&self) -> Bytes {
        let events = &self.notification.events;
        let records: usize = events.iter().map(|event| event.record.len() + EVENT).sum();
        let mut body = Vec::with_capacity(ENVELOPE + records);
        Object::write(&mut body, |envelope| {
            envelope.text("severity", "medium");
            envelope.text("createdDate", &java_date(self.created_at));
            envelope.text("topic", &self.topic());
            envelope.text("action", "create");
            envelope.text("id", self.id);
            envelope.object("message", |message| self.write_message(message));
            envelope.text("user", "notifications@cloud-elements.com");
        });
        body.into()
    }

    fn topic(&self) -> String {
        let Origin {
            identity,
            connector,
            ..
        } = self.origin;
        format!("instance-{}-{connector}-events", identity.instance_id)
    }

    fn write_message(&self, message: &mut Object<'_>) {
        let Origin {
            identity,
            connector,
            tags,
            ..
        } = self.origin;
        message.text("elementKey", connector);
        message.number("accountId", identity.account_id);
        message.text("eventId", self.event_id);
        message.number("companyId", identity.company_id);
        message.number("instanceId", identity.instance_id);
        message.number("instance_id", identity.instance_id);
        message.text("instanceName", &identity.instance_name);
        message.array("instanceTags", tags, |out, tag| write_text(out, tag));
        message.object("raw", |raw| self.write_raw(raw));
        message.number("userId", identity.user_id);
        message.array("events", &self.notification.events, |out, event| {
            Object::write(out, |standard| self.write_event(standard, event));
        });
    }

    fn write_raw(&self, raw: &mut Object<'_>) {
        let Notification { events, polled_at } = self.notification;
        raw.array(&self.origin.resource, events, |out, event| {
            out.extend_from_slice(&event.record);
        });
        raw.number("pollDate", polled_at.timestamp_millis());
        raw.text("objectType", &self.origin.resource);
    }

    fn write_event(&self, standard: &mut Object<'_>, event: &Event) {
        standard.text("date", &to_the_second(event.changed_at));
        standard.text("elementKey", &self.origin.connector);
        standard.text("pollDate", &self.polled_at);
        standard.text("eventType", event_type(event.kind));
        standard.text("hubKey", &self.origin.hub);
        standard.text("objectId", &event.object_id);
        standard.text("objectType", &self.origin.resource);
    }
}

/// What an event is called in the envelope, and in dead letters.
pub(super) const fn event_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Created => "CREATED",
        Kind::Updated => "UPDATED",
        Kind::Deleted => "DELETED",
    }
}

/// As `java.util.Date.toString` prints it.
///
/// By hand: a pattern would be read anew for each notification.
fn java_date(instant: DateTime<Utc>) -> String {
    let month = u8::try_from(instant.month()).ok();
    let month = month.and_then(|month| Month::try_from(month).ok());
    let month = month.and_then(|month| month.name().get(..3));
    format!(
        "{} {} {:02} {:02}:{:02}:{:02} UTC {:04}",
        instant.weekday(),
        month.unwrap_or_default(),
        instant.day(),
        instant.hour(),
        instant.minute(),
        instant.second(),
        instant.year()
    )
}

fn to_the_second(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests;
