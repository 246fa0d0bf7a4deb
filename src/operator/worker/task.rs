//! The task that polls one poller.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, watch},
    time::{Instant, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{InstanceWork, Wake, instance::Running, roster};
use crate::{
    category::ConfigurationError,
    fleet::{self, Begin, Poller, PollerSettings, Stored, Taker, TellingStore},
    operator::{
        cache::{Group, PollerItem},
        ledger::{KubeCheckpointStore, Ledger},
        observer::Reporter,
        plan,
        shared::Shared,
    },
};

/// How long a poll may take to stop: it finishes the notification in flight and stores.
pub(super) const GRACE: Duration = Duration::from_secs(6);
/// The pause before a poller that ended by itself is started again.
const ENDED: Duration = Duration::from_secs(5);

/// A poller at work.
pub(super) struct Task {
    generation: i64,
    /// The held deletions that it was told to release.
    confirmed: Option<String>,
    /// The siblings that take a class of its records, and the edition of the roster that shows them.
    takers: Vec<Taker>,
    edition: Instant,
    started_at: Instant,
    stop: CancellationToken,
    poke: watch::Sender<u64>,
    handle: AbortOnDropHandle<()>,
}

/// What starting a poller needs of its surroundings.
pub(super) struct Surroundings<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) wake: &'a Wake,
    pub(super) stop: &'a CancellationToken,
    pub(super) group: &'a Group,
    pub(super) instance: Option<&'a InstanceWork>,
    pub(super) roster: &'a roster::Roster,
    /// What is stored of the pollers, by name.
    pub(super) stored: &'a BTreeMap<String, Stored>,
}

impl Task {
    /// Stops the poll and waits until its checkpoint is stored.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        if timeout(GRACE, self.handle).await.is_err() {
            tracing::warn!("a poll did not stop in time and was ended");
        }
    }

    /// Has it poll without waiting for its turn.
    pub(super) fn poll_now(&self) {
        self.poke
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Goes on as it is if `poller`, which was built by now, would do the same.
    pub(super) fn goes_on_as(
        &mut self,
        poller: &Poller,
        item: &PollerItem,
        roster: &roster::Roster,
    ) -> bool {
        let same = !self.handle.is_finished()
            && self.is_told(item)
            && same_takers(&self.takers, poller.takers());
        if same {
            self.edition = roster.edition();
        }
        same
    }

    /// How long to wait before it is built anew; `None` where it may go on as it is.
    pub(super) fn stale_in(&self, item: &PollerItem, roster: &roster::Roster) -> Option<Duration> {
        if self.handle.is_finished() {
            return Some(ENDED.saturating_sub(self.started_at.elapsed()));
        }
        if !self.is_told(item) {
            return Some(Duration::ZERO);
        }
        roster.stale_in(self.edition)
    }

    /// Whether it knows what the object says by now.
    fn is_told(&self, item: &PollerItem) -> bool {
        self.generation == item.generation && self.confirmed == item.confirm_deletes
    }
}

impl Surroundings<'_> {
    /// Builds a poller as it should be by now.
    pub(super) fn build(
        &self,
        item: &PollerItem,
        running: &Running,
    ) -> Result<Poller, ConfigurationError> {
        let settings = self.settings(item);
        Poller::build(&running.instance, settings, &self.shared.environment)
    }

    /// Has a poller poll.
    pub(super) fn start(
        &self,
        poller: Poller,
        item: &Arc<PollerItem>,
        ledger: &Arc<Mutex<Ledger>>,
        begin: Begin,
        running: &Running,
    ) -> Task {
        let takers = poller.takers().to_vec();
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
        let teller = reporter.teller();
        let store = KubeCheckpointStore(Arc::clone(ledger));
        let store = TellingStore::new(store, move |progress| teller.progressed(progress));
        let polling = fleet::run(poller, store, reporter, begin, poked, stop.clone());
        let (item, ledger, wake) = (Arc::clone(item), Arc::clone(ledger), self.wake.clone());
        let (generation, confirmed) = (item.generation, item.confirm_deletes.clone());
        let handle = AbortOnDropHandle::new(tokio::spawn(async move {
            // Boxed like all that lasts no longer than a poll: a poller at rest is to cost little.
            Box::pin(observe(&item, &ledger)).await;
            polling.await;
            wake.objects();
        }));
        let (edition, started_at) = (self.roster.edition(), Instant::now());
        Task {
            generation,
            confirmed,
            takers,
            edition,
            started_at,
            stop,
            poke,
            handle,
        }
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
            confirmed_deletes: item.confirm_deletes.clone(),
            siblings: roster::siblings(self.group, &item.key.name, self.stored),
            stored: self.stored.get(&item.key.name).cloned().unwrap_or_default(),
            gone: Vec::new(),
        }
    }
}

async fn observe(item: &PollerItem, ledger: &Mutex<Ledger>) {
    let begun = ledger.lock().await.begin(item.generation).await;
    if let Err(error) = begun {
        tracing::debug!(poller = %item.key, %error, "the first condition is not written");
    }
}

/// Whether the same siblings take the same classes; how far they have come, the instance knows.
fn same_takers(some: &[Taker], others: &[Taker]) -> bool {
    fn told(taker: &Taker) -> impl PartialEq {
        let sibling = &taker.sibling;
        (&sibling.name, &sibling.uid, &sibling.spec, &taker.class)
    }
    some.iter().map(told).eq(others.iter().map(told))
}
