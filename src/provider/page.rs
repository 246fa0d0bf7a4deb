//! A page's body, kept as bytes and read in place.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::RecordShape;
use crate::category::Category;

/// One page as the provider sent it.
///
/// Nothing is parsed until [`rows`](Self::rows) walks it, and nothing of a record is copied but
/// what [`records`](Self::records) cuts out.
#[derive(Clone, Debug)]
pub struct Page {
    shape: Arc<RecordShape>,
    body: Bytes,
    /// The provider's clock (`Date` header).
    pub server_time: Option<DateTime<Utc>>,
    /// Rows that the query selects, before access rules.
    pub total: Option<u64>,
    /// The next link, resolved against the request's URL.
    pub next: Option<String>,
}

/// The few fields of one record that the engine looks at.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<'a> {
    /// Position in the page.
    pub index: usize,
    /// Text at the id field; `None` where it is missing, null or empty.
    pub id: Option<Cow<'a, str>>,
    pub updated: DateRead<'a>,
    pub created: DateRead<'a>,
    /// Text at the connector's version field, else the hex digest of the content.
    pub version: Option<Cow<'a, str>>,
    /// Text at the connector's class field.
    pub class: Option<Cow<'a, str>>,
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
    /// Whether a smaller page may succeed.
    pub shrink: bool,
}
