//! The provider's list of deletions, read beside the records.
//!
//! Whatever becomes of it, the records go on: an account without the right to the list still hears
//! of changes. What it showed before it broke off is delivered, and its watermark says how far that
//! is.

use std::collections::{HashMap, HashSet, VecDeque};

use chrono::{DateTime, Utc};

use super::{Poll, reading::Reading};
use crate::{
    callback::Callback,
    category::Category,
    poll::{CheckpointStore, End, Track, carried::Carried, change::Change},
    provider::{FetchError, Page, PageSource},
};

/// Pages without a row that is not hidden, after which the list counts as withheld.
const MOST_HIDDEN: u32 = 8;

/// Deletions on their way: those of one page, and the rest of the list.
pub(super) struct Queue<'a, S> {
    /// `None` where there is no list, or nothing more to be had of it.
    reading: Option<Reading<'a, S>>,
    /// In the order of their dates.
    pending: VecDeque<Change>,
    hidden: u32,
    end: Option<End>,
}

impl<'a, S: PageSource> Queue<'a, S> {
    pub(super) fn begin<C, K>(poll: &Poll<'a, S, C, K>) -> Self {
        let list = poll.edges.source.deletions();
        // From its first sweep on, a poller knows since when it asks for deletions.
        let list = list.filter(|_| poll.state.deletes.is_some() && poll.limit.is_none());
        Self {
            reading: list.map(|list| Reading::begin(poll, Track::Deletions, list)),
            pending: VecDeque::new(),
            hidden: 0,
            end: None,
        }
    }

    /// How the list's sweep ended, where that is the poll's end too.
    pub(super) fn end(self) -> Result<(), End> {
        self.end.map_or(Ok(()), Err)
    }

    /// Up to which date all deletions are known; `None` where none is unknown.
    fn known_until(&self) -> Option<DateTime<Utc>> {
        self.reading.as_ref().and_then(Reading::newest_of_page)
    }
}

impl<'a, S: PageSource, C: Callback, K: CheckpointStore> Poll<'a, S, C, K> {
    /// Reads on until there are deletions to deliver, or no more.
    pub(super) async fn fill(&mut self, queue: &mut Queue<'a, S>) -> Result<(), End> {
        while queue.pending.is_empty()
            && let Some(mut reading) = queue.reading.take()
        {
            match self.next_deletions(&mut reading, &mut queue.hidden).await {
                Ok(changes) => {
                    queue.pending = changes.into();
                    queue.reading = (!reading.is_complete()).then_some(reading);
                }
                Err(End::ProviderFailed(error)) => self.give_up(queue, error)?,
                Err(end @ End::Unfinished(_)) => queue.end = Some(end),
                Err(end) => return Err(end),
            }
        }
        Ok(())
    }

    /// The list's sweep goes on behind the page at hand.
    async fn next_deletions(
        &mut self,
        reading: &mut Reading<'a, S>,
        hidden: &mut u32,
    ) -> Result<Vec<Change>, End> {
        self.turn(reading)?;
        let Some((_, changes)) = self.read(reading).await? else {
            self.complete_deletions(reading, *hidden);
            return Ok(Vec::new());
        };
        *hidden += u32::from(reading.is_hidden());
        if *hidden == MOST_HIDDEN {
            return Err(End::ProviderFailed(withheld()));
        }
        self.confirm(changes).await
    }

    fn complete_deletions(&mut self, reading: &Reading<'a, S>, hidden: u32) {
        let since = self.next_bounds().deletions;
        self.state
            .complete_sweep(self.plan, Track::Deletions, since, |_| false);
        if hidden > 0 && reading.showed_nothing() {
            self.progress.deletes_unavailable = Some(withheld().message);
        }
    }

    /// The deletions among `changes` whose records are gone. A record that was deleted more than
    /// once before this poll is gone once: by the last of its deletions.
    async fn confirm(&mut self, changes: Vec<Change>) -> Result<Vec<Change>, End> {
        let source = self.edges.source;
        let latest: HashMap<_, _> = changes
            .iter()
            .map(|change| (change.id.clone(), change.fingerprint))
            .collect();
        let ids: Vec<String> = latest.keys().cloned().collect();
        let existing = self.existing(&ids).await?;
        let mut gone = Vec::with_capacity(changes.len());
        for mut change in changes {
            if existing.contains(&change.id) || latest.get(&change.id) != Some(&change.fingerprint)
            {
                self.state.pass_over(&change);
                continue;
            }
            change.carried = Carried::Tombstone(source.tombstone(&change.id));
            gone.push(change);
        }
        Ok(gone)
    }

    async fn existing(&mut self, ids: &[String]) -> Result<HashSet<String>, End> {
        if ids.is_empty() {
            return Ok(HashSet::new());
        }
        self.progress.requests += 1;
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(End::Stopped),
            existing = self.edges.source.existing(ids) => existing.map_err(End::ProviderFailed),
        }
    }

    /// What the failure of the list means for the poll.
    fn give_up(&mut self, queue: &mut Queue<'a, S>, error: FetchError) -> Result<(), End> {
        match error.category {
            Category::Permission | Category::Configuration => {
                self.progress.deletes_unavailable = Some(error.message);
            }
            // The records' requests would fare no better.
            Category::RateLimited | Category::Authentication => {
                return Err(End::ProviderFailed(error));
            }
            _ => queue.end = Some(End::ProviderFailed(error)),
        }
        Ok(())
    }

    /// Delivers the changes of a page of records together with the deletions dated before them.
    pub(super) async fn deliver_beside(
        &mut self,
        page: &Page,
        changes: Vec<Change>,
        queue: &mut Queue<'a, S>,
    ) -> Result<(), End> {
        let mut records = VecDeque::from(changes);
        // Of one date, what was read first comes first: a record that was read behind its deletion
        // is back.
        let mut deletions_first = true;
        while let Some(newest) = records.back().map(|change| change.updated) {
            let until = queue
                .known_until()
                .map_or(newest, |known| known.min(newest));
            let mut batch = take_until(&mut records, until);
            let mut deletions = take_until(&mut queue.pending, until);
            if deletions_first {
                std::mem::swap(&mut batch, &mut deletions);
            }
            batch.append(&mut deletions);
            batch.sort_by_key(|change| change.updated);
            self.deliver(Some(page), batch).await?;
            if !records.is_empty() {
                self.fill(queue).await?;
                deletions_first = false;
            }
        }
        Ok(())
    }

    /// Delivers the deletions dated behind all records, and those on pages that no record of this
    /// poll made it read.
    pub(super) async fn deliver_rest(&mut self, queue: &mut Queue<'a, S>) -> Result<(), End> {
        self.fill(queue).await?;
        while !queue.pending.is_empty() {
            let rest = std::mem::take(&mut queue.pending);
            self.deliver(None, rest.into()).await?;
            self.fill(queue).await?;
        }
        Ok(())
    }
}

/// The changes dated until `date`, out of those that are in order.
fn take_until(changes: &mut VecDeque<Change>, date: DateTime<Utc>) -> Vec<Change> {
    let later = changes.iter().position(|change| change.updated > date);
    changes.drain(..later.unwrap_or(changes.len())).collect()
}

fn withheld() -> FetchError {
    FetchError::new(
        Category::Permission,
        "access rules hide every row of the provider's list of deletions: give the account's user read access to them",
    )
}
