//! The pollers at work.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::Instant};

use super::{
    InstanceWork, Retry, Worker,
    task::{Surroundings, Task},
};
use crate::{
    api::{PollerResource, PollerResourceStatus, reasons},
    fleet::{Begin, Stored},
    operator::{
        cache::{Group, PollerItem},
        item::Key,
        ledger::{Ledger, Refused},
        notices::{Notice, Notices},
        plan::{self, Plan},
        shared::Shared,
        status::{
            OpenError, Refusal,
            conditions::{READY, Standing, status_of},
            report_refused, report_unread,
        },
        verdict,
    },
};

/// The pause before a refused write is tried again, which doubles up to that after an unreadable status.
const REFUSED: Duration = Duration::from_secs(5);
/// The pause before a status that could not be read is read again.
const UNREADABLE: Duration = Duration::from_secs(60);

/// What a worker keeps of one poller.
pub(super) struct PollerWork {
    key: Key,
    uid: String,
    record: Record,
    task: Option<Task>,
    /// The poll request that was acted on last.
    poked: Option<String>,
    /// The refused write, while it is refused.
    refused: Option<Attempts>,
}

/// When a refused write was tried last, and how long it rests then.
#[derive(Clone, Copy)]
struct Attempts {
    last: Instant,
    pause: Duration,
}

enum Record {
    Open {
        ledger: Arc<Mutex<Ledger>>,
        refused: Refused,
        stored: Stored,
    },
    /// A status that this release must not write over, and when it was found so.
    Unreadable { error: OpenError, found_at: Instant },
}

impl Worker {
    /// Starts, stops and pokes the pollers as planned; answers when to look again.
    pub(super) async fn apply_pollers(
        &mut self,
        group: &Group,
        instance: Option<&Plan>,
    ) -> Result<Option<Duration>, Retry> {
        self.roster.observe(group);
        let stored = self.stored();
        let around = Surroundings {
            shared: &self.shared,
            wake: &self.wake,
            stop: &self.stop,
            group,
            instance: self.instance.as_ref(),
            roster: &self.roster,
            stored: &stored,
        };
        let mut again: Option<Duration> = None;
        for item in group.pollers.values() {
            if let Some(work) = self.pollers.get_mut(&item.key.name) {
                let plan = plan::poller(item, instance);
                let wait = work.apply(item, plan, &around).await;
                again = again.into_iter().chain(wait).min();
            }
        }
        Ok(again)
    }

    /// What is stored of the pollers, those at rest too: a suspended child still counts.
    pub(super) fn stored(&self) -> BTreeMap<String, Stored> {
        let stored = |(name, work): (&String, &PollerWork)| (name.clone(), work.stored());
        self.pollers.iter().map(stored).collect()
    }
}

impl PollerWork {
    pub(super) fn new(item: &PollerItem, ledger: Ledger) -> Self {
        let (refused, stored) = (ledger.refused(), ledger.stored());
        Self::with(
            item,
            Record::Open {
                ledger: Arc::new(Mutex::new(ledger)),
                refused,
                stored,
            },
        )
    }

    /// A poller whose status must not be written over, and that therefore does not poll.
    pub(super) fn unreadable(item: &PollerItem, error: OpenError) -> Self {
        Self::with(
            item,
            Record::Unreadable {
                error,
                found_at: Instant::now(),
            },
        )
    }

    fn with(item: &PollerItem, record: Record) -> Self {
        Self {
            key: item.key.clone(),
            uid: item.uid.clone(),
            record,
            task: None,
            poked: None,
            refused: None,
        }
    }

    pub(super) fn uid(&self) -> &str {
        &self.uid
    }

    /// What is stored of it. Of one whose status cannot be read, what it takes is its own all the same.
    fn stored(&self) -> Stored {
        match &self.record {
            Record::Open { stored, .. } => stored.clone(),
            Record::Unreadable { .. } => Stored::unread(),
        }
    }

    /// Stops the poll and waits until its checkpoint is stored.
    pub(super) async fn stop(&mut self, shared: &Shared) {
        if let Some(task) = self.task.take() {
            task.stop().await;
            shared.metrics.pollers.dec();
        }
    }

    /// Like [`stop`](Self::stop), for a poller that is not about to be started anew.
    pub(super) async fn rest(&mut self, shared: &Shared) {
        self.stop(shared).await;
        shared.board.remove(&self.key.namespace, &self.key.name);
    }

    /// Whether the status should be read again: somebody may have mended it.
    pub(super) fn is_outdated(&self) -> bool {
        matches!(&self.record, Record::Unreadable { found_at, .. } if found_at.elapsed() >= UNREADABLE)
    }

    async fn apply(
        &mut self,
        item: &Arc<PollerItem>,
        plan: Plan,
        around: &Surroundings<'_>,
    ) -> Option<Duration> {
        let (ledger, refused) = match &self.record {
            Record::Open {
                ledger, refused, ..
            } => (Arc::clone(ledger), refused.clone()),
            Record::Unreadable { error, .. } => {
                tell_unreadable(error, item, around.shared).await;
                return Some(UNREADABLE);
            }
        };
        match plan {
            Plan::Rest(standing) => {
                self.rest(around.shared).await;
                report(&ledger, item, &standing, around.shared).await;
                None
            }
            Plan::Run => match self
                .held_by_refusal(&ledger, &refused, item, around.shared)
                .await
            {
                Some(wait) => Some(wait),
                None => self.keep_running(item, &ledger, around).await,
            },
        }
    }

    /// While the server refuses a checkpoint, nothing is polled: its changes could not be settled.
    async fn held_by_refusal(
        &mut self,
        ledger: &Mutex<Ledger>,
        refused: &Refused,
        item: &Arc<PollerItem>,
        shared: &Shared,
    ) -> Option<Duration> {
        let refusal = refused.refusal()?;
        self.stop(shared).await;
        if let Some(attempts) = self.refused {
            let left = attempts.pause.saturating_sub(attempts.last.elapsed());
            if !left.is_zero() {
                return Some(left);
            }
            if ledger.lock().await.retry_refused().await {
                self.refused = None;
                return None;
            }
        }
        tell_refusal(refusal, self.refused.is_none(), ledger, item, shared).await;
        let pause = self
            .refused
            .map_or(REFUSED, |attempts| (attempts.pause * 2).min(UNREADABLE));
        let last = Instant::now();
        self.refused = Some(Attempts { last, pause });
        Some(pause)
    }

    async fn keep_running(
        &mut self,
        item: &Arc<PollerItem>,
        ledger: &Arc<Mutex<Ledger>>,
        around: &Surroundings<'_>,
    ) -> Option<Duration> {
        let wait = self.task.as_ref().map_or(Some(Duration::ZERO), |task| {
            task.stale_in(item, around.roster)
        });
        if wait != Some(Duration::ZERO) {
            self.poke_if_asked(item, ledger, around).await;
            return wait;
        }
        self.renew(item, ledger, around).await;
        None
    }

    /// Starts the poller, anew where it would not poll as it does.
    async fn renew(
        &mut self,
        item: &Arc<PollerItem>,
        ledger: &Arc<Mutex<Ledger>>,
        around: &Surroundings<'_>,
    ) {
        let Some(running) = around.instance.and_then(InstanceWork::running) else {
            return self.stop(around.shared).await;
        };
        let built = around.build(item, running);
        let same = |task: &mut Task| {
            let poller = built.as_ref();
            poller.is_ok_and(|poller| task.goes_on_as(poller, item, around.roster))
        };
        if self.task.as_mut().is_some_and(same) {
            return self.poke_if_asked(item, ledger, around).await;
        }
        self.stop(around.shared).await;
        match built {
            Ok(poller) => {
                around.shared.metrics.pollers.inc();
                let (begin, asked) = {
                    let ledger = ledger.lock().await;
                    let stored = ledger.status();
                    (begin(item, stored), is_asked(item, stored))
                };
                if asked {
                    running.instance.ask_anew();
                }
                self.task = Some(around.start(poller, item, ledger, begin, running));
                // Where a poll is asked for, the first one begins at once.
                self.mark_handled(item, ledger).await;
            }
            Err(error) => {
                let standing = verdict::of_configuration(&error);
                report(ledger, item, &standing, around.shared).await;
            }
        }
    }

    /// Has it poll now, if it polls at all.
    pub(super) fn poll_now(&self) {
        if let Some(task) = &self.task {
            task.poll_now();
        }
    }

    async fn poke_if_asked(
        &mut self,
        item: &PollerItem,
        ledger: &Mutex<Ledger>,
        around: &Surroundings<'_>,
    ) {
        if item.poll_requested_at.is_none() || item.poll_requested_at == self.poked {
            return;
        }
        let asked = is_asked(item, ledger.lock().await.status());
        if asked && let Some(task) = &self.task {
            tracing::info!(poller = %item.key, "polled now, as the annotation asks");
            if let Some(running) = around.instance.and_then(InstanceWork::running) {
                running.instance.ask_anew();
            }
            task.poll_now();
        }
        self.mark_handled(item, ledger).await;
    }

    async fn mark_handled(&mut self, item: &PollerItem, ledger: &Mutex<Ledger>) {
        let Some(request) = item
            .poll_requested_at
            .clone()
            .filter(|request| self.poked.as_ref() != Some(request))
        else {
            return;
        };
        if let Err(error) = ledger.lock().await.handled(&request).await {
            tracing::warn!(poller = %item.key, %error, "a poll request is not marked as handled");
        }
        self.poked = Some(request);
    }
}

/// When a poller polls first: one that was well and is unchanged goes on with its grid.
pub(super) fn begin(item: &PollerItem, stored: &PollerResourceStatus) -> Begin {
    let unchanged = stored.observed_generation == Some(item.generation);
    let well = status_of(&stored.conditions, READY) == Some("True");
    let asked = is_asked(item, stored);
    let held = stored
        .deletes
        .as_ref()
        .and_then(|deletes| deletes.held.as_ref());
    let released = held.is_some_and(|held| item.confirm_deletes.as_ref() == Some(&held.id));
    if unchanged && well && !asked && !released {
        Begin::OnGrid
    } else {
        Begin::AtOnce
    }
}

/// Whether the annotation asks for a poll that was not given yet.
fn is_asked(item: &PollerItem, stored: &PollerResourceStatus) -> bool {
    item.poll_requested_at.is_some() && item.poll_requested_at != stored.last_handled_poll_request
}

async fn report(
    ledger: &Mutex<Ledger>,
    item: &Arc<PollerItem>,
    standing: &Standing,
    shared: &Shared,
) {
    let mut ledger = ledger.lock().await;
    ledger.observe(item.generation);
    match ledger.report(Some(standing)).await {
        Ok(notices) => shared.tell_poller(item, notices),
        Err(error) => tracing::warn!(poller = %item.key, %error, "the conditions are not written"),
    }
}

/// Says why nothing is polled, as far as the server lets that be said.
async fn tell_refusal(
    refusal: Refusal,
    is_new: bool,
    ledger: &Mutex<Ledger>,
    item: &PollerItem,
    shared: &Shared,
) {
    let stored = ledger.lock().await.status().checkpoint.clone();
    let standing = Standing::stalled(refusal.reason, refusal.message.as_str());
    let told = report_refused::<PollerResource, _>(
        &shared.client,
        &shared.budget,
        item,
        &standing,
        stored.as_ref(),
        shared.clock.now(),
    );
    if let Err(error) = told.await {
        tracing::warn!(poller = %item.key, %error, "the conditions are not written");
    }
    if is_new {
        let notice = Notice::warning(refusal.reason, refusal.message);
        shared.tell_poller(item, vec![notice]);
    }
}

/// Says why the poller is left alone, without touching what is stored of it.
async fn tell_unreadable(error: &OpenError, item: &PollerItem, shared: &Shared) {
    let reason = match error {
        OpenError::CheckpointTooNew(_) | OpenError::UnknownField(_) => reasons::CHECKPOINT_TOO_NEW,
        _ => reasons::CHECKPOINT_DAMAGED,
    };
    let standing = Standing::stalled(reason, error.to_string());
    let now = shared.clock.now();
    let told =
        report_unread::<PollerResource, _>(&shared.client, &shared.budget, item, &standing, now)
            .await;
    match told {
        Ok(true) => {
            let notice = Notice::warning(reason, error.to_string());
            shared
                .notices
                .publish(Notices::about::<PollerResource, _>(item), notice);
        }
        Ok(false) => {}
        Err(error) => tracing::warn!(poller = %item.key, %error, "the conditions are not written"),
    }
}
