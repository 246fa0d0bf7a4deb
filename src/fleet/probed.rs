//! A source that is probed to the end.

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
    pub(super) instance: &'a Instance,
    pub(super) source: &'a ResourceSource,
    /// What probing found; it is partial as long as `rest` is needed.
    pub(super) findings: Option<&'a Findings>,
    pub(super) rest: &'a OnceCell<Findings>,
}

impl Probed<'_> {
    fn is_whole(&self) -> bool {
        self.rest.initialized() || self.findings.is_some_and(|findings| !findings.is_partial)
    }

    async fn look_at(&self, page: &Page) -> Result<(), FetchError> {
        if let Some(findings) = self.source.probe_page(page).await? {
            // Another poll of the same poller cannot run beside this one.
            let _ = self.rest.set(sound(findings)?);
        }
        Ok(())
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
        if !self.is_whole() {
            self.look_at(&page).await?;
        }
        Ok(page)
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
