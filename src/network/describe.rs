//! Broken connections in words.

use std::{error::Error, io, iter};

use super::{Refusal, TlsTrouble, excerpt::one_line, proxy_fault::What};

/// What shows in the causes of an error, and what that means to a person.
const KNOWN: [(&str, &str); 3] = [
    (
        "failed to lookup address",
        "no connection could be made: DNS knows no such host",
    ),
    (
        "Connection refused",
        "no connection could be made: nothing listens there",
    ),
    (
        "connection was not ready",
        "it closed the connection before anything was asked",
    ),
];

/// Why a request failed, in words for a condition and without its URL, which may carry a secret.
#[must_use]
pub fn describe(error: &reqwest::Error) -> String {
    described(error, TlsTrouble::of(error))
}

/// What a proxy did that no connection to a host came about through it; `None` where the host is at fault.
/// `is_all`: no tunnel leads through it, so that the proxy is all that was connected to.
pub(super) fn of_proxy(error: &reqwest::Error, is_all: bool) -> Option<What> {
    let causes = texts(error);
    let tunnel = causes
        .iter()
        .find_map(|cause| cause.strip_prefix("tunnel error: "));
    if !error.is_connect() {
        return None;
    }
    if let Some(refusal) = refusal(error) {
        return Some(What::MayNotBeReached(refusal.clone()));
    }
    match tunnel {
        Some("proxy authorization required") => Some(What::AsksWho),
        Some("unsuccessful") => Some(What::Refuses),
        _ if error.is_timeout() => Some(What::Slow),
        None if !is_all => None,
        _ => Some(What::Unreached(describe(error))),
    }
}

fn refusal(error: &reqwest::Error) -> Option<&Refusal> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The same of a request over plain http, which has no trouble with certificates.
pub(super) fn describe_plain(error: &reqwest::Error) -> String {
    described(error, None)
}

fn described(error: &reqwest::Error, trouble: Option<TlsTrouble>) -> String {
    if let Some(refusal) = refusal(error) {
        return refusal.to_string();
    }
    if error.is_timeout() {
        return "it did not answer in time".to_owned();
    }
    if let Some(trouble) = trouble {
        return trouble.words().to_owned();
    }
    let causes = texts(error);
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

impl TlsTrouble {
    /// What a failed request tells of.
    pub(super) fn of(error: &reqwest::Error) -> Option<Self> {
        Self::of_causes(causes(error)).filter(|_| refusal(error).is_none())
    }
}

fn texts(error: &reqwest::Error) -> Vec<String> {
    causes(error).map(ToString::to_string).collect()
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> + Clone {
    iter::successors(error.source(), |cause| cause_of(*cause))
}

/// An I/O error names as its cause what is behind the error that it holds, and not that one.
fn cause_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let held = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    held.map(|held| held as _).or_else(|| error.source())
}
