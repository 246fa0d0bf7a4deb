//! Answers that are no pages, and what is said of them.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use reqwest::{Response, Url};

use super::{Answered, Connection, IDLE, Reply};
use crate::{
    catalog::Reaction,
    category::Category,
    network,
    provider::{
        FetchError,
        answer::{self, Answer},
        rate_limit, words,
    },
};

/// Enough of an error to find its text.
const MAX_ERROR: usize = 64 * 1024;

impl Connection {
    pub(super) fn elsewhere(&self, url: &Url) -> FetchError {
        let (host, base) = (
            url.host_str().unwrap_or_default(),
            self.base.host_str().unwrap_or_default(),
        );
        let message =
            format!("a link leads from {base} to {host}, where the authorization must not be sent");
        FetchError::new(Category::Provider, message)
    }

    /// An answer that is no page, with its body looked at.
    pub(super) async fn failed(
        &self,
        url: &Url,
        status: StatusCode,
        headers: &HeaderMap,
        response: Response,
    ) -> Answered {
        let body = tokio::time::timeout(IDLE, network::read_limited(response, MAX_ERROR)).await;
        let body = body.ok().and_then(Result::ok);
        let body = body.and_then(|body| serde_json::from_slice(&body).ok());
        let answer = Answer {
            status,
            headers,
            body: body.as_ref(),
        };
        let (reaction, advice) = answer
            .reaction(&self.connector)
            .unwrap_or((Reaction::Retry, None));
        let words = body
            .as_ref()
            .map(|body| words::of_error(body, &self.connector.error_text))
            .unwrap_or_default();
        let words = match (words.as_str(), status.is_redirection(), status.is_success()) {
            (_, true, _) => redirect(headers),
            ("", _, true) => {
                "no JSON: the provider may be asleep or asking a person to log in".to_owned()
            }
            _ => words,
        };
        let said = answer::advised(advice, &network::one_line(&(self.redact)(&words)));
        let message = format!("{}: HTTP {}: {said}", subject(url), status.as_u16());
        let error = FetchError {
            retry_after: self.pause(reaction, headers),
            ..FetchError::new(answer::category(reaction), message)
        };
        match reaction {
            Reaction::Empty => Answered::Good(Reply {
                headers: headers.clone(),
                body: None,
            }),
            Reaction::RefreshAuthorization => Answered::Refused(error),
            Reaction::ShrinkPage => Answered::TooMuch(error),
            _ => Answered::Failed(error),
        }
    }

    fn pause(&self, reaction: Reaction, headers: &HeaderMap) -> Option<Duration> {
        let now = self.clock.now();
        let reset = || rate_limit::reset(headers, now).filter(|_| reaction == Reaction::RateLimit);
        network::retry_after(headers, now, rate_limit::LONGEST).or_else(reset)
    }

    pub(super) fn slow(&self, url: &Url, limit: Duration) -> FetchError {
        let message = format!(
            "{}: no complete answer within {} s",
            subject(url),
            limit.as_secs()
        );
        FetchError::new(Category::Provider, message)
    }

    pub(super) fn broken(&self, url: &Url, words: &str) -> FetchError {
        let words = network::one_line(&(self.redact)(words));
        FetchError::new(Category::Provider, format!("{}: {words}", subject(url)))
    }

    pub(super) fn too_large(&self, url: &Url) -> FetchError {
        let message = format!(
            "{}: the page is larger than {} bytes",
            subject(url),
            self.max_body
        );
        FetchError::new(Category::Provider, message)
    }
}

/// How messages name a request: without its query, which may be long and private.
pub(in crate::provider) fn subject(url: &Url) -> String {
    format!(
        "GET {} of {}",
        url.path(),
        url.host_str().unwrap_or_default()
    )
}

fn redirect(headers: &HeaderMap) -> String {
    let location = headers
        .get(http::header::LOCATION)
        .and_then(|value| value.to_str().ok());
    let host = location
        .and_then(|location| Url::parse(location).ok())
        .and_then(|url| url.host_str().map(str::to_owned));
    let host = host.unwrap_or_else(|| "another page".to_owned());
    format!(
        "a redirect to {host}, which is not followed: set the instance's baseUrl to the host that answers"
    )
}
