//! The callback: takes notifications, and checks each as it comes.

use pollen::{
    callback::{Callback, Delivery, Rejection, Unavailable},
    event::{Event, Kind, Notification, Origin},
};

use super::{Process, version::Version};
use crate::invariants::{Invariant, Violation};

impl Callback for Process {
    async fn deliver(&self, _: &Origin, notification: &Notification) -> Delivery {
        let versions: Vec<Version> = notification.events.iter().map(version).collect();
        self.depart(notification, &versions);
        let delivery = self.transport(notification, &versions).await;
        self.arrive(&versions, &delivery, notification);
        delivery
    }
}

/// The version that an event carries.
fn version(event: &Event) -> Version {
    if event.kind == Kind::Deleted {
        let deleted = event.changed_at.timestamp_millis();
        return Version::deletion(super::number(&event.object_id), deleted);
    }
    let record: serde_json::Value = serde_json::from_slice(&event.record).unwrap();
    Version {
        record: super::number(&event.object_id),
        date: record["updated"].as_i64().unwrap(),
        number: u32::try_from(record["version"].as_u64().unwrap()).unwrap(),
    }
}

impl Process {
    async fn transport(&self, notification: &Notification, versions: &[Version]) -> Delivery {
        if self.point().await.is_err() {
            return unavailable();
        }
        if let Some(refusal) = self.refusal(versions) {
            return refusal;
        }
        self.take(notification, versions);
        match self.point().await {
            Ok(()) => Delivery::Acknowledged,
            // Taken, but the answer is lost.
            Err(_) => unavailable(),
        }
    }

    fn refusal(&self, versions: &[Version]) -> Option<Delivery> {
        let mut inner = self.world.inner();
        let refused = &inner.ledger.refused;
        if !versions
            .iter()
            .any(|version| refused.contains(&version.record))
        {
            return None;
        }
        if versions.len() == 1 {
            inner.silence(self.number, "the callback refused an event");
        }
        Some(Delivery::Rejected(Rejection {
            status: 400,
            message: "the callback answered 400".to_owned(),
            ..Rejection::default()
        }))
    }

    /// A notification goes out.
    fn depart(&self, notification: &Notification, versions: &[Version]) {
        let mut inner = self.world.inner();
        self.check_form(&mut inner, notification, versions);
        let turn = inner.turn;
        let memory = inner.ledger.memory(self.number);
        let silenced = memory.silence_broken(turn);
        let records: Vec<u32> = versions.iter().map(|version| version.record).collect();
        let twice = records
            .iter()
            .find(|record| {
                memory
                    .flying
                    .iter()
                    .flatten()
                    .any(|flying| flying == *record)
            })
            .copied();
        memory.flying.push(records);
        let flying = memory.flying.len();
        if let Some(reason) = silenced {
            inner.violate(Violation::new(
                Invariant::Delivery,
                format!("silence: {reason}"),
                format!("{versions:?}"),
            ));
        }
        if let Some(record) = twice {
            let one = format!("one event of record {record} in flight");
            inner.violate(Violation::new(Invariant::Delivery, one, "two"));
        }
        if flying > inner.plan.in_flight {
            let most = format!("{} notifications in flight at most", inner.plan.in_flight);
            inner.violate(Violation::new(
                Invariant::Delivery,
                most,
                flying.to_string(),
            ));
        }
    }

    /// The receiver has it now, whether its answer arrives or not.
    fn take(&self, notification: &Notification, versions: &[Version]) {
        let mut inner = self.world.inner();
        let now = self.world.now();
        inner.ledger.notifications += 1;
        for (event, version) in notification.events.iter().zip(versions) {
            inner.ledger.taken.take(*version, now);
            self.check_taken(&mut inner, event, *version);
        }
    }

    /// Its answer has arrived at the engine.
    fn arrive(&self, versions: &[Version], delivery: &Delivery, notification: &Notification) {
        let now = self.world.now();
        let mut inner = self.world.inner();
        let memory = inner.ledger.memory(self.number);
        if let Some(landed) = memory.flying.iter().position(|flying| {
            flying
                .iter()
                .eq(versions.iter().map(|version| &version.record))
        }) {
            memory.flying.swap_remove(landed);
        }
        if *delivery == Delivery::Acknowledged {
            for (event, version) in notification.events.iter().zip(versions) {
                let is_created = event.kind == Kind::Created;
                memory.answered += 1;
                memory.settled.acknowledge(*version, is_created, now);
                if !version.is_deletion() {
                    memory.seen_gone.remove(&version.record);
                }
                if let Some(replay) = &memory.replaying {
                    memory.settled.replay(&replay.id, *version);
                }
            }
        }
        drop(inner);
        self.world.tell(|| {
            format!(
                "      process {} posted {versions:?}: {delivery:?}",
                self.number
            )
        });
    }
}

fn unavailable() -> Delivery {
    Delivery::Unavailable(Unavailable {
        message: "the callback answered 503".to_owned(),
        retry_after: None,
    })
}
