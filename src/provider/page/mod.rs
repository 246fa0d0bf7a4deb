//! A page's body, kept as bytes and read in place.

mod body;
mod cursor;
mod digest;
mod fault;
mod items;
mod record;
mod scalar;
mod utf8;

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::{RecordShape, answer::Answerer};
pub(super) use digest::hex;
pub(super) use fault::Fault;
use utf8::Utf8Body;

use crate::category::Category;

/// One page as the provider sent it.
///
/// Nothing but its encoding is looked at until [`rows`](Self::rows) walks it, and nothing of a record is copied but
/// what [`records`](Self::records) cuts out.
#[derive(Clone, Debug)]
pub struct Page {
    shape: Arc<RecordShape>,
    body: Utf8Body,
    /// Who explains a failure in the body, and asks for less next time.
    answerer: Option<Answerer>,
    /// The provider's clock (`Date` header).
    pub server_time: Option<DateTime<Utc>>,
    /// Rows that the query selects, before access rules.
    pub total: Option<u64>,
    /// Rows that were asked for at most: access rules may have thinned the page since.
    pub limit: u32,
    /// The next link, resolved against the request's URL.
    pub next: Option<String>,
}

/// The few fields of one record that the engine looks at.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<'a> {
    /// Position in the page.
    pub index: usize,
    /// Text at the id field, a number as it is spelled; `None` where it is missing, null, empty,
    /// or no text or number.
    pub id: Option<Cow<'a, str>>,
    pub updated: DateRead<'a>,
    pub created: DateRead<'a>,
    /// Text at the connector's version field, else the hex digest of the content.
    pub version: Option<Cow<'a, str>>,
    /// Text at the connector's class field.
    pub class: Option<Cow<'a, str>>,
    /// Text at the field that steps through records of one date, where it is not the id.
    pub key: Option<Cow<'a, str>>,
    /// The record says of itself that it is deleted.
    pub is_deleted: bool,
    /// Whether all of the record is UTF-8: if not, it can't be handed on, and its texts are shown
    /// with a question mark for each byte that isn't.
    pub is_utf8: bool,
}

impl Row<'_> {
    /// What steps through records of one date.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref().or(self.id.as_deref())
    }
}

/// A date field of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum DateRead<'a> {
    /// Missing, null or empty, or no such field is configured.
    Absent,
    At(DateTime<Utc>),
    /// Text that the configured format cannot read.
    Unreadable(Cow<'a, str>),
}

/// Why a body is no page: the whole page counts as not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PageError {
    pub category: Category,
    pub message: String,
    /// Whether a smaller page may succeed: the source asks for one when it is asked again.
    pub shrink: bool,
}

impl Page {
    /// A body to be read by `shape`, without what headers would say of it.
    #[must_use]
    pub fn new(shape: Arc<RecordShape>, body: Bytes) -> Self {
        Self {
            shape,
            body: Utf8Body::new(body),
            answerer: None,
            server_time: None,
            total: None,
            limit: 0,
            next: None,
        }
    }

    pub(super) fn answered_by(mut self, answerer: Answerer) -> Self {
        self.answerer = Some(answerer);
        self
    }

    /// Reads the page once and shows each record's row to `visit`; returns how many there were.
    ///
    /// # Errors
    ///
    /// The body is malformed, cut off, or states a failure, perhaps behind good records: then
    /// none of the rows that were shown count.
    pub fn rows(&self, visit: impl FnMut(Row<'_>)) -> Result<usize, PageError> {
        let read = items::read(&self.shape, &self.body, visit);
        let Some(answerer) = &self.answerer else {
            return read.map_err(Fault::into_page_error);
        };
        match read {
            Ok(rows) => {
                answerer.page_was_read();
                Ok(rows)
            }
            Err(fault) => Err(answerer.explain(fault)),
        }
    }

    /// Cuts the records at the `wanted` indices, which ascend, out of the body without copying.
    ///
    /// # Errors
    ///
    /// The body ends or is malformed before the last of them: [`rows`](Self::rows) says so too, of
    /// the same body.
    pub fn records(&self, wanted: &[usize]) -> Result<Vec<Bytes>, PageError> {
        items::cut(&self.shape, &self.body, wanted).map_err(Fault::into_page_error)
    }
}

#[cfg(test)]
mod tests;
