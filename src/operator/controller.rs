//! While this process leads: a worker for each instance, woken by the watches.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::mpsc,
    task::{Id, JoinSet},
    time::{interval, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    cache::{Cached as _, InstanceItem},
    item::Key,
    malformed::{self, Kind},
    shared::Shared,
    tokens,
    watch::Change,
    worker::{Wake, Worker},
};

/// How often token Secrets of vanished instances are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// Starts workers for what the watches show.
pub(super) struct Controller {
    shared: Arc<Shared>,
    changes: mpsc::UnboundedReceiver<Change>,
}

/// The workers of one term.
pub(super) struct Workers {
    shared: Arc<Shared>,
    stop: CancellationToken,
    wakes: HashMap<Key, Wake>,
    /// Whose each task is, which a task that panicked cannot say.
    keys: HashMap<Id, Key>,
    tasks: JoinSet<()>,
}

impl Controller {
    pub(super) const fn new(shared: Arc<Shared>, changes: mpsc::UnboundedReceiver<Change>) -> Self {
        Self { shared, changes }
    }

    /// Lets changes pass while this process does not lead: a leader begins from the whole cache.
    pub(super) async fn idle(&mut self) {
        while self.changes.recv().await.is_some() {}
    }

    /// The process stops: last checkpoints are written without waiting for the budget.
    pub(super) fn lift_budget(&self) {
        self.shared.budget.lift();
    }

    /// Works until `stop`, and answers with the workers, who are stopping then.
    pub(super) async fn lead(&mut self, stop: &CancellationToken) -> Workers {
        let mut workers = Workers {
            shared: Arc::clone(&self.shared),
            stop: stop.child_token(),
            wakes: HashMap::new(),
            keys: HashMap::new(),
            tasks: JoinSet::new(),
        };
        for key in self.shared.cache.groups() {
            workers.wake(&key).objects();
        }
        for (kind, key) in self.shared.cache.all_malformed() {
            workers.tell_malformed(kind, &key);
        }
        let mut sweep = interval(SWEEP_EVERY);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(change) = self.changes.recv() => workers.take(&change),
                Some(ended) = workers.tasks.join_next_with_id() => {
                    workers.ended(ended.map_or_else(|error| error.id(), |(id, ())| id));
                }
                _ = sweep.tick() => workers.sweep_tokens(),
            }
        }
        workers
    }
}

impl Workers {
    fn take(&mut self, change: &Change) {
        match change {
            Change::Objects(key) => self.wake(key).objects(),
            Change::Secrets(key) => self.wake(key).secrets(),
            Change::Malformed(kind, key) => self.tell_malformed(*kind, key),
        }
    }

    /// What wakes the worker of an instance, who is started if need be.
    fn wake(&mut self, key: &Key) -> Wake {
        match self.wakes.get(key) {
            Some(wake) => wake.clone(),
            None => self.start(key),
        }
    }

    fn tell_malformed(&self, kind: Kind, key: &Key) {
        let Some(malformed) = self.shared.cache.malformed(kind, key) else {
            return;
        };
        let (shared, stop) = (Arc::clone(&self.shared), self.stop.clone());
        tokio::spawn(async move {
            let told = malformed::tell(&shared, kind, &malformed);
            stop.run_until_cancelled(told).await;
        });
    }

    fn start(&mut self, key: &Key) -> Wake {
        let wake = Wake::default();
        let worker = Worker::new(
            key.clone(),
            Arc::clone(&self.shared),
            wake.clone(),
            self.stop.child_token(),
        );
        let task = self.tasks.spawn(worker.run());
        self.keys.insert(task.id(), key.clone());
        self.wakes.insert(key.clone(), wake.clone());
        wake
    }

    /// A worker has nothing left to do, or has failed: objects that came meanwhile get a new one.
    fn ended(&mut self, task: Id) {
        let Some(key) = self.keys.remove(&task) else {
            return;
        };
        self.wakes.remove(&key);
        if !self.shared.cache.group(&key).is_empty() {
            self.wake(&key).objects();
        }
    }

    fn sweep_tokens(&self) {
        let shared = Arc::clone(&self.shared);
        let stop = self.stop.clone();
        tokio::spawn(async move {
            let keys: HashSet<_> = InstanceItem::keys(&shared.cache).into_iter().collect();
            shared.renewals.sweep(|key| keys.contains(key));
            let swept = stop
                .run_until_cancelled(tokens::sweep(&shared.tokens, |key| keys.contains(key)))
                .await;
            if let Some(Err(error)) = swept {
                tracing::warn!(%error, "token Secrets could not be swept");
            }
        });
    }

    /// Waits until all polls have stopped and stored their checkpoints; what has not stopped within
    /// `grace` is ended.
    pub(super) async fn stop(mut self, grace: Duration) {
        self.stop.cancel();
        let stopped = timeout(grace, async {
            while self.tasks.join_next().await.is_some() {}
        });
        if stopped.await.is_err() {
            tracing::warn!("not all polls stopped in time");
            self.tasks.shutdown().await;
        }
    }
}

#[cfg(test)]
mod tests;
