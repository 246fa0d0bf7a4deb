//! The loop of one poller: wait for its turn, poll, tell the rim.

use std::{future::Future, time::Duration};

use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{Poller, turn::Turn};
use crate::poll::{CheckpointStore, End, Held, Outcome, StoreError};

/// Who is told after each poll: the rim, which makes conditions or lines of it.
pub trait Observer: Send {
    /// A poll has ended.
    fn polled(&mut self, outcome: &Outcome) -> impl Future<Output = ()> + Send;

    /// A stretch of a replay has ended between two polls; `is_over` where no other follows before the
    /// next poll, so that what it found is to be told.
    fn replayed(&mut self, outcome: &Outcome, is_over: bool) -> impl Future<Output = ()> + Send;

    /// The poller waits, for the reason given, before it polls again.
    fn waiting(&mut self, reason: &str) -> impl Future<Output = ()> + Send;
}

/// When a poller polls first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// At once: it is new or edited, or somebody waits for it.
    AtOnce,
    /// On its grid, as it did in an earlier process; at once where that stored nothing, or where
    /// something else is asked now.
    OnGrid,
}

/// Polls as `begin` says and then at each grid point (phase = hash of the uid), and whenever `poke`
/// changes, until `stop`.
///
/// A poll that failed is tried again after seconds, doubling up to the interval. While the
/// instance holds (callback unavailable, provider deferral, credentials refused) the poller waits,
/// and one poller's poll probes.
pub fn run<S: CheckpointStore, O: Observer>(
    poller: Poller,
    store: S,
    observer: O,
    begin: Begin,
    poke: watch::Receiver<u64>,
    stop: CancellationToken,
) -> impl Future<Output = ()> {
    // Boxed, since a future holds again what it hands to another.
    let runner = Box::new(Runner {
        poller,
        store,
        observer,
        poke,
        stop,
        held: None,
        failures: 0,
    });
    runner.run(begin)
}

struct Runner<S, O> {
    poller: Poller,
    store: S,
    observer: O,
    poke: watch::Receiver<u64>,
    stop: CancellationToken,
    /// The truth while this process holds the claim; `None` where it must be read.
    held: Option<Held>,
    failures: u32,
}

impl<S: CheckpointStore, O: Observer> Runner<S, O> {
    async fn run(mut self: Box<Self>, begin: Begin) {
        self.poll_until_stopped(begin).await;
        Box::pin(self.write_rest()).await;
    }

    /// Stores at the end what could not be stored when it was settled.
    async fn write_rest(&mut self) {
        let Some(held) = self.held.take().filter(Held::is_unwritten) else {
            return;
        };
        if let Err(error) = held.save(&mut self.store).await {
            tracing::warn!(%error, "events that were delivered will be delivered again");
        }
    }

    async fn poll_until_stopped(&mut self, begin: Begin) {
        self.poke.mark_unchanged();
        let first = Box::pin(self.until_first(begin)).await;
        if !first.is_zero() && !self.wait_for_turn(first).await {
            return;
        }
        // The state of a poll under way is large, and on the heap it is gone with the poll: what a
        // poller costs at rest is what a fleet costs.
        while let Some(turn) = Box::pin(self.turn()).await {
            let wait = Box::pin(self.poll_in(turn)).await;
            let wait = Box::pin(self.replay_within(wait)).await;
            if !self.wait_for_turn(wait).await {
                return;
            }
        }
    }

    /// Polls and tells; answers how long to wait for the next poll.
    async fn poll_in(&mut self, turn: Turn) -> Duration {
        let mut outcome = self.poll().await;
        turn.end(&outcome);
        self.observer.polled(&outcome).await;
        self.held = outcome.checkpoint.take();
        if outcome.end == End::Complete && self.held.as_ref().is_some_and(Held::is_comparing) {
            // A long list goes on at once, and lets polls in between.
            return Duration::ZERO;
        }
        self.wait_after(&outcome.end)
    }

    /// Goes on with a replay until the next poll is due; answers how long that still is.
    async fn replay_within(&mut self, wait: Duration) -> Duration {
        let due = Instant::now() + wait;
        while self.failures == 0 && Instant::now() < due && !self.is_disturbed() {
            let Some(held) = self.held.take_if(|held| self.poller.is_replaying(held)) else {
                break;
            };
            let Ok(turn) = Turn::take(self.poller.instance()) else {
                self.held = Some(held);
                break;
            };
            let mut outcome = self.poller.replay(held, &mut self.store, &self.stop).await;
            turn.end(&outcome);
            let is_over = !self.poller.goes_on_replaying(&outcome);
            self.observer.replayed(&outcome, is_over).await;
            self.held = outcome.checkpoint.take();
            if outcome.end != End::Complete {
                break;
            }
        }
        due.saturating_duration_since(Instant::now())
    }

    /// Whether somebody asks for a stop or a poll.
    fn is_disturbed(&self) -> bool {
        self.stop.is_cancelled() || self.poke.has_changed().unwrap_or(false)
    }

    /// How long to wait before the first poll.
    async fn until_first(&mut self, begin: Begin) -> Duration {
        if begin == Begin::AtOnce {
            return Duration::ZERO;
        }
        // A store that fails is reported by the poll that reads it again.
        self.held = self.store.load().await.unwrap_or_default().map(Held::from);
        let Some(Held { checkpoint, .. }) = &self.held else {
            return Duration::ZERO;
        };
        if !self.poller.asks_as(checkpoint) {
            return Duration::ZERO;
        }
        let now = self.poller.clock().now();
        self.poller.grid().until_first(checkpoint.swept_at, now)
    }

    /// Waits until the instance lets this poller poll; `None` on a stop.
    async fn turn(&mut self) -> Option<Turn> {
        loop {
            if self.stop.is_cancelled() {
                return None;
            }
            let mut changed = self.poller.instance().holds().state();
            let wait = match Turn::take(self.poller.instance()) {
                Ok(turn) => return Some(turn),
                Err(wait) => wait,
            };
            self.observer.waiting(wait.reason()).await;
            tokio::select! {
                () = self.stop.cancelled() => return None,
                _ = changed.changed() => {}
                () = sleep_until(wait.until) => {}
            }
        }
    }

    async fn poll(&mut self) -> Outcome {
        let held = match self.held.take() {
            Some(held) => Ok(Some(held)),
            None => self.store.load().await.map(|stored| stored.map(Held::from)),
        };
        match held {
            Ok(held) => self.poller.poll(held, &mut self.store, &self.stop).await,
            Err(error) => Outcome::of(End::StoreFailed(error)),
        }
    }

    /// Waits for the next poll; false on a stop.
    async fn wait_for_turn(&mut self, wait: Duration) -> bool {
        tokio::select! {
            () = self.stop.cancelled() => false,
            () = tokio::time::sleep(wait) => true,
            poked = self.poke.changed() => match poked {
                Ok(()) => {
                    self.held.iter_mut().for_each(Held::ask_anew);
                    true
                }
                // Nobody can poke any more; the grid goes on.
                Err(_) => {
                    tokio::select! {
                        () = self.stop.cancelled() => false,
                        () = tokio::time::sleep(wait) => true,
                    }
                }
            },
        }
    }

    fn wait_after(&mut self, end: &End) -> Duration {
        if is_retried(end) {
            self.failures = self.failures.saturating_add(1);
            let wait = self
                .poller
                .grid()
                .retry_after(self.failures, rand::random());
            return wait.max(asked_by_dead_letters(end).unwrap_or_default());
        }
        self.failures = 0;
        self.poller.grid().until_next(self.poller.clock().now())
    }
}

/// Whether a poll is worth trying again before the next grid point. A held instance paces its
/// pollers itself, and what only a person can mend waits for the grid.
fn is_retried(end: &End) -> bool {
    match end {
        End::Complete
        | End::Stopped
        | End::Blocked {
            dead_letter: None, ..
        }
        | End::CallbackGone
        | End::Unusable(_)
        | End::WindowTooLarge(_) => false,
        End::StoreFailed(error) => !matches!(error, StoreError::Refused(_)),
        End::Unfinished(_)
        | End::ProviderFailed(_)
        | End::CallbackUnavailable(_)
        | End::Blocked {
            dead_letter: Some(_),
            ..
        } => true,
    }
}

/// How long the receiver of dead letters asked to be left alone: nothing but this poller waits for it.
const fn asked_by_dead_letters(end: &End) -> Option<Duration> {
    match end {
        End::Blocked {
            dead_letter: Some(unavailable),
            ..
        } => unavailable.retry_after,
        _ => None,
    }
}

async fn sleep_until(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}
