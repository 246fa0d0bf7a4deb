//! Broken connections in words.

use std::{error::Error, iter};

use super::{Refusal, excerpt::one_line};

/// What shows in the causes of an error, and what that means to a person.
const KNOWN: [(&str, &str); 7] = [
    ("NotValidForName", "its TLS certificate is for another host"),
    (
        "not valid for name",
        "its TLS certificate is for another host",
    ),
    (
        "UnknownIssuer",
        "its TLS certificate is signed by an authority that is not trusted here",
    ),
    ("Expired", "its TLS certificate has expired"),
    ("certificate expired", "its TLS certificate has expired"),
    (
        "failed to lookup address",
        "no connection could be made: DNS knows no such host",
    ),
    (
        "Connection refused",
        "no connection could be made: nothing listens there",
    ),
];

/// Why a request failed, in words for a condition and without its URL, which may carry a secret.
#[must_use]
pub fn describe(error: &reqwest::Error) -> String {
    if let Some(refusal) = causes(error).find_map(|cause| cause.downcast_ref::<Refusal>()) {
        return refusal.to_string();
    }
    if error.is_timeout() {
        return "it did not answer in time".to_owned();
    }
    let causes: Vec<_> = causes(error).map(ToString::to_string).collect();
    let known = KNOWN
        .iter()
        .find(|(part, _)| causes.iter().any(|cause| cause.contains(part)));
    if let Some((_, words)) = known {
        return (*words).to_owned();
    }
    let reason = causes.last().map_or("the request failed", String::as_str);
    let what = if error.is_connect() {
        "no connection could be made"
    } else {
        "the connection broke"
    };
    format!("{what}: {}", one_line(reason))
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    iter::successors(error.source(), |cause: &&(dyn Error + 'static)| {
        (*cause).source()
    })
}
