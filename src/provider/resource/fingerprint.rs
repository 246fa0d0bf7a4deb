//! Digests by which an edit of a poller is noticed.

use std::collections::BTreeSet;

use chrono::DateTime;
use sha2::{Digest as _, Sha256};

use super::{
    dates::Fields,
    plan::{Plan, stated},
    text::Moments,
};
use crate::{
    api::PollerResourceSpec,
    provider::{DateReader, page::hex},
};

/// A digest of what is asked, and at which host (`origin`).
pub(super) fn fingerprint(
    key: &str,
    origin: &str,
    resource: &str,
    spec: &PollerResourceSpec,
    fields: &Fields,
) -> String {
    let date = |date: &Option<DateReader>| {
        date.as_ref()
            .map(|date| format!("{} {} {}", date.field, date.pattern, date.zone))
            .unwrap_or_default()
    };
    let asked = serde_json::json!([
        key,
        origin,
        resource,
        stated(spec),
        fields.id,
        date(&fields.updated),
        date(&fields.created)
    ]);
    hex(&Sha256::digest(asked.to_string().as_bytes()))
}

/// A digest of where records are found, whatever of them is asked for.
pub(super) fn place(base: &reqwest::Url, plan: &Plan, fields: &Fields) -> String {
    let moments = Moments {
        bound: DateTime::UNIX_EPOCH,
        now: DateTime::UNIX_EPOCH,
    };
    let place = serde_json::json!([base.as_str(), plan.path.print(moments), fields.id]);
    hex(&Sha256::digest(place.to_string().as_bytes()))
}

/// A digest of the fields that are no part of a record's content.
pub(super) fn digest_of_ignored(fields: &[String]) -> String {
    let ignored: BTreeSet<_> = fields.iter().collect();
    hex(&Sha256::digest(
        serde_json::json!(ignored).to_string().as_bytes(),
    ))
}
