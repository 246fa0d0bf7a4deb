//! A source that is probed to the end.

use std::collections::HashSet;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::sync::OnceCell;

use super::Instance;
use crate::{
    category::Category,
    provider::{
        Ask, Bound, FetchError, Findings, IdAsk, Listing, Page, PageSource, Paging, ResourceSource,
    },
};

/// A poller's source. Where probing had no row to look at, the first page that has one is looked at
/// before any of it counts: a provider that reads dates in another zone hides changes until then.
pub(super) struct Probed<'a> {
    instance: &'a Instance,
    source: &'a ResourceSource,
    /// What is still to be looked at; nothing in a list of deletions, which is read by the
    /// connector's own fields.
    probing: Option<Probing<'a>>,
    deletions: Option<Box<Self>>,
}

struct Probing<'a> {
    /// What probing found; it is partial as long as `rest` is needed.
    findings: Option<&'a Findings>,
    rest: &'a OnceCell<Findings>,
}

impl<'a> Probed<'a> {
    pub(super) fn new(
        instance: &'a Instance,
        source: &'a ResourceSource,
        findings: Option<&'a Findings>,
        rest: &'a OnceCell<Findings>,
    ) -> Self {
        let list = |list| Self {
            instance,
            source: list,
            probing: None,
            deletions: None,
        };
        Self {
            instance,
            source,
            probing: Some(Probing { findings, rest }),
            deletions: source.deletions().map(list).map(Box::new),
        }
    }

    async fn look_at(&self, page: &Page) -> Result<(), FetchError> {
        let Some(probing) = self.probing.as_ref().filter(|probing| !probing.is_whole()) else {
            return Ok(());
        };
        if let Some(findings) = self.source.probe_page(page).await? {
            // Another poll of the same poller cannot run beside this one.
            let _ = probing.rest.set(sound(findings)?);
        }
        Ok(())
    }
}

impl Probing<'_> {
    fn is_whole(&self) -> bool {
        self.rest.initialized() || self.findings.is_some_and(|findings| !findings.is_partial)
    }
}

/// The findings, unless they forbid polling.
pub(super) fn sound(findings: Findings) -> Result<Findings, FetchError> {
    match findings.fatal {
        None => Ok(findings),
        Some(reason) => Err(FetchError::new(Category::Configuration, reason)),
    }
}

impl PageSource for Probed<'_> {
    fn paging(&self) -> Paging {
        self.source.paging()
    }

    fn bound(&self, instant: DateTime<Utc>) -> Bound {
        self.source.bound(instant)
    }

    async fn fetch(&self, ask: &Ask) -> Result<Page, FetchError> {
        let leave = self.instance.leave_to_ask().await;
        let page = self.source.fetch(ask).await?;
        drop(leave);
        self.look_at(&page).await?;
        Ok(page)
    }

    fn deletions(&self) -> Option<&Self> {
        self.deletions.as_deref()
    }

    async fn existing(&self, ids: &[String]) -> Result<HashSet<String>, FetchError> {
        let _leave = self.instance.leave_to_ask().await;
        self.source.existing(ids).await
    }

    fn tombstone(&self, id: &str) -> Bytes {
        self.source.tombstone(id)
    }

    fn listing(&self) -> Result<Listing, String> {
        self.source.listing()
    }

    async fn list(&self, ask: &IdAsk) -> Result<Page, FetchError> {
        let _leave = self.instance.leave_to_ask().await;
        self.source.list(ask).await
    }
}
