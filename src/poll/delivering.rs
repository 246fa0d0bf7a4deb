//! Delivering the changes at hand: in order, within the notifications in flight, and settling what
//! is acknowledged.

mod again;
mod apart;
mod refused;
mod settled;

use std::{
    collections::VecDeque,
    pin::{Pin, pin},
    time::Duration,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{StreamExt as _, stream::FuturesUnordered};
use tokio_util::sync::CancellationToken;

use self::{again::Again, apart::Apart, settled::Settled};
use super::{End, How, Plan, Track, change::Change};
use crate::{
    callback::{Callback, Delivery, Rejection},
    event::{Event, Notification, Origin},
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
    /// Parts of refused notifications, to find the refused events.
    again: Again,
    /// Refused events that are to go where dead letters go.
    letters: VecDeque<Flight>,
    /// Events in one notification at most: fewer than the plan has, once that was too large.
    most: usize,
    apart: Apart,
    /// Why nothing more is sent.
    failure: Option<End>,
}

/// Who is told of every settled change: the state, which enters it in the window.
pub(super) trait Settle {
    /// `change` is acknowledged.
    fn settle(&mut self, change: &Change);

    /// `change` was refused, and is settled all the same.
    fn set_aside(&mut self, change: &Change, how: How, rejection: &Rejection);

    /// Every change of this track, as far as it was read, dated at or before this is settled.
    fn settled_until(&mut self, track: Track, date: DateTime<Utc>);

    /// Writes what is due; called after each settlement and while waiting.
    fn write_due(&mut self) -> impl Future<Output = Result<(), End>> + Send;

    /// When the next due write falls, if one is.
    fn next_write(&self) -> Option<tokio::time::Instant>;
}

/// The part of the changes that one notification carries.
type Range = std::ops::Range<usize>;

/// One notification on its way, or one dead letter.
struct Flight {
    range: Range,
    /// Why its one event was refused, where it goes as a dead letter.
    letter: Option<Rejection>,
}

impl Flight {
    const fn of(range: Range) -> Self {
        Self {
            range,
            letter: None,
        }
    }

    async fn fly<C: Callback>(
        self,
        callback: &C,
        origin: &Origin,
        notification: Notification,
    ) -> (Self, Delivery) {
        let delivery = match &self.letter {
            None => callback.deliver(origin, &notification).await,
            Some(refused) => callback.dead_letter(origin, &notification, refused).await,
        };
        (self, delivery)
    }
}

impl<'a, C: Callback> Delivering<'a, C> {
    pub(super) fn new(
        plan: &'a Plan,
        callback: &'a C,
        polled_at: DateTime<Utc>,
        stop: &'a CancellationToken,
        changes: Vec<Change>,
        records: Vec<Bytes>,
    ) -> Self {
        let (settled, apart) = (Settled::none_of(&changes), Apart::of(&changes));
        Self {
            plan,
            callback,
            polled_at,
            stop,
            changes,
            records,
            settled,
            next: 0,
            again: Again::default(),
            letters: VecDeque::new(),
            most: plan.max_events,
            apart,
            failure: None,
        }
    }

    /// Delivers all, or as far as the callback takes them.
    pub(super) async fn run(mut self, ledger: &mut impl Settle) -> Result<(), End> {
        let (callback, origin) = (self.callback, &self.plan.origin);
        let mut flying = FuturesUnordered::new();
        let mut stopped = pin!(grace(self.stop));
        loop {
            while let Some(flight) = self.next_flight(flying.len()) {
                self.apart.depart(part(&self.changes, &flight.range));
                let notification = self.notification(flight.range.clone());
                flying.push(flight.fly(callback, origin, notification));
            }
            let Some((flight, delivery)) = self.wait(&mut flying, stopped.as_mut(), ledger).await?
            else {
                break;
            };
            self.apart.arrive(part(&self.changes, &flight.range));
            self.land(flight, delivery, ledger).await;
        }
        self.failure.map_or(Ok(()), Err)
    }

    /// What goes out next beside the `flying` notifications, if anything may.
    fn next_flight(&mut self, flying: usize) -> Option<Flight> {
        if self.failure.is_some() {
            return None;
        }
        if !self.letters.is_empty() || !self.again.is_empty() {
            // One at a time: nothing behind a refused event goes out before it.
            let next = || {
                self.letters
                    .pop_front()
                    .or_else(|| self.again.next().map(Flight::of))
            };
            return (flying == 0).then(next).flatten();
        }
        let range = (flying < self.plan.in_flight).then(|| self.next_batch())??;
        self.next = range.end;
        Some(Flight::of(range))
    }

    /// Takes the answer to a notification, or to a dead letter.
    async fn land(&mut self, flight: Flight, delivery: Delivery, ledger: &mut impl Settle) {
        let Flight { range, letter } = flight;
        if let Some(rejection) = letter {
            return self.land_letter(range, rejection, delivery, ledger).await;
        }
        match delivery {
            Delivery::Acknowledged => self.acknowledge(range, ledger).await,
            Delivery::AcknowledgedLast => {
                self.acknowledge(range, ledger).await;
                self.fail(End::CallbackGone);
            }
            Delivery::Rejected(rejection) => self.refuse(range, rejection, ledger).await,
            Delivery::Unavailable(unavailable) => self.fail(End::CallbackUnavailable(unavailable)),
            Delivery::Gone => self.fail(End::CallbackGone),
        }
    }

    /// Nothing more is sent; what is in flight is still heard.
    fn fail(&mut self, end: End) {
        self.failure.get_or_insert(end);
    }

    /// The next notification in flight to end, with due writes made meanwhile.
    async fn wait<F>(
        &mut self,
        flying: &mut FuturesUnordered<F>,
        mut stopped: Pin<&mut impl Future<Output = ()>>,
        ledger: &mut impl Settle,
    ) -> Result<Option<(Flight, Delivery)>, End>
    where
        F: Future<Output = (Flight, Delivery)>,
    {
        loop {
            let due = ledger.next_write().filter(|_| self.failure.is_none());
            tokio::select! {
                biased;
                ended = flying.next() => return Ok(ended),
                () = &mut stopped => return Err(End::Stopped),
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
        self.have_settled(ledger).await;
    }

    /// Tells how far everything is settled now, and writes what is due.
    async fn have_settled(&mut self, ledger: &mut impl Settle) {
        for track in Track::ALL {
            if let Some(date) = self.settled.until(track) {
                ledger.settled_until(track, date);
            }
        }
        self.write_due(ledger).await;
        if self.stop.is_cancelled() {
            self.fail(End::Stopped);
        }
    }

    /// The next notification's changes; none while an event of one of its records is in flight.
    fn next_batch(&self) -> Option<Range> {
        let rest = self.changes.get(self.next..)?;
        let most = rest.get(..self.most).unwrap_or(rest);
        let size = self.apart.fitting(most);
        (size > 0).then(|| self.next..self.next + size)
    }

    fn notification(&self, range: Range) -> Notification {
        let changes = part(&self.changes, &range);
        let records = part(&self.records, &range);
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
}

fn part<'a, T>(all: &'a [T], range: &Range) -> &'a [T] {
    all.get(range.clone()).unwrap_or_default()
}

/// Ends when what is in flight has had its time, all of it together.
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
