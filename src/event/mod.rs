//! The standard form of a change, and the formats it travels in.

mod cloud_events;
mod dead_letter;
mod digest;
mod format;
mod identity;
mod json;
mod open_connectors;

use bytes::Bytes;
use chrono::{DateTime, Utc};

pub use dead_letter::LetterHead;
use digest::{Digest, Ended};
pub use format::{Format, Payload};

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Created,
    Updated,
    Deleted,
}

/// A digest of the namespace and name of the instance, resource, object id and version: the same
/// change has the same id in every retry, replay and restart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(String);

impl EventId {
    /// Wraps a digest that [`Origin::event_id`] made.
    pub(crate) const fn new(digest: String) -> Self {
        Self(digest)
    }

    /// The id as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One change, in the form from which every format is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub id: EventId,
    pub kind: Kind,
    /// The value at the id field, always text.
    pub object_id: String,
    /// The record's changed date.
    pub changed_at: DateTime<Utc>,
    /// The record as the provider sent it: the JSON text of one object, byte for byte.
    pub record: Bytes,
}

/// Where events come from: what every event of one poller shares.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    pub namespace: String,
    pub instance: String,
    /// The objectType of the events.
    pub resource: String,
    /// Key and hub of the connector (`elementKey`, `hubKey`).
    pub connector: String,
    pub hub: String,
    pub tags: Vec<String>,
    /// What the Open Connectors envelope shows; derived where the spec is silent.
    pub identity: Identity,
}

impl Origin {
    /// The id of the change that brought `object_id` to `version`.
    #[must_use]
    pub fn event_id(&self, object_id: &str, version: &str) -> EventId {
        let digest = Digest::of("event")
            .text(&self.namespace)
            .text(&self.instance)
            .text(&self.resource)
            .text(object_id)
            .text(version);
        EventId::new(digest.end().hex())
    }
}

/// The numbers and the name in the Open Connectors envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub instance_id: i64,
    pub account_id: i64,
    pub company_id: i64,
    pub user_id: i64,
    pub instance_name: String,
}

/// One POST to the callback: 1 to N events of one poll, in order of their changed date.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    pub events: Vec<Event>,
    /// The start of the poll that found them.
    pub polled_at: DateTime<Utc>,
}

impl Notification {
    /// A digest of the ids inside: a repeated notification has the ids of the first.
    fn digest(&self) -> Ended {
        let digest = Digest::of("notification");
        let ids = self.events.iter().map(|event| event.id.as_str());
        ids.fold(digest, Digest::text).end()
    }
}

/// The id by which Standard Webhooks tells repeats.
fn message_id(digest: &Ended) -> String {
    format!("msg_{}", digest.hex())
}

#[cfg(test)]
mod tests;
