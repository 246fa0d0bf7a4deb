//! The events in a body of any format.

use http::{HeaderMap, header::CONTENT_TYPE};

use super::{cloud_events, envelope};
use envelope::Enclosed;

/// What a body is by its media type.
enum Format {
    OpenConnectors,
    CloudEvents { is_batch: bool },
}

impl Format {
    fn of(headers: &HeaderMap) -> Self {
        let media_type = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        match media_type {
            Some("application/cloudevents+json") => Self::CloudEvents { is_batch: false },
            Some("application/cloudevents-batch+json") => Self::CloudEvents { is_batch: true },
            _ => Self::OpenConnectors,
        }
    }
}

/// How many events a body encloses, or why nobody can say.
pub(super) fn count(headers: &HeaderMap, body: &[u8]) -> Result<usize, String> {
    match Format::of(headers) {
        Format::OpenConnectors => envelope::count(body),
        Format::CloudEvents { is_batch } => cloud_events::count(is_batch, body),
    }
}

/// The events that a body encloses; none if it is of no known format.
pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Vec<Enclosed> {
    match Format::of(headers) {
        Format::OpenConnectors => envelope::read(body),
        Format::CloudEvents { is_batch } => cloud_events::read(is_batch, body),
    }
}
