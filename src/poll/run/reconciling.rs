//! Comparing the ids known with those that the provider lists, between two polls.

use std::{
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::{Poll, no_page, writing::unread};
use crate::{
    api::{CreatedCheck, MissingIds},
    callback::Callback,
    category::Category,
    event::Kind,
    poll::{
        CheckpointStore, End, Reconciliation,
        change::{Change, Comparison},
        children::Claim,
        delivering::Delivering,
        ids::Ids,
        reconcile::{Answer, Compared, Found, ListPage, Lookup, Run, Verdict, is_held},
        scan::scan,
    },
    provider::{FetchError, IdAsk, Listing, Page, PageSource},
};

/// How long a comparison goes on before the records are polled again.
const SLICE: Duration = Duration::from_secs(10);

/// Ids in one batch of deletions or of records that nobody knew.
const BATCH: usize = 100;
/// Bytes of ids in one batch, so that the URL that asks for them stays short.
const BATCH_BYTES: usize = 4_000;

/// Why a comparison does not go on.
enum Halt {
    /// The poll ends.
    End(End),
    /// Nothing may be concluded, for this reason; the poll is well.
    Inconclusive(String),
}

impl From<End> for Halt {
    fn from(end: End) -> Self {
        Self::End(end)
    }
}

impl<S: PageSource, C: Callback, K: CheckpointStore> Poll<'_, S, C, K> {
    /// Goes on with what is due: deletions that may be delivered, a comparison, those that wait.
    pub(super) async fn reconcile(&mut self) -> Result<(), End> {
        let plan = self.plan;
        let Some(goal) = &plan.reconcile else {
            return Ok(());
        };
        let listing = match self.edges.source.listing() {
            Ok(listing) => listing,
            Err(why) => {
                self.progress.deletes_unavailable = Some(why);
                return Ok(());
            }
        };
        if self.state.known.release(goal.confirmed.as_deref()) {
            self.state.must_be_written();
        }
        let halted = match self.compare(goal, listing).await {
            Ok(()) => Ok(()),
            Err(Halt::End(end)) => Err(end),
            Err(Halt::Inconclusive(why)) => {
                self.state.reconciling.give_up(why);
                Ok(())
            }
        };
        self.tell();
        halted
    }

    async fn compare(&mut self, goal: &Reconciliation, listing: Listing) -> Result<(), Halt> {
        if listing.by_id {
            self.deliver_missing(Some(listing)).await?;
            self.look_for_held(listing).await?;
        }
        let run = match self.state.reconciling.run.take() {
            Some(run) => run,
            None if self.is_due(goal, listing) => self.begin_run(goal, listing).await?,
            None => return Ok(()),
        };
        match self.go_on(run).await? {
            Some(verdict) => self.conclude(goal, listing, verdict).await,
            None => Ok(()),
        }
    }

    /// What a person should know of comparisons that show nothing.
    fn tell(&mut self) {
        let capacity = self.edges.store.known_capacity();
        let too_many = self.state.known.part().is_some_and(|part| part.too_many);
        self.progress.deletes_unavailable = match &self.state.reconciling.trouble {
            Some(why) => Some(format!(
                "the list of ids is not complete, so that no deletion is concluded from it, and is read again later: {why}"
            )),
            None => too_many.then(|| {
                format!(
                    "there are more than {capacity} ids, more than are compared: poll fewer records with one poller, or \
                     write spec.deletes.mode Ignore"
                )
            }),
        };
    }

    /// Whether a comparison is to begin; where single ids cannot be asked for, one also proves what
    /// a person confirmed.
    fn is_due(&self, goal: &Reconciliation, listing: Listing) -> bool {
        if self.state.reconciling.is_pausing() {
            return false;
        }
        let confirmed = !listing.by_id && self.state.known.released().is_some();
        let completed = self.state.known.completed_at();
        confirmed || completed.is_none_or(|at| self.clock.now() - at >= goal.interval)
    }

    /// The run's id is stored before anything is asked: what it leads to is told by it, also after
    /// a crash.
    async fn begin_run(
        &mut self,
        goal: &Reconciliation,
        listing: Listing,
    ) -> Result<Box<Run>, Halt> {
        self.state.known.begin(goal, self.sweep_clock);
        self.state.must_be_written();
        self.write().await?;
        let known = self.state.known.all(self.edges.store).await;
        Ok(Run::begin(listing, known.map_err(unread)?))
    }

    /// Asks until the comparison is complete, or its slice of time is over.
    async fn go_on(&mut self, mut run: Box<Run>) -> Result<Option<Verdict>, Halt> {
        let until = Instant::now() + SLICE;
        loop {
            let (page, listed) = self.list(&run.ask()).await?;
            if let Some(unknown) = run.unknown_in_pages() {
                self.deliver_unknown(&page, Some(&unknown)).await?;
            }
            run = match run.take(&listed) {
                Answer::Done(verdict) => return Ok(Some(verdict)),
                Answer::Incomplete(why) => return Err(Halt::Inconclusive(why.to_owned())),
                Answer::Ask(run) => run,
            };
            if run.listed() > self.edges.store.known_capacity() {
                self.state.known.refuse(self.clock.now());
                self.state.must_be_written();
                return Ok(None);
            }
            if Instant::now() >= until {
                self.state.reconciling.run = Some(run);
                return Ok(None);
            }
        }
    }

    /// Enters what a comparison shows, and delivers it.
    async fn conclude(
        &mut self,
        goal: &Reconciliation,
        listing: Listing,
        verdict: Verdict,
    ) -> Result<(), Halt> {
        let Verdict {
            known,
            listed,
            excluded,
            gone,
        } = verdict;
        let fingerprint = self.list_fingerprint();
        let baseline = self.state.known.is_baseline(&fingerprint);
        if !baseline && listing.by_id {
            let since = self.state.known.since(self.edges.store).await;
            let unknown = listed.without(&[&known, &since.map_err(unread)?]);
            self.fetch_unknown(&unknown).await?;
        }
        let gone = self.confirmed_alone(gone).await?;
        let since = self.state.known.since(self.edges.store).await;
        let since = since.map_err(unread)?;
        let mut kept = known.without(&[&excluded, &gone]);
        if baseline {
            kept = kept.and(&listed);
        }
        let is_confirmed = self.state.known.released().is_some();
        let compared = Compared {
            since: since.without(&[&kept, &gone]),
            is_held: !is_confirmed && is_held(gone.len(), known.len(), goal.max_share_percent),
            known: kept,
            gone,
        };
        let now = self.clock.now();
        if compared.known.len() > self.edges.store.known_capacity() {
            self.state.known.refuse(now);
        } else {
            self.state.known.complete(compared, &fingerprint, now);
        }
        self.state.reconciling.succeed();
        self.state.must_be_written();
        self.write().await?;
        self.deliver_missing(None).await
    }

    /// Of the ids that are gone those that a person confirmed, where this comparison was made for
    /// them: the next one finds the others.
    async fn confirmed_alone(&mut self, gone: Ids) -> Result<Ids, Halt> {
        let Some(missing) = self.state.known.released() else {
            return Ok(gone);
        };
        let confirmed = self.state.known.load(&missing.ids, self.edges.store).await;
        Ok(gone.within(&confirmed.map_err(unread)?))
    }

    /// Delivers the deletions that nobody must confirm. `listing` where their ids are to be looked
    /// up first, since they were proved to be gone some time ago.
    async fn deliver_missing(&mut self, listing: Option<Listing>) -> Result<(), Halt> {
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
        let (plan, callback, stop) = (self.plan, self.edges.callback, self.stop);
        self.watermark_follows = false;
        let polled_at = self.clock.now();
        Delivering::new(plan, callback, polled_at, stop, changes, records)
            .run(self)
            .await?;
        Ok(())
    }

    /// Asks for a few of the ids whose deletions wait for a person; where one is back, for all.
    async fn look_for_held(&mut self, listing: Listing) -> Result<(), Halt> {
        let Some(missing) = self.state.known.held().cloned() else {
            return Ok(());
        };
        let ids = self.state.known.load(&missing.ids, self.edges.store).await;
        let ids = ids.map_err(unread)?;
        let from = rand::random_range(0..=ids.len().saturating_sub(BATCH));
        let some = ids.batch(from, BATCH, BATCH_BYTES);
        let some: Ids = some.iter().map(String::as_str).collect();
        if self.still_gone(some.clone(), listing).await?.len() == some.len() {
            return Ok(());
        }
        let gone = self.still_gone(ids, listing).await?;
        self.state.known.replace_missing(&gone);
        self.state.must_be_written();
        Ok(())
    }

    /// Fetches and delivers records that the list showed and nobody knew.
    async fn fetch_unknown(&mut self, unknown: &Ids) -> Result<(), Halt> {
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
    async fn deliver_unknown(&mut self, page: &Page, among: Option<&Ids>) -> Result<(), Halt> {
        let comparison = Comparison {
            plan: self.plan,
            state: &self.state,
            bound: DateTime::<Utc>::MIN_UTC,
            clock: self.sweep_clock,
            any_date: true,
        };
        let mut scan = scan(page, &comparison, false).map_err(no_page)?;
        scan.report(&mut self.progress, &mut self.known_bad);
        let mut changes = std::mem::take(&mut scan.changes);
        changes.retain(|change| among.is_none_or(|among| among.contains(&change.id)));
        changes
            .iter_mut()
            .for_each(|change| self.tell_apart(change));
        let delivered: HashSet<_> = changes.iter().map(|change| change.id.clone()).collect();
        self.watermark_follows = false;
        self.deliver(page, changes, self.clock.now()).await?;
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

    async fn list(&mut self, ask: &IdAsk) -> Result<(Page, ListPage), Halt> {
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
            || self.state.children.claim(class, self.sweep_clock) == Claim::Childs
    }

    /// A digest of what a list shows: after an edit, or when a class becomes another's or this
    /// poller's again, what is new in it is no change.
    fn list_fingerprint(&self) -> String {
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
    async fn request(&mut self, ask: &IdAsk) -> Result<Page, Halt> {
        self.progress.requests += 1;
        let page = tokio::select! {
            biased;
            () = self.stop.cancelled() => return Err(Halt::End(End::Stopped)),
            page = self.edges.source.list(ask) => page,
        };
        page.map_err(|error| match error.category {
            Category::RateLimited | Category::Authentication => given_up(error),
            _ => Halt::Inconclusive(error.message),
        })
    }
}

fn given_up(error: FetchError) -> Halt {
    Halt::End(End::ProviderFailed(error))
}
