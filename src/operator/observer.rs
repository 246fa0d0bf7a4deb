//! What becomes of a poll's outcome: conditions, Kubernetes events, metrics, a line on the board.

use std::{
    sync::{
        Arc, Mutex as StdMutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Mutex, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    cache::PollerItem,
    ledger::Ledger,
    notices::{Notice, Notices},
    shared::Shared,
    status::conditions::Standing,
    verdict,
    worker::Wake,
};
use crate::{
    api::PollerResource,
    fleet::{Heard, Observer},
    poll::{End, How, Outcome, Progress, SetAside},
    telemetry::{Counts, EventLabels, Line, PollLabels, RefusedLabels},
};

/// Reports the polls of one poller.
pub(super) struct Reporter {
    shared: Arc<Shared>,
    item: Arc<PollerItem>,
    ledger: Arc<Mutex<Ledger>>,
    wake: Wake,
    answered: Arc<AtomicBool>,
    interval: Duration,
    stop: CancellationToken,
    /// When a poll was last complete, or when this poller was started.
    healthy_at: Instant,
    /// What the last poll failed of.
    failing: Option<Standing>,
    teller: Arc<Teller>,
    unfinished: verdict::Unfinished,
}

impl Reporter {
    pub(super) fn new(
        shared: Arc<Shared>,
        item: Arc<PollerItem>,
        ledger: Arc<Mutex<Ledger>>,
        wake: Wake,
        answered: Arc<AtomicBool>,
        interval: Duration,
        stop: CancellationToken,
    ) -> Self {
        let teller = Teller {
            shared: Arc::clone(&shared),
            item: Arc::clone(&item),
            heard: StdMutex::default(),
        };
        Self {
            teller: Arc::new(teller),
            shared,
            item,
            ledger,
            wake,
            answered,
            interval,
            stop,
            healthy_at: Instant::now(),
            failing: None,
            unfinished: verdict::Unfinished::default(),
        }
    }

    /// Who tells of the poll under way.
    pub(super) fn teller(&self) -> Arc<Teller> {
        Arc::clone(&self.teller)
    }

    fn overdue(&self) -> bool {
        self.healthy_at.elapsed() >= self.interval * verdict::MISSED
    }

    fn count(&self, outcome: &Outcome) {
        let metrics = &self.shared.metrics;
        metrics
            .polls
            .get_or_create(&PollLabels {
                result: outcome.end.result(),
            })
            .inc();
        self.count_records(&outcome.progress);
        metrics.last_poll.set(self.shared.clock.now().timestamp());
    }

    fn count_records(&self, progress: &Progress) {
        let metrics = &self.shared.metrics;
        metrics.records.inc_by(progress.read);
        metrics.requests.inc_by(progress.requests);
        metrics.bad_records.inc_by(progress.bad_records);
        for (how, count) in [
            (How::DeadLettered, progress.dead_lettered),
            (How::Skipped, progress.skipped),
        ] {
            let outcome = how.as_str();
            metrics
                .refused_events
                .get_or_create(&RefusedLabels { outcome })
                .inc_by(count);
        }
        for (kind, count) in [
            ("created", progress.created),
            ("updated", progress.updated),
            ("deleted", progress.deleted),
        ] {
            metrics
                .events
                .get_or_create(&EventLabels { kind })
                .inc_by(count);
        }
    }

    async fn end_poll(&self, outcome: &Outcome) {
        let mut ledger = self.ledger.lock().await;
        ledger.end_poll();
        let status = ledger.status();
        let checkpoint = status.checkpoint.as_ref();
        let watermark = checkpoint.map(|checkpoint| checkpoint.records.watermark);
        let held = status
            .deletes
            .as_ref()
            .and_then(|deletes| deletes.held.as_ref());
        let deletes_held = held.map_or(0, |held| u64::try_from(held.count).unwrap_or_default());
        drop(ledger);
        let key = &self.item.key;
        let line = Line {
            namespace: key.namespace.clone(),
            name: key.name.clone(),
            instance: self.item.spec.instance_ref.name.clone(),
            last_poll: self.shared.clock.now(),
            result: outcome.end.result(),
            read: outcome.progress.read,
            events: outcome.progress.events(),
            watermark,
            deletes_held,
        };
        self.shared.board.polled(line, &counts(&outcome.progress));
    }

    /// Logs what polls begin to fail of, once, and that they are well again.
    fn note_failure(&mut self, standing: &Standing) {
        let failing = Some(standing).filter(|standing| !standing.is_ready());
        let poller = &self.item.key;
        match (&self.failing, failing) {
            (Some(before), Some(failing)) if failing.is_alike(before) => {}
            (_, Some(failing)) => {
                let (reason, message) = failing.why();
                tracing::warn!(%poller, reason, "a poll failed: {message}");
            }
            (Some(_), None) => tracing::info!(%poller, "polls are well again"),
            (None, None) => {}
        }
        self.failing = failing.cloned();
    }

    async fn standing(&self, outcome: &Outcome) -> Option<Standing> {
        let overdue = match outcome.end {
            End::Unfinished(_) => self.never_finishes().await,
            _ => self.overdue(),
        };
        verdict::of_held(outcome, &self.item.key).or_else(|| verdict::of_poll(outcome, overdue))
    }

    /// Whether its sweeps come to no end any more.
    async fn never_finishes(&self) -> bool {
        let (generation, now) = (self.item.generation, self.shared.clock.now());
        let ledger = self.ledger.lock().await;
        let conditions = &ledger.status().conditions;
        self.unfinished
            .lasts(conditions, generation, self.interval, now)
    }

    async fn report(&self, standing: Option<&Standing>) {
        let reported = self.ledger.lock().await.report(standing).await;
        match reported {
            Ok(notices) => self.shared.tell_poller(&self.item, notices),
            Err(error) => {
                tracing::warn!(poller = %self.item.key, %error, "the conditions are not written")
            }
        }
    }

    /// Tells the worker of the instance's first answer, and holds this poller where the server
    /// refuses its checkpoints.
    async fn involve_worker(&self) {
        if !self.answered.swap(true, Ordering::SeqCst) {
            self.wake.objects();
        }
        let refused = self.ledger.lock().await.refused();
        if refused.refusal().is_some() {
            self.wake.objects();
            self.stop.cancelled().await;
        }
    }
}

/// Says of each refused event that is settled what became of it.
pub(super) struct Teller {
    shared: Arc<Shared>,
    item: Arc<PollerItem>,
    heard: StdMutex<Heard>,
}

impl Teller {
    /// A poll goes on, and has come so far.
    pub(super) fn progressed(&self, progress: &Progress) {
        self.tell(self.heard().more(progress));
    }

    fn ended(&self, progress: &Progress) {
        self.tell(self.heard().rest(progress));
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, events: &[SetAside]) {
        for event in events {
            let subject = Notices::about_record::<PollerResource, _>(&self.item, &event.object_id);
            self.shared
                .notices
                .publish(subject, Notice::of_refused(event));
        }
    }
}

/// What the poll adds to its poller's totals.
fn counts(progress: &Progress) -> Counts {
    let flaws = &progress.flaws;
    Counts {
        requests: progress.requests,
        unchanged: progress.unchanged,
        excluded: progress.excluded,
        out_of_range: progress.out_of_range,
        changed: progress.changed,
        no_id: flaws.no_id,
        no_date: flaws.no_date,
        unreadable_date: flaws.unreadable_date,
        not_utf8: flaws.not_utf8,
        no_class: flaws.no_class,
        created: progress.created,
        updated: progress.updated,
        deleted: progress.deleted,
        dead_lettered: progress.dead_lettered,
        skipped: progress.skipped,
    }
}

impl Observer for Reporter {
    async fn polled(&mut self, outcome: &Outcome) {
        self.count(outcome);
        if matches!(outcome.end, End::Complete | End::Unfinished(_)) {
            self.healthy_at = Instant::now();
        }
        self.unfinished.note(&outcome.end);
        let standing = self.standing(outcome).await;
        if let Some(standing) = &standing {
            self.note_failure(standing);
        }
        self.report(standing.as_ref()).await;
        self.teller.ended(&outcome.progress);
        self.end_poll(outcome).await;
        if outcome.end != End::Stopped {
            self.involve_worker().await;
        }
    }

    async fn replayed(&mut self, outcome: &Outcome, is_over: bool) {
        self.count_records(&outcome.progress);
        let standing = match is_over {
            true => self.standing(outcome).await,
            false => None,
        };
        self.report(standing.as_ref()).await;
        self.teller.ended(&outcome.progress);
        self.ledger.lock().await.end_poll();
        let (key, board) = (&self.item.key, &self.shared.board);
        board.replayed(&key.namespace, &key.name, &counts(&outcome.progress));
        if outcome.end != End::Stopped {
            self.involve_worker().await;
        }
    }

    async fn waiting(&mut self, reason: &str) {
        let standing = verdict::of_wait(reason, self.failing.as_ref(), self.overdue());
        self.report(Some(&standing)).await;
    }
}
