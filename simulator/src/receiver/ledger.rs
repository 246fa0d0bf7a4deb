//! What arrived, in order, and what it was answered.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde_json::Value;
use tokio::sync::watch;

use super::{Signature, body};

/// One POST.
#[derive(Clone, Debug)]
pub struct Notification {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// How many events the body encloses, or why it is of no known format.
    pub enclosed: Result<usize, String>,
    /// The signature of Open Connectors.
    pub signature: Signature,
    /// The signature of Standard Webhooks.
    pub standard_webhooks: Signature,
    /// The status answered; `None` as long as there is no answer.
    pub status: Option<u16>,
    pub at: DateTime<Utc>,
}

/// One event of a notification.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// `message.eventId` in an envelope of Open Connectors, where all events of a notification share it;
    /// the id of a CloudEvent.
    pub event_id: String,
    /// `CREATED`, `UPDATED` or `DELETED`.
    pub kind: String,
    pub object_id: String,
    pub object_type: String,
    /// The record's changed date, as it was written.
    pub date: String,
    /// The record as the provider sent it; null where the notification has none for the event.
    pub record: Value,
    /// Whether its notification was answered with 2xx.
    pub acknowledged: bool,
    /// The place of its notification in `notifications()`.
    pub position: usize,
}

impl Event {
    /// The version of a ServiceNow record, a text as the Table API writes it.
    #[must_use]
    pub fn mod_count(&self) -> u64 {
        let text = self.record.get("sys_mod_count").and_then(Value::as_str);
        text.and_then(|text| text.parse().ok()).unwrap_or(u64::MAX)
    }
}

/// All notifications since the start or the last `clear`.
#[derive(Default)]
pub(super) struct Ledger {
    entries: Mutex<Entries>,
    count: watch::Sender<Count>,
}

#[derive(Clone, Copy, Default)]
struct Count {
    notifications: usize,
    /// Events.
    acknowledged: usize,
}

#[derive(Default)]
struct Entries {
    /// By number of arrival, which goes on after a `clear`: a late answer finds its notification or none.
    notifications: BTreeMap<u64, Notification>,
    arrivals: u64,
}

/// What ties an answer to its notification.
#[derive(Clone, Copy)]
pub(super) struct Arrival(u64);

impl Ledger {
    pub(super) fn enter(&self, notification: Notification) -> Arrival {
        let mut entries = self.entries();
        let arrival = entries.arrivals;
        entries.arrivals += 1;
        entries.notifications.insert(arrival, notification);
        self.count.send_modify(|count| count.notifications += 1);
        Arrival(arrival)
    }

    /// The notification is answered with `status`.
    pub(super) fn settle(&self, Arrival(arrival): Arrival, status: u16) {
        let mut entries = self.entries();
        let Some(notification) = entries.notifications.get_mut(&arrival) else {
            return;
        };
        notification.status = Some(status);
        if let (true, Ok(events)) = (is_success(status), &notification.enclosed) {
            self.count.send_modify(|count| count.acknowledged += events);
        }
    }

    pub(super) fn notifications(&self) -> Vec<Notification> {
        self.entries().notifications.values().cloned().collect()
    }

    pub(super) fn events(&self) -> Vec<Event> {
        let notifications = self.notifications();
        let notifications = notifications.iter().enumerate();
        notifications.flat_map(events).collect()
    }

    pub(super) fn acknowledged(&self) -> Vec<Event> {
        let mut events = self.events();
        events.retain(|event| event.acknowledged);
        events
    }

    /// The acknowledged events once there are `wanted`.
    pub(super) async fn await_events(
        &self,
        wanted: usize,
        patience: Duration,
    ) -> Result<Vec<Event>, String> {
        let enough = self.reached(patience, |count| count.acknowledged >= wanted);
        if enough.await {
            return Ok(self.acknowledged());
        }
        Err(format!(
            "fewer than {wanted} events within {patience:?}: {}",
            self.summary()
        ))
    }

    /// The notifications once there are `wanted`, answered or not.
    pub(super) async fn await_notifications(
        &self,
        wanted: usize,
        patience: Duration,
    ) -> Result<Vec<Notification>, String> {
        let enough = self.reached(patience, |count| count.notifications >= wanted);
        if enough.await {
            return Ok(self.notifications());
        }
        Err(format!(
            "fewer than {wanted} notifications within {patience:?}: {}",
            self.summary()
        ))
    }

    async fn reached(&self, patience: Duration, enough: impl FnMut(&Count) -> bool) -> bool {
        let mut count = self.count.subscribe();
        let waiting = count.wait_for(enough);
        matches!(tokio::time::timeout(patience, waiting).await, Ok(Ok(_)))
    }

    fn summary(&self) -> String {
        let statuses: Vec<_> = self
            .notifications()
            .iter()
            .map(|each| each.status)
            .collect();
        let events: Vec<_> = self
            .acknowledged()
            .iter()
            .map(|event| format!("{} {} {}", event.kind, event.object_type, event.object_id))
            .collect();
        format!("events acknowledged {events:?}, notifications answered {statuses:?}")
    }

    pub(super) fn clear(&self) {
        let mut entries = self.entries();
        entries.notifications.clear();
        self.count.send_replace(Count::default());
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn events((position, notification): (usize, &Notification)) -> impl Iterator<Item = Event> {
    let acknowledged = notification.status.is_some_and(is_success);
    body::read(&notification.headers, &notification.body)
        .into_iter()
        .map(move |enclosed| Event {
            event_id: enclosed.event_id,
            kind: enclosed.kind,
            object_id: enclosed.object_id,
            object_type: enclosed.object_type,
            date: enclosed.date,
            record: enclosed.record,
            acknowledged,
            position,
        })
}

const fn is_success(status: u16) -> bool {
    matches!(status, 200..=299)
}

#[cfg(test)]
mod tests;
