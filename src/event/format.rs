//! The formats in which notifications travel.

use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::{Notification, Origin, cloud_events, open_connectors};
use crate::api::EventFormat;

/// A format that notifications are sent in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The envelope of Open Connectors.
    OpenConnectors,
    /// One CloudEvent in structured mode.
    CloudEvents,
    /// CloudEvents in batched mode.
    CloudEventsBatch,
}

impl Format {
    /// The format that `spec.events.callback.format` asks for.
    #[must_use]
    pub fn new(asked: Option<EventFormat>) -> Self {
        match asked.unwrap_or_default() {
            EventFormat::OpenConnectors => Self::OpenConnectors,
            EventFormat::CloudEvents => Self::CloudEvents,
            EventFormat::CloudEventsBatch => Self::CloudEventsBatch,
        }
    }

    /// The most events in a notification, where the spec allows `asked`: in structured mode a body
    /// is one event.
    #[must_use]
    pub const fn max_events(self, asked: usize) -> usize {
        match self {
            Self::CloudEvents => 1,
            Self::OpenConnectors | Self::CloudEventsBatch => asked,
        }
    }

    /// The notification as it is posted, made at `created_at`.
    #[must_use]
    pub fn encode(
        self,
        origin: &Origin,
        notification: &Notification,
        created_at: DateTime<Utc>,
    ) -> Payload {
        match self {
            Self::OpenConnectors => open_connectors::encode(origin, notification, created_at),
            Self::CloudEvents => cloud_events::structured(origin, notification),
            Self::CloudEventsBatch => cloud_events::batched(origin, notification),
        }
    }
}

/// What is posted for one notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// What `Elements-Webhook-Id` says in the format of Open Connectors: the envelope's own id,
    /// derived from the ids of its events.
    pub elements_id: Option<String>,
    /// The id by which Standard Webhooks tells repeats, derived from the same: a receiver that
    /// knows it has had these events.
    pub message_id: String,
    /// The media type of `body`.
    pub content_type: &'static str,
    pub body: Bytes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_connectors_is_the_default() {
        assert_eq!(Format::new(None), Format::OpenConnectors);
    }

    #[test]
    fn in_structured_mode_a_notification_is_one_event() {
        assert_eq!(Format::CloudEvents.max_events(10), 1);
        assert_eq!(Format::CloudEventsBatch.max_events(10), 10);
        assert_eq!(Format::OpenConnectors.max_events(10), 10);
    }
}
