//! A callback that keeps a ledger of what it is sent, checks signatures, and answers as told.

mod answer;
mod body;
mod cloud_events;
mod consent;
mod envelope;
mod ledger;
mod server;
mod signature;

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

pub use answer::Answer;
use answer::Answers;
use axum::Router;
use bytes::Bytes;
use consent::Consents;
pub use consent::{Asked, Consent};
use http::HeaderMap;
use ledger::Ledger;
pub use ledger::{Event, Notification};
use signature::Keys;
pub use signature::Signature;

use crate::{Clock, Served};

/// The receiver. Clones share one ledger.
#[derive(Clone, Default)]
pub struct Receiver {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    clock: Clock,
    keys: Keys,
    ledger: Ledger,
    answers: Answers,
    consents: Consents,
    /// The count of accepted connections of each address listened at.
    connections: Mutex<Vec<Arc<AtomicUsize>>>,
}

/// A POST that is to be answered.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Incoming {
    /// The ids of the records whose events the body encloses.
    #[must_use]
    pub fn object_ids(&self) -> Vec<String> {
        let events = body::read(&self.headers, &self.body).into_iter();
        events.map(|event| event.object_id).collect()
    }
}

impl Receiver {
    /// A receiver that checks no signature and answers 200.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A receiver that checks signatures: of Open Connectors with each key as it is written, of
    /// Standard Webhooks with those that are written `whsec_BASE64`.
    #[must_use]
    pub fn with_keys(keys: &[&str]) -> Self {
        Self::by_clock(Clock::system(), keys)
    }

    /// The same, to which the time of day is `clock`'s.
    #[must_use]
    pub fn by_clock(clock: Clock, keys: &[&str]) -> Self {
        let shared = Shared {
            clock,
            keys: Keys::new(keys),
            ..Shared::default()
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The endpoint, for who serves it in another way.
    pub fn router(&self) -> Router {
        server::router(self.clone())
    }

    /// Takes POSTs to every path of `address`, such as `127.0.0.1:0`.
    ///
    /// # Errors
    ///
    /// The address cannot be bound.
    pub async fn listen(&self, address: &str) -> io::Result<Served> {
        let served = Served::start(address, self.router()).await?;
        self.counters().push(served.counter());
        Ok(served)
    }

    /// How many connections were accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        let counters = self.counters();
        counters
            .iter()
            .map(|counter| counter.load(Ordering::Relaxed))
            .sum()
    }

    /// Everything that arrived, in order.
    #[must_use]
    pub fn notifications(&self) -> Vec<Notification> {
        self.shared.ledger.notifications()
    }

    /// The events of all notifications, in order of arrival.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.shared.ledger.events()
    }

    /// The events of the notifications that were answered with 2xx, in order of arrival.
    #[must_use]
    pub fn acknowledged(&self) -> Vec<Event> {
        self.shared.ledger.acknowledged()
    }

    /// The acknowledged events, once there are `wanted` of them.
    ///
    /// # Errors
    ///
    /// There were fewer after `patience`; the text says which, and what was answered.
    pub async fn await_events(
        &self,
        wanted: usize,
        patience: Duration,
    ) -> Result<Vec<Event>, String> {
        self.shared.ledger.await_events(wanted, patience).await
    }

    /// All notifications, answered or not, once there are `wanted` of them.
    ///
    /// # Errors
    ///
    /// There were fewer after `patience`; the text says which, and what was answered.
    pub async fn await_notifications(
        &self,
        wanted: usize,
        patience: Duration,
    ) -> Result<Vec<Notification>, String> {
        self.shared
            .ledger
            .await_notifications(wanted, patience)
            .await
    }

    /// Forgets what arrived, not how to answer.
    pub fn clear(&self) {
        self.shared.ledger.clear();
    }

    /// Answers one of the next notifications so; several calls make a queue.
    pub fn answer_next(&self, answer: Answer) {
        self.shared.answers.push(answer);
    }

    /// Answers so whatever is not in the queue.
    pub fn answer_always(&self, answer: Answer) {
        self.answer_by(move |_| answer.clone());
    }

    /// Lets `choice` answer what is not in the queue.
    pub fn answer_by(&self, choice: impl Fn(&Incoming) -> Answer + Send + Sync + 'static) {
        self.shared.answers.choose_by(Arc::new(choice));
    }

    /// Says so to whoever asks for leave to post; without it everyone may.
    pub fn consent(&self, consent: Consent) {
        self.shared.consents.set(consent);
    }

    /// Who asked for leave to post, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.consents.asked()
    }

    fn counters(&self) -> MutexGuard<'_, Vec<Arc<AtomicUsize>>> {
        let counters = &self.shared.connections;
        counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
