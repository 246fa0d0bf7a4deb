//! The pollers at work.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::Instant};

use super::{
    InstanceWork, Retry, Worker,
    task::{Surroundings, Task},
};
use crate::{
    api::{PollerResource, reasons},
    operator::{
        cache::{Group, PollerItem},
        ledger::{Ledger, Refused},
        notices::{Notice, Notices},
        plan::{self, Plan},
        shared::Shared,
        status::{OpenError, conditions::Standing, report_unread},
    },
};

/// The pause before a refused write is tried again.
const REFUSED: Duration = Duration::from_secs(60);
/// The pause before a status that could not be read is read again.
const UNREADABLE: Duration = Duration::from_secs(60);

/// What a worker keeps of one poller.
pub(super) struct PollerWork {
    uid: String,
    record: Record,
    task: Option<Task>,
    /// The poll request that was acted on last.
    poked: Option<String>,
    /// When a refused write was tried last.
    refused_at: Option<Instant>,
}

enum Record {
    Open {
        ledger: Arc<Mutex<Ledger>>,
        refused: Refused,
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
        let around = Surroundings {
            shared: &self.shared,
            wake: &self.wake,
            stop: &self.stop,
            group,
            instance: self.instance.as_ref(),
            roster: &self.roster,
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
}

impl PollerWork {
    pub(super) fn new(uid: String, ledger: Ledger) -> Self {
        let refused = ledger.refused();
        Self::with(
            uid,
            Record::Open {
                ledger: Arc::new(Mutex::new(ledger)),
                refused,
            },
        )
    }

    /// A poller whose status must not be written over, and that therefore does not poll.
    pub(super) fn unreadable(uid: String, error: OpenError) -> Self {
        Self::with(
            uid,
            Record::Unreadable {
                error,
                found_at: Instant::now(),
            },
        )
    }

    const fn with(uid: String, record: Record) -> Self {
        Self {
            uid,
            record,
            task: None,
            poked: None,
            refused_at: None,
        }
    }

    pub(super) fn uid(&self) -> &str {
        &self.uid
    }

    /// Stops the poll and waits until its checkpoint is stored.
    pub(super) async fn stop(&mut self, shared: &Shared) {
        if let Some(task) = self.task.take() {
            task.stop().await;
            shared.metrics.pollers.dec();
        }
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
            Record::Open { ledger, refused } => (Arc::clone(ledger), refused.clone()),
            Record::Unreadable { error, .. } => {
                tell_unreadable(error, item, around.shared).await;
                return Some(UNREADABLE);
            }
        };
        match plan {
            Plan::Rest(standing) => {
                self.stop(around.shared).await;
                around
                    .shared
                    .board
                    .remove(&item.key.namespace, &item.key.name);
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
        let waited = self.refused_at.map_or(Duration::ZERO, |at| at.elapsed());
        if self.refused_at.is_some() && waited < REFUSED {
            return Some(REFUSED - waited);
        }
        if self.refused_at.is_some() && ledger.lock().await.retry_refused().await {
            self.refused_at = None;
            return None;
        }
        self.refused_at = Some(Instant::now());
        report(
            ledger,
            item,
            &Standing::stalled(refusal.reason, refusal.message),
            shared,
        )
        .await;
        Some(REFUSED)
    }

    async fn keep_running(
        &mut self,
        item: &Arc<PollerItem>,
        ledger: &Arc<Mutex<Ledger>>,
        around: &Surroundings<'_>,
    ) -> Option<Duration> {
        let wait = match &self.task {
            None => Duration::ZERO,
            Some(task) => task.stale_in(item, around.roster)?,
        };
        if !wait.is_zero() {
            self.poke_if_asked(item, ledger).await;
            return Some(wait);
        }
        self.stop(around.shared).await;
        let running = around.instance.and_then(InstanceWork::running)?;
        match around.start(item, ledger, running) {
            Ok(task) => {
                around.shared.metrics.pollers.inc();
                self.task = Some(task);
                // Its first poll begins at once: that is what a request asks for.
                self.mark_handled(item, ledger).await;
            }
            Err(error) => {
                let standing = Standing::stalled(reasons::INVALID_SPEC, error.to_string());
                report(ledger, item, &standing, around.shared).await;
            }
        }
        None
    }

    async fn poke_if_asked(&mut self, item: &PollerItem, ledger: &Mutex<Ledger>) {
        if item.poll_requested_at.is_none() || item.poll_requested_at == self.poked {
            return;
        }
        let handled = ledger
            .lock()
            .await
            .status()
            .last_handled_poll_request
            .clone();
        if item.poll_requested_at != handled
            && let Some(task) = &self.task
        {
            tracing::info!(poller = %item.key, "polled now, as the annotation asks");
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

/// Says why the poller is left alone, without touching what is stored of it.
async fn tell_unreadable(error: &OpenError, item: &PollerItem, shared: &Shared) {
    let reason = match error {
        OpenError::CheckpointTooNew(_) => reasons::CHECKPOINT_TOO_NEW,
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
