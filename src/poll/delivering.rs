//! Delivering the changes at hand: in order, within the notifications in flight, and settling what
//! is acknowledged.

mod settled;

use std::{
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{StreamExt as _, stream::FuturesUnordered};
use tokio_util::sync::CancellationToken;

use self::settled::Settled;
use super::{End, Plan, Track, change::Change};
use crate::{
    callback::{Callback, Delivery},
    event::{Event, Notification},
};

/// How long a notification in flight may take to finish when the poll is asked to stop.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// Changes on their way out, in order of their updated date.
pub(super) struct Delivering<'a, C> {
    plan: &'a Plan,
    callback: &'a C,
    polled_at: DateTime<Utc>,
    stop: &'a CancellationToken,
    changes: Vec<Change>,
    records: Vec<Bytes>,
    settled: Settled,
    /// The first change that no notification has carried yet.
    next: usize,
    /// Changes of refused notifications: each goes again by itself, to find the refused ones.
    alone: BTreeSet<usize>,
    /// The records of which an event is in flight.
    in_flight: HashSet<String>,
    /// Why nothing more is sent.
    failure: Option<End>,
}

/// Who is told of every settled change: the state, which enters it in the window.
pub(super) trait Settle {
    /// `change` is acknowledged.
    fn settle(&mut self, change: &Change);

    /// Every change of this track, as far as it was read, dated at or before this is settled.
    fn settled_until(&mut self, track: Track, date: DateTime<Utc>);

    /// Writes what is due; called after each settlement and while waiting.
    fn write_due(&mut self) -> impl Future<Output = Result<(), End>> + Send;

    /// When the next due write falls, if one is.
    fn next_write(&self) -> Option<tokio::time::Instant>;
}

/// The part of the changes that one notification carries.
type Range = std::ops::Range<usize>;

impl<'a, C: Callback> Delivering<'a, C> {
    pub(super) fn new(
        plan: &'a Plan,
        callback: &'a C,
        polled_at: DateTime<Utc>,
        stop: &'a CancellationToken,
        changes: Vec<Change>,
        records: Vec<Bytes>,
    ) -> Self {
        let settled = Settled::none_of(&changes);
        Self {
            plan,
            callback,
            polled_at,
            stop,
            changes,
            records,
            settled,
            next: 0,
            alone: BTreeSet::new(),
            in_flight: HashSet::new(),
            failure: None,
        }
    }

    /// Delivers all, or as far as the callback takes them.
    pub(super) async fn run(mut self, ledger: &mut impl Settle) -> Result<(), End> {
        let (callback, origin) = (self.callback, &self.plan.origin);
        let mut flying = FuturesUnordered::new();
        loop {
            while let Some(range) = self.next_range(flying.len()) {
                self.in_flight.extend(self.ids(&range));
                let notification = self.notification(range.clone());
                flying.push(async move { (range, callback.deliver(origin, &notification).await) });
            }
            let Some((range, delivery)) = self.wait(&mut flying, ledger).await? else {
                break;
            };
            for id in self.ids(&range) {
                self.in_flight.remove(&id);
            }
            match delivery {
                Delivery::Acknowledged => self.acknowledge(range, ledger).await,
                Delivery::Rejected(_) if range.len() > 1 => self.alone.extend(range),
                other => {
                    let end = self.end_of(&range, other);
                    self.failure.get_or_insert(end);
                }
            }
        }
        self.failure.map_or(Ok(()), Err)
    }

    /// What goes out next beside the `flying` notifications, if anything may.
    fn next_range(&mut self, flying: usize) -> Option<Range> {
        if self.failure.is_some() {
            return None;
        }
        if !self.alone.is_empty() {
            // One at a time: nothing behind a refused event goes out before it.
            let index = (flying == 0).then(|| self.alone.pop_first()).flatten()?;
            return Some(index..index + 1);
        }
        let range = (flying < self.plan.in_flight).then(|| self.next_batch())??;
        self.next = range.end;
        Some(range)
    }

    /// The next notification in flight to end, with due writes made meanwhile.
    async fn wait<F>(
        &mut self,
        flying: &mut FuturesUnordered<F>,
        ledger: &mut impl Settle,
    ) -> Result<Option<(Range, Delivery)>, End>
    where
        F: Future<Output = (Range, Delivery)>,
    {
        loop {
            let due = ledger.next_write().filter(|_| self.failure.is_none());
            tokio::select! {
                biased;
                ended = flying.next() => return Ok(ended),
                () = grace(self.stop) => return Err(End::Stopped),
                () = at(due) => self.write_due(ledger).await,
            }
        }
    }

    /// Writes what is due. What fails ends the sending alone: what is in flight is still heard.
    async fn write_due(&mut self, ledger: &mut impl Settle) {
        if self.failure.is_none() {
            self.failure = ledger.write_due().await.err();
        }
    }

    async fn acknowledge(&mut self, range: Range, ledger: &mut impl Settle) {
        for index in range {
            if let Some(change) = self.changes.get(index) {
                self.settled.insert(index);
                ledger.settle(change);
            }
        }
        for track in Track::ALL {
            if let Some(date) = self.settled.until(track) {
                ledger.settled_until(track, date);
            }
        }
        self.write_due(ledger).await;
        if self.stop.is_cancelled() {
            self.failure.get_or_insert(End::Stopped);
        }
    }

    /// The next notification's changes; none while an event of one of its records is in flight.
    fn next_batch(&self) -> Option<Range> {
        let rest = self.changes.get(self.next..)?;
        let mut ids = HashSet::new();
        let size = rest
            .iter()
            .take(self.plan.max_events)
            .take_while(|change| {
                !self.in_flight.contains(&change.id) && ids.insert(change.id.as_str())
            })
            .count();
        (size > 0).then(|| self.next..self.next + size)
    }

    fn ids(&self, range: &Range) -> Vec<String> {
        self.changes
            .get(range.clone())
            .unwrap_or_default()
            .iter()
            .map(|change| change.id.clone())
            .collect()
    }

    fn notification(&self, range: Range) -> Notification {
        let changes = self.changes.get(range.clone()).unwrap_or_default();
        let records = self.records.get(range).unwrap_or_default();
        let events = changes.iter().zip(records).map(|(change, record)| Event {
            id: self.plan.origin.event_id(&change.id, &change.version),
            kind: change.kind,
            object_id: change.id.clone(),
            changed_at: change.updated,
            record: record.clone(),
        });
        Notification {
            events: events.collect(),
            polled_at: self.polled_at,
        }
    }

    fn end_of(&self, range: &Range, delivery: Delivery) -> End {
        match delivery {
            Delivery::Rejected(rejection) => End::Blocked {
                object_id: self
                    .changes
                    .get(range.start)
                    .map(|change| change.id.clone())
                    .unwrap_or_default(),
                rejection,
            },
            Delivery::Unavailable(unavailable) => End::CallbackUnavailable(unavailable),
            Delivery::Gone | Delivery::Acknowledged => End::CallbackGone,
        }
    }
}

async fn grace(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(STOP_GRACE).await;
}

async fn at(due: Option<tokio::time::Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
