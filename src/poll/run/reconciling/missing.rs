//! Delivering the deletions of ids that are gone, and looking after those that wait.

use super::{BATCH, BATCH_BYTES, Halt};
use crate::{
    api::MissingIds,
    callback::Callback,
    poll::{
        CheckpointStore,
        change::Change,
        ids::Ids,
        reconcile::{Found, Lookup},
        run::{Poll, writing::unread},
    },
    provider::{IdAsk, Listing, PageSource},
};

impl<S: PageSource, C: Callback, K: CheckpointStore> Poll<'_, S, C, K> {
    /// Delivers the deletions that nobody must confirm. `listing` where their ids are to be looked
    /// up first, since they were proved to be gone some time ago.
    pub(super) async fn deliver_missing(&mut self, listing: Option<Listing>) -> Result<(), Halt> {
        let Some(missing) = self.state.known.released().cloned() else {
            return Ok(());
        };
        let ids = self.state.known.load(&missing.ids, self.edges.store).await;
        let ids = ids.map_err(unread)?;
        let mut settled = usize::try_from(missing.settled).unwrap_or(ids.len());
        while settled < ids.len() {
            let batch = ids.batch(settled, BATCH, BATCH_BYTES);
            settled += batch.len();
            let due = batch.iter().filter(|id| !self.state.known.is_done(id));
            let mut due: Ids = due.map(String::as_str).collect();
            if let Some(listing) = listing {
                due = self.still_gone(due, listing).await?;
            }
            self.deliver_deletions(&missing, &due).await?;
            self.state.known.settle_missing(settled);
        }
        self.state.known.replace_missing(&Ids::default());
        self.state.must_be_written();
        Ok(())
    }

    /// Those of `ids` that are still gone; the others are known again.
    async fn still_gone(&mut self, ids: Ids, listing: Listing) -> Result<Ids, Halt> {
        let mut lookup = Lookup::of(ids.clone(), listing.shows_hidden);
        while let Some(batch) = lookup.next() {
            let (_, page) = self.list(&IdAsk::Among(batch.clone())).await?;
            let found = Found::of(&page);
            lookup.take(batch, &found);
        }
        let gone = lookup.into_gone();
        for id in ids.without(&[&gone]).iter() {
            self.state.known.note(id);
            self.state.must_be_written();
        }
        Ok(gone)
    }

    async fn deliver_deletions(&mut self, missing: &MissingIds, ids: &Ids) -> Result<(), Halt> {
        let fingerprints = &self.state.records.fingerprints;
        let source = self.edges.source;
        let deletion = |id| {
            let tombstone = source.tombstone(id);
            let (deleted, key) = (missing.deleted_at, missing.id.as_str());
            Change::deletion(fingerprints, id, deleted, key, tombstone)
        };
        let changes: Vec<_> = ids.iter().map(deletion).collect();
        if changes.is_empty() {
            return Ok(());
        }
        let records = ids.iter().map(|id| source.tombstone(id)).collect();
        self.deletions.follows = false;
        self.send(changes, records, self.clock.now()).await?;
        Ok(())
    }

    /// Asks now and then for a few of the ids whose deletions wait for a person; where one is back,
    /// a comparison is due that finds the others.
    pub(super) async fn look_for_held(&mut self, listing: Listing) -> Result<(), Halt> {
        let Some(missing) = self.state.known.held().cloned() else {
            return Ok(());
        };
        if !self.state.reconciling.looks_for_held() {
            return Ok(());
        }
        let ids = self.state.known.load(&missing.ids, self.edges.store).await;
        let ids = ids.map_err(unread)?;
        let from = rand::random_range(0..=ids.len().saturating_sub(BATCH));
        let some = ids.batch(from, BATCH, BATCH_BYTES);
        let some: Ids = some.iter().map(String::as_str).collect();
        let gone = self.still_gone(some.clone(), listing).await?;
        if gone.len() < some.len() {
            self.state
                .known
                .replace_missing(&ids.without(&[&some.without(&[&gone])]));
            self.state.must_be_written();
            self.state.reconciling.is_hastened = true;
        }
        Ok(())
    }
}
