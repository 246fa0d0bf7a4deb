//! What the command says to whoever runs it.

use chrono::{DateTime, SecondsFormat, Utc};

use super::place::Stored;
use crate::{api::Duration, fleet::Authorization};

/// What is to be done in the browser.
pub(super) fn request(authorization: &Authorization, is_listening: bool, wait: Duration) -> String {
    let request = authorization.request();
    let (host, url, redirect_uri) = (authorization.host(), request.url(), request.redirect_uri());
    let back = if is_listening {
        format!(
            "The answer is received at {redirect_uri}. If the browser runs on another machine, paste the address \
             that it was led to here."
        )
    } else {
        format!(
            "The browser is led to {redirect_uri}, whatever it shows there: paste the whole address from its \
             address bar here."
        )
    };
    format!(
        "Open this address in a browser, and log in at {host} as the user that Pollen is to act for:\n\n  {url}\n\n\
         {back} This waits for {wait}."
    )
}

/// What has become of it, and what comes next.
pub(super) fn done(stored: &Stored, ends: Option<DateTime<Utc>>) -> String {
    let Stored { place, next } = stored;
    let ends = ends.map(|end| end.to_rfc3339_opts(SecondsFormat::Secs, true));
    let ends = ends.map_or_else(String::new, |end| {
        format!("\nit ends at {end}: authorize again before; a condition reminds of it")
    });
    format!("authorized: the refresh token is stored in {place}{ends}\n{next}")
}
