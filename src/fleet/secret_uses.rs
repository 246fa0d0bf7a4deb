//! Which Secrets an instance names, and for what.

use std::collections::BTreeSet;

use crate::api::{Callback, ConnectorInstanceSpec, SecretRef, Tls};

/// The names of the Secrets that an instance needs at its provider, each once, in order.
#[must_use]
pub fn provider_secret_names(spec: &ConnectorInstanceSpec) -> Vec<String> {
    let own = &spec.authentication.secret_ref;
    each_once(certificates(spec.tls.as_ref()).chain([own]))
}

/// The names of the Secrets that an instance needs, each once, in order.
#[must_use]
pub fn secret_names(spec: &ConnectorInstanceSpec) -> Vec<String> {
    let own = &spec.authentication.secret_ref;
    each_once(others(spec).map(|(_, secret)| secret).chain([own]))
}

/// The fields by which an instance uses the Secret that it authenticates with for something else too.
#[must_use]
pub fn uses_beside_authentication(spec: &ConnectorInstanceSpec) -> Vec<&'static str> {
    let own = &spec.authentication.secret_ref.name;
    let shared = others(spec).filter(|(_, secret)| secret.name == *own);
    let mut fields: Vec<_> = shared.map(|(field, _)| field).collect();
    // Both Secrets of a connection's certificates stand under one field.
    fields.dedup();
    fields
}

/// Every Secret that is named, but for the one that the instance authenticates with, and the field.
fn others(spec: &ConnectorInstanceSpec) -> impl Iterator<Item = (&'static str, &SecretRef)> {
    let provider = certificates(spec.tls.as_ref()).map(|secret| ("spec.tls", secret));
    let callback = spec
        .events
        .as_ref()
        .and_then(|events| events.callback.as_ref());
    provider.chain(callback.into_iter().flat_map(of_callback))
}

fn of_callback(callback: &Callback) -> impl Iterator<Item = (&'static str, &SecretRef)> {
    let letters = callback.dead_letter.as_ref();
    let letters = certificates(letters.and_then(|letters| letters.tls.as_ref()));
    let signing = callback.signing.as_ref().map(|it| &it.secret_ref);
    let shown = callback.authentication.as_ref().map(|it| &it.secret_ref);
    let at = |field: &'static str| move |secret| (field, secret);
    certificates(callback.tls.as_ref())
        .map(at("spec.events.callback.tls"))
        .chain(letters.map(at("spec.events.callback.deadLetter.tls")))
        .chain(signing.into_iter().map(at("spec.events.callback.signing")))
        .chain(
            shown
                .into_iter()
                .map(at("spec.events.callback.authentication")),
        )
}

fn certificates(tls: Option<&Tls>) -> impl Iterator<Item = &SecretRef> {
    let named = tls.map(|tls| [&tls.ca_ref, &tls.secret_ref]);
    named.into_iter().flatten().flatten()
}

fn each_once<'a>(secrets: impl Iterator<Item = &'a SecretRef>) -> Vec<String> {
    let names: BTreeSet<_> = secrets.map(|secret| secret.name.clone()).collect();
    names.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn spec(callback: &Value) -> ConnectorInstanceSpec {
        let spec = json!({
            "connector": "servicenowoauth",
            "authentication": {"secretRef": {"name": "oauth"}, "type": "ClientCredentials"},
            "tls": {"caRef": {"name": "provider-ca"}, "secretRef": {"name": "oauth"}},
            "events": {"callback": callback},
        });
        serde_json::from_value(spec).unwrap()
    }

    fn full() -> ConnectorInstanceSpec {
        spec(&json!({
            "url": "https://a.example/",
            "tls": {"caRef": {"name": "callback-ca"}},
            "deadLetter": {"url": "https://b.example/", "tls": {"caRef": {"name": "letters-ca"}}},
            "signing": {"secretRef": {"name": "signing"}},
            "authentication": {"type": "Bearer", "secretRef": {"name": "signing"}},
        }))
    }

    #[test]
    fn every_secret_is_named_once() {
        let names = secret_names(&full());
        let all = [
            "callback-ca",
            "letters-ca",
            "oauth",
            "provider-ca",
            "signing",
        ];
        assert_eq!(names, all);
        assert_eq!(provider_secret_names(&full()), ["oauth", "provider-ca"]);
    }

    #[test]
    fn what_else_uses_the_secret_of_the_authentication_is_named_by_its_field() {
        assert_eq!(uses_beside_authentication(&full()), ["spec.tls"]);
        let signs =
            json!({"url": "https://a.example/", "signing": {"secretRef": {"name": "oauth"}}});
        let fields = ["spec.tls", "spec.events.callback.signing"];
        assert_eq!(uses_beside_authentication(&spec(&signs)), fields);
    }
}
