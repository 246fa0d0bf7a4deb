//! One budget for all writes to the API server, so that a fleet never floods it.

use std::{
    collections::VecDeque,
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};

use crate::telemetry::{Metrics, WriteLabels};

/// What is written; the first goes before the others whenever the budget is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Write {
    /// The mark of a token refresh, or the refreshed token.
    Token,
    Checkpoint,
    /// A part of the checkpoint that is written next.
    Segment,
    Condition,
    /// The removal of a segment that no checkpoint names.
    Removal,
    /// A Kubernetes event.
    Event,
}

const KINDS: usize = 4;

impl Write {
    const fn rank(self) -> usize {
        match self {
            Self::Token => 0,
            Self::Checkpoint | Self::Segment => 1,
            Self::Condition => 2,
            Self::Removal | Self::Event => 3,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Checkpoint => "checkpoint",
            Self::Segment => "segment",
            Self::Removal => "removal",
            Self::Condition => "condition",
            Self::Event => "event",
        }
    }
}

/// A token bucket that holds one second's writes; clones share it.
///
/// [`dispense`](Self::dispense) must run for as long as anybody writes.
#[derive(Clone, Debug)]
pub(super) struct WriteBudget {
    shared: Arc<Shared>,
    metrics: Metrics,
}

#[derive(Debug)]
struct Shared {
    bucket: Mutex<Bucket>,
    queued: Notify,
}

#[derive(Debug)]
struct Bucket {
    rate: f64,
    tokens: f64,
    filled_at: Instant,
    /// The process stops: what a next one would miss is written at once.
    lifted: bool,
    waiting: [VecDeque<oneshot::Sender<()>>; KINDS],
}

impl WriteBudget {
    /// A full budget of so many writes per second. It must be called inside a runtime.
    pub(super) fn new(per_second: NonZeroU32, metrics: Metrics) -> Self {
        let rate = f64::from(per_second.get());
        let bucket = Bucket {
            rate,
            tokens: rate,
            filled_at: Instant::now(),
            lifted: false,
            waiting: std::array::from_fn(|_| VecDeque::new()),
        };
        let shared = Shared {
            bucket: Mutex::new(bucket),
            queued: Notify::new(),
        };
        Self {
            shared: Arc::new(shared),
            metrics,
        }
    }

    /// From here on tokens and checkpoints are written without waiting: a process that stops has
    /// little time, and writes no more than what its polls had in flight.
    pub(super) fn lift(&self) {
        self.bucket().lifted = true;
        self.shared.queued.notify_one();
    }

    /// Waits for the right to one write.
    pub(super) async fn acquire(&self, write: Write) {
        if !self.bucket().take(write) {
            let (grant, granted) = oneshot::channel();
            self.bucket().push(write, grant);
            self.shared.queued.notify_one();
            // The bucket keeps every grant until it is given, so there is no error to speak of.
            let _ = granted.await;
        }
        self.count(write);
    }

    /// Takes the right to one write if nobody needs to wait for it.
    pub(super) fn try_acquire(&self, write: Write) -> bool {
        let taken = self.bucket().take(write);
        if taken {
            self.count(write);
        }
        taken
    }

    /// Grants the waiting writes as the budget allows, for ever.
    pub(super) async fn dispense(self) {
        loop {
            let next = self.bucket().grant();
            match next {
                Next::Queued(wait) => {
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = self.shared.queued.notified() => {}
                    }
                }
                Next::Empty => self.shared.queued.notified().await,
            }
        }
    }

    fn count(&self, write: Write) {
        self.metrics
            .api_writes
            .get_or_create(&WriteLabels {
                what: write.as_str(),
            })
            .inc();
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.shared
            .bucket
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the one who dispenses waits for.
enum Next {
    Queued(Duration),
    Empty,
}

impl Bucket {
    fn push(&mut self, write: Write, grant: oneshot::Sender<()>) {
        if let Some(queue) = self.waiting.get_mut(write.rank()) {
            queue.push_back(grant);
        }
    }

    /// Takes the right to a write unless it is to queue.
    fn take(&mut self, write: Write) -> bool {
        self.is_free(write) || self.take_unless_queued()
    }

    const fn is_free(&self, write: Write) -> bool {
        self.lifted && write.rank() <= Write::Checkpoint.rank()
    }

    fn take_unless_queued(&mut self) -> bool {
        self.fill();
        let free = self.tokens >= 1.0 && self.waiting.iter().all(VecDeque::is_empty);
        if free {
            self.tokens -= 1.0;
        }
        free
    }

    fn grant(&mut self) -> Next {
        self.fill();
        self.grant_free();
        while self.tokens >= 1.0 {
            let Some(grant) = self.waiting.iter_mut().find_map(VecDeque::pop_front) else {
                break;
            };
            // Whoever gave up waiting uses nothing.
            if grant.send(()).is_ok() {
                self.tokens -= 1.0;
            }
        }
        if self.waiting.iter().all(VecDeque::is_empty) {
            Next::Empty
        } else {
            Next::Queued(Duration::from_secs_f64(
                (1.0 - self.tokens).max(0.0) / self.rate,
            ))
        }
    }

    /// Grants what waited when the budget was lifted.
    fn grant_free(&mut self) {
        for write in [Write::Token, Write::Checkpoint] {
            if self.is_free(write)
                && let Some(queue) = self.waiting.get_mut(write.rank())
            {
                queue.drain(..).for_each(|grant| _ = grant.send(()));
            }
        }
    }

    fn fill(&mut self) {
        let now = Instant::now();
        let grown = self.rate * now.duration_since(self.filled_at).as_secs_f64();
        self.tokens = (self.tokens + grown).min(self.rate);
        self.filled_at = now;
    }
}

#[cfg(test)]
mod tests;
