//! Broken connections in words.

use std::error::Error;

/// What went wrong below HTTP, and what to look at.
pub(super) fn words(error: &reqwest::Error) -> String {
    let causes = causes(error);
    let has = |part: &str| causes.iter().any(|cause| cause.contains(part));
    let last = causes.last().cloned().unwrap_or_default();
    if has("not valid for name") || has("NotValidForName") {
        "the TLS certificate is another host's; check the host's name, or set baseUrl to the name it has".to_owned()
    } else if has("UnknownIssuer") {
        "the TLS certificate is signed by an authority that is not trusted; add it to the trusted ones".to_owned()
    } else if has("certificate expired") || has("Expired") {
        "the TLS certificate has expired; the provider must renew it".to_owned()
    } else if has("invalid peer certificate") || has("tls") {
        format!("TLS failed: {last}")
    } else if has("dns error") || has("failed to lookup address") {
        "no such host: DNS doesn't know its name; check the subdomain or baseUrl".to_owned()
    } else if has("Connection refused") {
        "the connection was refused: nothing listens there".to_owned()
    } else if error.is_timeout() {
        "no connection or answer in time".to_owned()
    } else if error.is_connect() {
        format!("no connection: {last}")
    } else {
        format!("the connection broke: {last}")
    }
}

fn causes(error: &dyn Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes
}
