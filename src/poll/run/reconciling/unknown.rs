//! Delivering records that a list showed and nobody knew.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::{BATCH, BATCH_BYTES, Halt};
use crate::{
    api::CreatedCheck,
    callback::Callback,
    event::Kind,
    poll::{
        CheckpointStore, Track,
        change::{Change, Comparison},
        ids::Ids,
        run::{Poll, no_page},
        scan::scan,
        sweep::Look,
    },
    provider::{IdAsk, Page, PageSource},
};

impl<S: PageSource, C: Callback, K: CheckpointStore> Poll<'_, S, C, K> {
    /// Fetches and delivers records that the list showed and nobody knew.
    pub(super) async fn fetch_unknown(&mut self, unknown: &Ids) -> Result<(), Halt> {
        let most = BATCH.min(self.edges.source.paging().page_size as usize);
        let mut position = 0;
        while position < unknown.len() {
            let batch = unknown.batch(position, most.max(1), BATCH_BYTES);
            position += batch.len();
            let page = self.request(&IdAsk::Records(batch)).await?;
            self.deliver_unknown(&page, None).await?;
        }
        Ok(())
    }

    /// Delivers the records of a page, or those of them that `among` holds.
    pub(super) async fn deliver_unknown(
        &mut self,
        page: &Page,
        among: Option<&Ids>,
    ) -> Result<(), Halt> {
        let comparison = Comparison {
            plan: self.plan,
            state: &self.state,
            bound: DateTime::<Utc>::MIN_UTC,
            track: Track::Records,
            clock: self.records.clock,
            any_date: true,
        };
        let mut scan = scan(page, &comparison, Look::default()).map_err(no_page)?;
        scan.report(&mut self.progress, &mut self.known_bad);
        let mut changes = std::mem::take(&mut scan.changes);
        changes.retain(|change| among.is_none_or(|among| among.contains(&change.id)));
        changes
            .iter_mut()
            .for_each(|change| self.tell_apart(change));
        let delivered: HashSet<_> = changes.iter().map(|change| change.id.clone()).collect();
        self.records.follows = false;
        self.deliver(Some(page), changes).await?;
        let state = &mut self.state;
        let seen = page.rows(|row| {
            let id = row.id.as_deref().unwrap_or_default();
            let is_meant = among.is_none_or(|among| among.contains(id));
            if is_meant && !id.is_empty() && !delivered.contains(id) {
                state.known.note(id);
            }
        });
        seen.map(drop).map_err(|error| Halt::End(no_page(error)))
    }

    /// A record that no poll will read any more was known and deleted, or never seen: this is its
    /// first version or one after a deletion, and never one that was delivered.
    fn tell_apart(&self, change: &mut Change) {
        let bound = self.state.records.bound(self.plan.reach);
        if change.updated >= bound || change.restores.is_some() {
            return;
        }
        let run = self.state.known.part().map_or("", |part| part.id.as_str());
        change.version.push('/');
        change.version.push_str(run);
        if self.plan.created_check == CreatedCheck::Watermark {
            change.kind = Kind::Created;
        }
    }
}
