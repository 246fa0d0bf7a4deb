//! Why no answer came, in words.

use std::error::Error;

use super::{Refusal, excerpt::one_line};

/// What a failure's causes contain, and what that means to a person.
const KNOWN: [(&str, &str); 5] = [
    (
        "failed to lookup address",
        "no such host, DNS doesn't know its name",
    ),
    ("Connection refused", "nothing listens there"),
    (
        "not valid for name",
        "its TLS certificate is for another host",
    ),
    (
        "UnknownIssuer",
        "its TLS certificate is signed by an authority that is not trusted here",
    ),
    ("certificate expired", "its TLS certificate has expired"),
];

/// Why a request failed, in words for a condition and without its URL, which may carry a secret.
#[must_use]
pub fn describe(error: &reqwest::Error) -> String {
    let causes = || std::iter::successors(error.source(), |cause| Error::source(*cause));
    if let Some(refusal) = causes().find_map(|cause| cause.downcast_ref::<Refusal>()) {
        return refusal.to_string();
    }
    if error.is_timeout() {
        return "it did not answer in time".to_owned();
    }
    let texts: Vec<_> = causes().map(ToString::to_string).collect();
    let known = KNOWN
        .iter()
        .find(|(part, _)| texts.iter().any(|text| text.contains(part)));
    let reason = match known {
        Some((_, words)) => (*words).to_owned(),
        None => one_line(texts.last().map_or("the request failed", String::as_str)),
    };
    if error.is_connect() {
        format!("no connection could be made: {reason}")
    } else {
        format!("the connection broke: {reason}")
    }
}
