//! Requests by id, and whose the records are that a list shows.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

use super::Halt;
use crate::{
    callback::Callback,
    category::Category,
    poll::{CheckpointStore, End, Track, children::Claim, reconcile::ListPage, run::Poll},
    provider::{FetchError, IdAsk, Page, PageSource},
};

impl<S: PageSource, C: Callback, K: CheckpointStore> Poll<'_, S, C, K> {
    pub(super) async fn list(&mut self, ask: &IdAsk) -> Result<(Page, ListPage), Halt> {
        let page = self.request(ask).await?;
        let mut ids = Vec::new();
        let rows = page.rows(|row| {
            let is_excluded = self.is_excluded(row.class.as_deref());
            ids.extend(row.id.map(|id| (id.into_owned(), is_excluded)));
        });
        let listed = ListPage {
            rows: rows.map_err(|error| Halt::Inconclusive(error.message))?,
            total: page.total,
            limit: page.limit,
            next: page.next.clone(),
            ids,
        };
        Ok((page, listed))
    }

    /// Whether the records of a class are another poller's, or nobody's, by now.
    fn is_excluded(&self, class: Option<&str>) -> bool {
        let excluded = &self.plan.excluded_classes;
        class.is_some_and(|class| excluded.contains(class))
            || self
                .state
                .children
                .claim(Track::Records, class, self.records.clock)
                == Claim::Childs
    }

    /// A digest of what a list shows: after an edit, or when a class becomes another's or this
    /// poller's again, what is new in it is no change.
    pub(super) fn list_fingerprint(&self) -> String {
        let children = self.plan.children.iter().map(|child| &child.class);
        let classes: BTreeSet<_> = children.chain(&self.plan.excluded_classes).collect();
        let excluded = classes
            .into_iter()
            .filter(|class| self.is_excluded(Some(class)));
        let digest = Sha256::new_with_prefix(&self.plan.query_fingerprint);
        let digest = excluded.fold(digest, |digest, class| {
            digest.chain_update([0]).chain_update(class)
        });
        STANDARD.encode(digest.finalize())
    }

    /// One request. What concerns the whole instance ends the poll; else the records are polled on.
    pub(super) async fn request(&mut self, ask: &IdAsk) -> Result<Page, Halt> {
        self.progress.requests += 1;
        let page = tokio::select! {
            biased;
            () = self.stop.cancelled() => return Err(Halt::End(End::Stopped)),
            page = self.edges.source.list(ask) => page,
        };
        page.map_err(|error| match error.category {
            Category::RateLimited | Category::Authentication => given_up(error),
            _ => Halt::Unanswered(error.message),
        })
    }
}

fn given_up(error: FetchError) -> Halt {
    Halt::End(End::ProviderFailed(error))
}
