//! The URL of one request.

use chrono::{DateTime, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;

use super::{
    plan::Plan,
    text::{Moments, Text},
};
use crate::{
    category::Category,
    provider::{Ask, Connection, FetchError, Step, connection::below},
};

/// All but the unreserved characters of RFC 3986: a blank is %20, never +.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

pub(super) struct Request<'a> {
    pub(super) connection: &'a Connection,
    pub(super) plan: &'a Plan,
    pub(super) page_size: u32,
    pub(super) now: DateTime<Utc>,
}

impl Request<'_> {
    /// The URL of an ask.
    pub(super) fn url(&self, ask: &Ask) -> Url {
        self.url_with(ask, &self.plan.parameters)
    }

    /// The URL of an ask without the parameters that state a date.
    pub(super) fn undated_url(&self, ask: &Ask) -> Url {
        let parameters = self.plan.parameters.iter();
        let undated = parameters.filter(|(_, text)| text.bounds().next().is_none());
        self.url_with(ask, &undated.cloned().collect::<Vec<_>>())
    }

    fn url_with(&self, ask: &Ask, parameters: &[(String, Text)]) -> Url {
        let moments = Moments {
            bound: ask.bound.instant,
            now: self.now,
        };
        let parameters = parameters
            .iter()
            .map(|(name, text)| (name.clone(), text.print(moments)));
        let query = self
            .plan
            .query
            .iter()
            .map(|(name, query)| (name.clone(), query.print(ask, self.now)));
        let paging = &self.connection.connector().paging;
        let size = paging
            .page_size
            .iter()
            .map(|size| (size.parameter.clone(), self.page_size.to_string()));
        let offset = paging.offset.iter().filter_map(|offset| match ask.step {
            Step::Offset(rows) => Some((offset.parameter.clone(), rows.to_string())),
            _ => None,
        });
        let mut url = below(self.connection.base(), &self.plan.path.print(moments));
        set_query(&mut url, query.chain(parameters).chain(size).chain(offset));
        url
    }

    /// The URL of a next link, which must be on the connection's host, with no larger pages.
    pub(super) fn link(&self, link: &str) -> Result<Url, FetchError> {
        let wrong = |error| {
            FetchError::new(
                Category::Provider,
                format!("the next link is no URL: {error}"),
            )
        };
        let mut url = self.connection.base().join(link).map_err(wrong)?;
        let Some(size) = &self.connection.connector().paging.page_size else {
            return Ok(url);
        };
        let larger = |(name, value): (_, std::borrow::Cow<'_, str>)| {
            name == size.parameter.as_str()
                && value
                    .parse::<u32>()
                    .is_ok_and(|asked| asked > self.page_size)
        };
        if url.query_pairs().any(larger) {
            replace(&mut url, &size.parameter, &self.page_size.to_string());
        }
        Ok(url)
    }
}

/// Puts another value in a parameter's place.
pub(super) fn replace(url: &mut Url, parameter: &str, value: &str) {
    let kept = url
        .query_pairs()
        .into_owned()
        .filter(|(name, _)| name != parameter)
        .collect::<Vec<_>>();
    set_query(
        url,
        [(parameter.to_owned(), value.to_owned())]
            .into_iter()
            .chain(kept),
    );
}

pub(super) fn set_query(url: &mut Url, parameters: impl Iterator<Item = (String, String)>) {
    let encode = |text: &str| utf8_percent_encode(text, VALUE).to_string();
    let parts = parameters
        .map(|(name, value)| format!("{}={}", encode(&name), encode(&value)))
        .collect::<Vec<_>>();
    let query = parts.join("&");
    url.set_query(
        Some(&query)
            .filter(|query| !query.is_empty())
            .map(String::as_str),
    );
}
