//! Which callback a 410 was the answer of, so that a later process sends it nothing either.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::api::ConnectorInstanceSpec;

/// A digest of all that the spec says of its callback: another one is another callback.
pub(super) fn callback_digest(spec: &ConnectorInstanceSpec) -> Option<String> {
    let callback = spec.events.as_ref()?.callback.as_ref()?;
    let text = serde_json::to_value(callback).ok()?.to_string();
    Some(STANDARD_NO_PAD.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn digest(events: &Value, tags: &[&str]) -> Option<String> {
        let spec = json!({
            "connector": "servicenowoauth",
            "authentication": {"secretRef": {"name": "oauth"}, "type": "ClientCredentials"},
            "tags": tags,
            "events": events,
        });
        callback_digest(&serde_json::from_value(spec).unwrap())
    }

    #[test]
    fn an_edit_of_the_callback_and_nothing_else_makes_it_another_one() {
        let url = "https://receiver.example/events";
        let first = digest(&json!({"callback": {"url": url}}), &[]);
        assert!(first.is_some());
        let elsewhere = json!({"refreshInterval": "1m", "callback": {"url": url}});
        assert_eq!(digest(&elsewhere, &["new"]), first);
        let edited = json!({"callback": {"url": url, "headers": {"x-route": "b"}}});
        assert_ne!(digest(&edited, &[]), first);
        assert_eq!(digest(&json!({}), &[]), None);
    }
}
