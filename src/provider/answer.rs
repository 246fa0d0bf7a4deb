//! What an answer means that is no page.

use std::{fmt, sync::Arc};

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::{PageError, Redact, page::Fault, page_size::PageSize, words};
use crate::{
    catalog::{Condition, Connector, ErrorRule, HeaderIs, Reaction},
    category::Category,
    network,
};

/// An answer as the connector's rules look at it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer<'a> {
    pub(super) status: StatusCode,
    pub(super) headers: &'a HeaderMap,
    /// Absent while it isn't read, and where it is no JSON.
    pub(super) body: Option<&'a Value>,
}

impl Answer<'_> {
    /// The first rule that matches, else what the status says; `None` where nothing is wrong.
    pub(super) fn reaction<'c>(
        &self,
        connector: &'c Connector,
    ) -> Option<(Reaction, Option<&'c str>)> {
        let rule = connector.errors.iter().find(|rule| self.matches(rule));
        rule.map(|rule| (rule.then, rule.advice.as_deref()))
            .or_else(|| Some((of_status(self.status)?, None)))
    }

    fn matches(&self, ErrorRule { when, .. }: &ErrorRule) -> bool {
        let Condition {
            status,
            header,
            content_type_not,
            body,
        } = when;
        (status.is_empty() || status.contains(&self.status.as_u16()))
            && header.as_ref().is_none_or(|header| self.has(header))
            && content_type_not
                .as_ref()
                .is_none_or(|expected| !self.is_of_type(expected))
            && body.as_ref().is_none_or(|stated| {
                let value = self.body.and_then(|body| words::at(body, &stated.path));
                value.is_some_and(|value| words::holds(stated, value))
            })
    }

    fn has(&self, header: &HeaderIs) -> bool {
        let value = self
            .headers
            .get(&header.name)
            .and_then(|value| value.to_str().ok());
        value.is_some_and(|value| {
            header
                .contains
                .as_ref()
                .is_none_or(|part| value.contains(part.as_str()))
        })
    }

    fn is_of_type(&self, expected: &str) -> bool {
        let value = self
            .headers
            .get(http::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let media_type = value
            .and_then(|value| value.split(';').next())
            .unwrap_or_default();
        media_type.trim().eq_ignore_ascii_case(expected)
    }
}

fn of_status(status: StatusCode) -> Option<Reaction> {
    match status.as_u16() {
        200..=299 => None,
        401 => Some(Reaction::RefreshAuthorization),
        403 => Some(Reaction::FailPermission),
        429 => Some(Reaction::RateLimit),
        400 | 404 | 405 | 410 | 414 => Some(Reaction::FailConfiguration),
        _ => Some(Reaction::Retry),
    }
}

/// The category of a failure.
pub(super) const fn category(reaction: Reaction) -> Category {
    match reaction {
        Reaction::Retry | Reaction::ShrinkPage | Reaction::Empty => Category::Provider,
        Reaction::RateLimit => Category::RateLimited,
        Reaction::RefreshAuthorization => Category::Authentication,
        Reaction::FailPermission => Category::Permission,
        Reaction::FailConfiguration => Category::Configuration,
    }
}

/// Explains what is wrong with a page that came under status 200, and has a smaller one asked for
/// where that may help.
#[derive(Clone)]
pub(super) struct Answerer {
    pub(super) connector: Arc<Connector>,
    pub(super) redact: Redact,
    pub(super) page_size: Arc<PageSize>,
    /// Records asked for in this page.
    pub(super) asked: u32,
    /// What was asked, as messages name it.
    pub(super) subject: Arc<str>,
}

impl fmt::Debug for Answerer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Answerer")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

impl Answerer {
    pub(super) fn page_was_read(&self) {
        self.page_size.page_was_read();
    }

    pub(super) fn explain(&self, fault: Fault) -> PageError {
        let (reaction, message) = match &fault {
            Fault::Stated(body) => self.stated(body),
            _ if fault.may_be_size() => (Reaction::ShrinkPage, fault.to_string()),
            _ => (Reaction::Retry, fault.to_string()),
        };
        let shrink = reaction == Reaction::ShrinkPage && self.page_size.shrink(self.asked);
        let hopeless = if reaction == Reaction::ShrinkPage && !shrink {
            HOPELESS
        } else {
            ""
        };
        let message = format!("{}: {message}{hopeless}", self.subject);
        PageError {
            category: category(reaction),
            message,
            shrink,
        }
    }

    fn stated(&self, body: &Value) -> (Reaction, String) {
        let answer = Answer {
            status: StatusCode::OK,
            headers: &json(),
            body: Some(body),
        };
        let (reaction, advice) = answer
            .reaction(&self.connector)
            .unwrap_or((Reaction::Retry, None));
        let words = network::one_line(&(self.redact)(&words::of_error(
            body,
            &self.connector.error_text,
        )));
        (reaction, advised(advice, &words))
    }
}

/// What is said where a page of one record fails.
pub(super) const HOPELESS: &str =
    "; a page of a single record fails too: narrow the url, or ask the provider";

fn json() -> HeaderMap {
    let json = http::HeaderValue::from_static("application/json");
    [(http::header::CONTENT_TYPE, json)].into_iter().collect()
}

/// The provider's words behind the connector's advice.
pub(super) fn advised(advice: Option<&str>, words: &str) -> String {
    match (advice, words) {
        (None, "") => "no reason given".to_owned(),
        (None, words) => words.to_owned(),
        (Some(advice), "") => advice.to_owned(),
        (Some(advice), words) => format!("{words}: {advice}"),
    }
}
