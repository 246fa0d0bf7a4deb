//! What a spec may say and this release does not do yet: told to whoever wrote it, never silently
//! left out.

use crate::api::{ConnectorInstanceSpec, OnRejected};

/// What an instance's spec asks for in vain, in words for a condition.
#[must_use]
pub fn unsupported_by_instance(spec: &ConnectorInstanceSpec) -> Vec<String> {
    let callback = spec
        .events
        .as_ref()
        .and_then(|events| events.callback.as_ref());
    let Some(callback) = callback else {
        return Vec::new();
    };
    let on_rejected = match callback.on_rejected {
        Some(OnRejected::DeadLetter) => Some("DeadLetter"),
        Some(OnRejected::Skip) => Some("Skip"),
        Some(OnRejected::Block) | None => None,
    };
    let blocked = on_rejected.map(|word| {
        format!(
            "spec.events.callback.onRejected: this release does not do {word} yet: a refused event blocks its poller, \
             as with Block"
        )
    });
    let dead_letter =
        (callback.dead_letter.is_some() && on_rejected != Some("DeadLetter")).then(|| {
            "spec.events.callback.deadLetter: this release posts nothing there yet".to_owned()
        });
    blocked.into_iter().chain(dead_letter).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn instance(callback: Value) -> Vec<String> {
        let mut spec = json!({
            "connector": "servicenowoauth",
            "authentication": {"secretRef": {"name": "oauth"}, "type": "ClientCredentials"},
            "events": {"callback": callback},
        });
        spec["events"]["callback"]["url"] = json!("https://receiver.example/events");
        unsupported_by_instance(&serde_json::from_value(spec).unwrap())
    }

    #[rstest]
    #[case(json!({"onRejected": "Skip"}), "Skip")]
    #[case(json!({"onRejected": "DeadLetter", "deadLetter": {"url": "https://a.example"}}), "DeadLetter")]
    #[case(json!({"deadLetter": {"url": "https://a.example"}}), "deadLetter")]
    fn what_a_callback_asks_for_in_vain_is_told(#[case] callback: Value, #[case] named: &str) {
        let told = instance(callback);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains(named), "{told:?}");
    }

    #[test]
    fn of_what_is_done_nothing_is_told() {
        assert!(instance(json!({"onRejected": "Block"})).is_empty());
    }
}
