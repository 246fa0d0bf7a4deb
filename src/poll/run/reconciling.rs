//! Comparing the ids known with those that the provider lists, between two polls.

mod asking;
mod missing;
mod unknown;

use std::time::Duration;

use tokio::time::Instant;

use super::{Poll, writing::unread};
use crate::{
    callback::Callback,
    poll::{
        CheckpointStore, End, Reconciliation,
        ids::Ids,
        reconcile::{Answer, Compared, Run, Verdict, is_held},
    },
    provider::{Listing, PageSource},
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
    /// A question was not answered, for this reason; the poll is well.
    Unanswered(String),
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
            Err(Halt::Unanswered(why)) => {
                self.state.reconciling.pause(why);
                Ok(())
            }
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
            Some(run) if self.state.reconciling.is_pausing() => {
                self.state.reconciling.run = Some(run);
                return Ok(());
            }
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
        confirmed
            || self.state.reconciling.is_hastened
            || completed.is_none_or(|at| self.clock.now() - at >= goal.interval)
    }

    /// The run's id is stored before anything is asked: what it leads to is told by it, also after
    /// a crash.
    async fn begin_run(
        &mut self,
        goal: &Reconciliation,
        listing: Listing,
    ) -> Result<Box<Run>, Halt> {
        self.state.known.begin(goal, self.records.clock);
        self.state.must_be_written();
        self.write().await?;
        let known = self.state.known.all(self.edges.store).await;
        let baseline = self.state.known.is_baseline(&self.list_fingerprint());
        Ok(Run::begin(listing, known.map_err(unread)?, baseline))
    }

    /// Asks until the comparison is complete, or its slice of time is over.
    async fn go_on(&mut self, mut run: Box<Run>) -> Result<Option<Verdict>, Halt> {
        let until = Instant::now() + SLICE;
        loop {
            let (page, listed) = match self.list(&run.ask()).await {
                Ok(answer) => answer,
                Err(halt) => {
                    // Its question is not answered, and can be asked again.
                    self.state.reconciling.run = Some(run);
                    return Err(halt);
                }
            };
            if let Some(unknown) = run.unknown_in_pages() {
                // What was settled since it began was read by a poll.
                let since = self.state.known.since(self.edges.store).await;
                let unknown = unknown.without(&[&since.map_err(unread)?]);
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
        if kept.len() > self.edges.store.known_capacity() {
            // What has left the query is given up before the comparison is.
            kept = kept.within(&listed);
        }
        let held = self.waiting().await?;
        let waits = is_held(gone.len(), known.len(), goal.max_share_percent)
            || !gone.within(&held).is_empty();
        let compared = Compared {
            since: since.without(&[&kept, &gone, &excluded]),
            is_held: self.state.known.released().is_none() && waits,
            is_of_held: !held.is_empty() && gone.without(&[&held]).is_empty(),
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

    /// The ids whose deletions wait for a person.
    async fn waiting(&mut self) -> Result<Ids, Halt> {
        let Some(held) = self.state.known.held() else {
            return Ok(Ids::default());
        };
        let ids = self.state.known.load(&held.ids, self.edges.store).await;
        Ok(ids.map_err(unread)?)
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
}
