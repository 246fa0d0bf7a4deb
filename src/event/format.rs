//! The formats in which notifications travel.

use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::{Notification, Origin, open_connectors};
use crate::{api::EventFormat, category::ConfigurationError};

/// A format that notifications can be sent in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The envelope of Open Connectors.
    OpenConnectors,
}

impl Format {
    /// The format that `spec.events.callback.format` asks for.
    ///
    /// # Errors
    ///
    /// It is one that this version cannot send.
    pub fn new(asked: Option<EventFormat>) -> Result<Self, ConfigurationError> {
        match asked.unwrap_or_default() {
            EventFormat::OpenConnectors => Ok(Self::OpenConnectors),
            EventFormat::CloudEvents | EventFormat::CloudEventsBatch => {
                Err(ConfigurationError::new(
                    "spec.events.callback.format",
                    "this version of Pollen does not send CloudEvents: write OpenConnectors",
                ))
            }
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
        }
    }
}

/// What is posted for one notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The id of the notification, derived from the ids of its events: a receiver that knows it
    /// has had them.
    pub id: String,
    /// The media type of `body`.
    pub content_type: &'static str,
    pub body: Bytes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_connectors_is_the_default() {
        assert_eq!(Format::new(None), Ok(Format::OpenConnectors));
    }

    #[test]
    fn a_format_that_cannot_be_sent_is_refused_with_the_one_to_write() {
        for asked in [EventFormat::CloudEvents, EventFormat::CloudEventsBatch] {
            let error = Format::new(Some(asked)).unwrap_err();
            assert_eq!(error.field, "spec.events.callback.format");
            assert!(error.message.contains("write OpenConnectors"));
        }
    }
}
