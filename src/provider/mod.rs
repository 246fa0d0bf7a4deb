//! Talking to a provider: requests, authentication, pages, errors.

mod answer;
pub mod auth;
mod connection;
mod listing;
mod page;
mod page_size;
mod path;
mod rate_limit;
mod resource;
mod shape;
mod words;

use std::{collections::HashSet, future::Future};

use bytes::Bytes;
use chrono::{DateTime, Utc};

pub use connection::{Connection, MAX_BODY, Redact, address, base_url};
pub use listing::{IdAsk, Listing};
pub use page::{DateRead, Page, PageError, Row};
pub use path::{FieldPath, PathError};
pub use resource::{Findings, LookUp, ResourceSettings, ResourceSource};
pub use shape::{DateReader, RecordShape, ShapeError, ShapeSettings};

use crate::category::Category;

/// Where pages of one resource come from: the engine's edge towards the provider.
pub trait PageSource: Send + Sync {
    /// What this resource's query can do.
    fn paging(&self) -> Paging;

    /// The bound that a request for records dated at or after `instant` will state.
    fn bound(&self, instant: DateTime<Utc>) -> Bound;

    /// One request.
    fn fetch(&self, ask: &Ask) -> impl Future<Output = Result<Page, FetchError>> + Send;

    /// The provider's list of deletions, whose rows have the id of a deleted record for their id
    /// and their own for their version; `None` where there is none.
    fn deletions(&self) -> Option<&Self> {
        None
    }

    /// Those of `ids` whose records exist now. A record that access rules hide exists.
    fn existing(
        &self,
        ids: &[String],
    ) -> impl Future<Output = Result<HashSet<String>, FetchError>> + Send {
        let _ = ids;
        std::future::ready(Ok(HashSet::new()))
    }

    /// What an event carries of a record that is gone: an object with its id alone.
    fn tombstone(&self, id: &str) -> Bytes {
        serde_json::json!({ "id": id }).to_string().into()
    }

    /// How the ids of all records can be listed.
    ///
    /// # Errors
    ///
    /// Why they cannot, in words for a condition.
    fn listing(&self) -> Result<Listing, String> {
        Err("the ids of its records cannot be listed".to_owned())
    }

    /// One request by id, whatever the dates.
    fn list(&self, ask: &IdAsk) -> impl Future<Output = Result<Page, FetchError>> + Send {
        let refused = FetchError::new(Category::Internal, format!("{ask:?} cannot be asked for"));
        std::future::ready(Err(refused))
    }
}

/// What a resource's query can do, as its connector states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    /// Filter, requested order and updated date are one field, ascending: pages can be anchored.
    pub anchored: bool,
    /// [`Step::AfterKey`] can be asked for.
    pub by_key: bool,
    /// [`Step::Offset`] can be asked for.
    pub by_offset: bool,
    /// [`Ask::until`] is honoured and the total counts rows before access rules.
    pub bisectable: bool,
    /// Records asked for in one page.
    pub page_size: u32,
}

/// A lower bound as it is rendered into a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The records' dates at or after this instant are asked for: the instant asked for, rounded
    /// down to the unit in which it is rendered.
    pub instant: DateTime<Utc>,
    /// The text in the request; two bounds with one text are the same request.
    pub text: String,
}

/// One request for one page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    pub bound: Bound,
    /// An upper bound, inclusive, only where [`Paging::bisectable`].
    pub until: Option<DateTime<Utc>>,
    pub step: Step,
}

/// Which page of what the bound selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The first.
    First,
    /// Only records dated exactly at the bound whose key is after this one, ordered by key.
    AfterKey(String),
    /// Rows from this index on.
    Offset(u64),
    /// The page behind a next link of the provider.
    Link(String),
}

/// Why a page could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FetchError {
    pub category: Category,
    /// What failed, where, and what to do: for conditions, never a secret.
    pub message: String,
    /// How long the provider asked to be left alone.
    pub retry_after: Option<std::time::Duration>,
    /// No connection to the host could be made, which concerns everything that is asked there.
    pub is_unreached: bool,
}

impl FetchError {
    /// An error after which the provider named no time to wait.
    #[must_use]
    pub fn new(category: Category, message: impl Into<String>) -> Self {
        Self {
            category,
            message: message.into(),
            retry_after: None,
            is_unreached: false,
        }
    }
}

impl From<PageError> for FetchError {
    fn from(error: PageError) -> Self {
        Self::new(error.category, error.message)
    }
}
