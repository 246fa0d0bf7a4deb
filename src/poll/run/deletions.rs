//! The provider's list of deletions, read beside the records.
//!
//! Whatever becomes of it, the records go on: an account without the right to the list still hears
//! of changes. What it showed before it broke off is delivered, and its watermark says how far that
//! is.

use std::collections::{HashMap, HashSet, VecDeque};

use chrono::{DateTime, Utc};

use super::{Poll, fetch, no_page, reading::Reading};
use crate::{
    callback::Callback,
    category::Category,
    poll::{CheckpointStore, End, Track, carried::Carried, change::Change, refusal::Refusal},
    provider::{FetchError, Page, PageSource},
};

/// Hidden pages in a row, after which the list's latest page tells whether it is withheld.
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
    pub(super) fn begin<C, K>(poll: &mut Poll<'a, S, C, K>) -> Self {
        let list = poll.edges.source.deletions();
        // From its first sweep on, a poller knows since when it asks for deletions.
        let list = list.filter(|_| poll.state.deletes.is_some() && poll.limit.is_none());
        let list = list.filter(|_| !poll.is_refused());
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

    /// Nothing more is had of the list in this poll; the next one reads the rest.
    fn abandon(&mut self) {
        self.reading = None;
        self.pending.clear();
    }

    /// Up to which date all deletions are known; `None` where none is unknown.
    fn known_until(&self) -> Option<DateTime<Utc>> {
        self.reading.as_ref().and_then(Reading::newest_of_page)
    }
}

impl<S, C, K> Poll<'_, S, C, K> {
    /// Whether the list was refused too recently to be asked for: its watermark stays where it is,
    /// so that what is deleted meanwhile comes with the right.
    fn is_refused(&mut self) -> bool {
        let now = self.clock.now();
        self.state.refusal.take_if(|refusal| !refusal.stands(now));
        let refusal = self.state.refusal.as_ref();
        self.progress.deletes_unavailable = refusal.map(Refusal::told);
        refusal.is_some()
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
        let is_hidden = reading.is_hidden();
        *hidden = if reading.shows_rows() { 0 } else { *hidden };
        *hidden += u32::from(is_hidden);
        let is_suspect = is_hidden && *hidden == MOST_HIDDEN;
        if is_suspect && !self.shows_its_latest(reading).await? {
            return Err(End::ProviderFailed(withheld()));
        }
        Ok(self.latest(changes))
    }

    /// Whether the account may read any of the list's latest rows: then those before are worth
    /// the requests, as what is read behind them moves the watermark past what is hidden.
    async fn shows_its_latest(&mut self, reading: &Reading<'a, S>) -> Result<bool, End> {
        let Some(ask) = reading.for_latest() else {
            return Ok(false);
        };
        self.progress.requests += 1;
        let page = fetch(reading.source(), &ask, self.stop).await?;
        let rows = page.rows(|_| {}).map_err(no_page)?;
        Ok(rows > 0)
    }

    fn complete_deletions(&mut self, reading: &Reading<'a, S>, hidden: u32) {
        let since = self.next_bounds().deletions;
        self.state
            .complete_sweep(self.plan, Track::Deletions, since, |_| false);
        if hidden > 0 && reading.showed_nothing() {
            self.progress.deletes_unavailable = Some(withheld().message);
        }
    }

    /// A record that was deleted more than once before this poll is gone once: by the last of its
    /// deletions.
    fn latest(&mut self, changes: Vec<Change>) -> Vec<Change> {
        let latest: HashMap<_, _> = changes
            .iter()
            .map(|change| (change.id.clone(), change.fingerprint))
            .collect();
        let is_latest = |change: &Change| latest.get(&change.id) == Some(&change.fingerprint);
        let (latest, superseded) = changes.into_iter().partition(is_latest);
        self.pass_over(superseded);
        latest
    }

    fn pass_over(&mut self, changes: Vec<Change>) {
        for change in changes {
            self.state.pass_over(&change);
        }
    }

    /// The deletions among those that are due whose records are gone, as the provider says right
    /// before they go out: what it said earlier may be past. Where it doesn't say, none is.
    async fn confirm(
        &mut self,
        queue: &mut Queue<'a, S>,
        due: Vec<Change>,
    ) -> Result<Vec<Change>, End> {
        let Some(existing) = self.existing_of(queue, &due).await? else {
            return Ok(Vec::new());
        };
        let exists = |change: &Change| existing.contains(&change.id);
        let (back, mut gone): (Vec<_>, Vec<_>) = due.into_iter().partition(exists);
        self.pass_over(back);
        for change in &mut gone {
            let tombstone = self.edges.source.tombstone(&change.id);
            change.carried = Carried::Tombstone(tombstone);
        }
        Ok(gone)
    }

    /// The ids of those whose records exist; `None` where that could not be asked, and the list is
    /// given up.
    async fn existing_of(
        &mut self,
        queue: &mut Queue<'a, S>,
        due: &[Change],
    ) -> Result<Option<HashSet<String>>, End> {
        let ids: Vec<String> = due.iter().map(|change| change.id.clone()).collect();
        match self.existing(&ids).await {
            Ok(existing) => Ok(Some(existing)),
            Err(End::ProviderFailed(error)) => {
                queue.abandon();
                self.give_up(queue, error)?;
                Ok(None)
            }
            Err(end) => Err(end),
        }
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
                let refusal = Refusal::new(self.clock.now(), error.message);
                self.progress.deletes_unavailable = Some(refusal.told());
                self.state.refusal = Some(refusal);
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
            let deletions = take_until(&mut queue.pending, until);
            let mut deletions = self.confirm(queue, deletions).await?;
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
            let rest = self.confirm(queue, rest.into()).await?;
            self.deliver(None, rest).await?;
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
        "access rules hide the rows of the provider's list of deletions: give the account's user read access to them",
    )
}
