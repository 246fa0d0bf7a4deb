//! The pollers at work.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, watch},
    time::{Instant, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{InstanceWork, Retry, Wake, Worker, instance::Running, roster};
use crate::{
    category::ConfigurationError,
    fleet::{self, Poller, PollerSettings},
    operator::{
        cache::{Group, PollerItem},
        ledger::{KubeCheckpointStore, Ledger, Refused},
        notices::{Notice, Notices},
        observer::Reporter,
        plan::{self, Plan},
        shared::Shared,
        status::{OpenError, conditions::Standing},
        vocabulary::reasons,
    },
};

/// How long a poll may take to stop: it finishes the notification in flight and stores.
const GRACE: Duration = Duration::from_secs(5);
/// The pause before a refused write is tried again.
const REFUSED: Duration = Duration::from_secs(60);
/// The pause before a poller that ended by itself is started again.
const ENDED: Duration = Duration::from_secs(5);

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
    /// A status that this release must not write over; `told` once a person was told.
    Unreadable { error: OpenError, told: bool },
}

struct Task {
    generation: i64,
    /// Which edition of the roster it was built with.
    edition: Instant,
    started_at: Instant,
    stop: CancellationToken,
    poke: watch::Sender<u64>,
    handle: AbortOnDropHandle<()>,
}

/// What starting a poller needs of its surroundings.
struct Surroundings<'a> {
    shared: &'a Arc<Shared>,
    wake: &'a Wake,
    stop: &'a CancellationToken,
    group: &'a Group,
    instance: Option<&'a InstanceWork>,
    roster: &'a roster::Roster,
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
    pub(super) const fn unreadable(uid: String, error: OpenError) -> Self {
        Self::with(uid, Record::Unreadable { error, told: false })
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
        let Some(task) = self.task.take() else { return };
        task.stop.cancel();
        if timeout(GRACE, task.handle).await.is_err() {
            tracing::warn!("a poll did not stop in time and was ended");
        }
        shared.metrics.pollers.dec();
    }

    async fn apply(
        &mut self,
        item: &Arc<PollerItem>,
        plan: Plan,
        around: &Surroundings<'_>,
    ) -> Option<Duration> {
        let Record::Open { ledger, refused } = &mut self.record else {
            self.tell_unreadable(item, around);
            return None;
        };
        let (ledger, refused) = (Arc::clone(ledger), refused.clone());
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
                let standing = Standing::stalled(reasons::INVALID_CONFIGURATION, error.to_string());
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
            task.poke
                .send_modify(|count| *count = count.wrapping_add(1));
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

    fn tell_unreadable(&mut self, item: &PollerItem, around: &Surroundings<'_>) {
        let Record::Unreadable { error, told } = &mut self.record else {
            return;
        };
        if !std::mem::replace(told, true) {
            tracing::warn!(poller = %item.key, %error, "the poller is left alone");
            let notice = Notice::warning(reasons::CHECKPOINT_TOO_NEW, error.to_string());
            around.shared.notices.publish(
                Notices::about::<crate::api::PollerResource, _>(item),
                notice,
            );
        }
    }
}

impl Task {
    /// How long to wait before it is started anew; `None` where it may go on as it is.
    fn stale_in(&self, item: &PollerItem, roster: &roster::Roster) -> Option<Duration> {
        if self.handle.is_finished() {
            return Some(ENDED.saturating_sub(self.started_at.elapsed()));
        }
        if self.generation != item.generation {
            return Some(Duration::ZERO);
        }
        roster.stale_in(self.edition)
    }
}

impl Surroundings<'_> {
    fn start(
        &self,
        item: &Arc<PollerItem>,
        ledger: &Arc<Mutex<Ledger>>,
        running: &Running,
    ) -> Result<Task, ConfigurationError> {
        let poller = Poller::build(
            &running.instance,
            self.settings(item),
            &self.shared.environment,
        )?;
        let stop = self.stop.child_token();
        let (poke, poked) = watch::channel(0);
        let reporter = Reporter::new(
            Arc::clone(self.shared),
            Arc::clone(item),
            Arc::clone(ledger),
            self.wake.clone(),
            Arc::clone(&running.answered),
            poller.interval(),
            stop.clone(),
        );
        let work = work(
            poller,
            Arc::clone(item),
            Arc::clone(ledger),
            reporter,
            poked,
            stop.clone(),
        );
        let wake = self.wake.clone();
        let handle = AbortOnDropHandle::new(tokio::spawn(async move {
            work.await;
            wake.objects();
        }));
        let (edition, started_at) = (self.roster.edition(), Instant::now());
        Ok(Task {
            generation: item.generation,
            edition,
            started_at,
            stop,
            poke,
            handle,
        })
    }

    fn settings(&self, item: &PollerItem) -> PollerSettings {
        PollerSettings {
            namespace: item.key.namespace.clone(),
            name: item.key.name.clone(),
            uid: item.uid.clone(),
            created_at: plan::start_of(
                item,
                self.instance.and_then(InstanceWork::events_enabled_at),
            ),
            spec: item.spec.clone(),
            siblings: roster::siblings(self.group, &item.key.name),
        }
    }
}

async fn work(
    poller: Poller,
    item: Arc<PollerItem>,
    ledger: Arc<Mutex<Ledger>>,
    reporter: Reporter,
    poked: watch::Receiver<u64>,
    stop: CancellationToken,
) {
    let checkpoint = {
        let mut ledger = ledger.lock().await;
        ledger.observe(item.generation);
        let standing = Standing::progressing("waiting for the first poll");
        if let Err(error) = ledger.begin(&standing).await {
            tracing::debug!(poller = %item.key, %error, "the first condition is not written");
        }
        ledger.status().checkpoint.clone()
    };
    fleet::run(
        poller,
        checkpoint,
        KubeCheckpointStore(ledger),
        reporter,
        poked,
        stop,
    )
    .await;
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
