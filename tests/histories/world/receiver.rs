//! The callback: takes notifications, and checks each as it comes.

use pollen::{
    api::CreatedCheck,
    callback::{Callback, Delivery, Rejection, Unavailable},
    event::{Event, Kind, Notification, Origin},
};

use super::{Inner, Process, ledger::Version};
use crate::{
    invariants::{Invariant, Violation},
    settings::Settings,
};

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
    let record: serde_json::Value = serde_json::from_slice(&event.record).unwrap();
    Version {
        record: event.object_id.trim_start_matches('r').parse().unwrap(),
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

    fn check_form(&self, inner: &mut Inner, notification: &Notification, versions: &[Version]) {
        let most = inner.plan.max_events;
        if versions.is_empty() || versions.len() > most {
            let expected = format!("1 to {most} events in a notification");
            inner.violate(Violation::new(
                Invariant::Delivery,
                expected,
                versions.len().to_string(),
            ));
        }
        if !versions.is_sorted_by_key(|version| version.date) {
            let expected = "events in the order of their updated date";
            inner.violate(Violation::new(
                Invariant::Delivery,
                expected,
                format!("{versions:?}"),
            ));
        }
        let started_at = self.started_at(inner);
        for (event, version) in notification.events.iter().zip(versions) {
            let is_known = inner.provider.versions.contains(version);
            let is_wanted =
                version.date >= started_at && !self.world.settings.is_excluded(version.record);
            if !is_known || !is_wanted || event.changed_at.timestamp_millis() != version.date {
                let expected = "an event of a change since the start, as the provider shows it";
                inner.violate(Violation::new(
                    Invariant::Once,
                    expected,
                    format!("{version:?}"),
                ));
            }
            check_id(inner, self.number, event, *version);
        }
    }

    /// The receiver has it now, whether its answer arrives or not.
    fn take(&self, notification: &Notification, versions: &[Version]) {
        let mut inner = self.world.inner();
        inner.ledger.notifications += 1;
        for (event, version) in notification.events.iter().zip(versions) {
            inner.ledger.taken.versions.insert(*version);
            let memory = inner.ledger.memory(self.number);
            if memory.settled.forbids(*version, memory.content_ignored) {
                let expected = "a version is delivered once while its acknowledgement is known";
                inner.violate(Violation::new(
                    Invariant::Once,
                    expected,
                    format!("{version:?} again"),
                ));
            }
            check_kind(
                &mut inner,
                &self.world.settings,
                self.number,
                event,
                *version,
            );
        }
    }

    /// Its answer has arrived at the engine.
    fn arrive(&self, versions: &[Version], delivery: &Delivery, notification: &Notification) {
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
                memory.answered += 1;
                memory.settled.versions.insert(*version);
                if event.kind == Kind::Created {
                    memory.settled.created.insert(version.record, version.date);
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

fn check_id(inner: &mut Inner, process: usize, event: &Event, version: Version) {
    let id = event.id.as_str().to_owned();
    let ledger = &mut inner.ledger;
    let named = version.named(ledger.memory(process).content_ignored);
    let known = ledger.ids.entry(named).or_insert_with(|| id.clone());
    let same_id = *known == id;
    let known = ledger.versions.entry(id).or_insert(named);
    if !same_id || *known != named {
        let expected = "one event id for each version, in every process";
        inner.violate(Violation::new(
            Invariant::Once,
            expected,
            format!("another for {version:?}"),
        ));
    }
}

/// Created or updated (polling rule 12), where the process's memory tells which.
fn check_kind(
    inner: &mut Inner,
    settings: &Settings,
    process: usize,
    event: &Event,
    version: Version,
) {
    let record = &inner.provider.records[&version.record];
    if record.version != version.number {
        return;
    }
    let created = super::provider::floor(settings.field, record.created);
    let reach = inner.plan.reach.num_milliseconds();
    let memory = inner.ledger.memory(process);
    let by_dates = (version.date - created).abs() <= settings.tolerance;
    let expected = match settings.created_check {
        CreatedCheck::OpenConnectors => Some(by_dates),
        CreatedCheck::Watermark => match memory.settled.created.get(&version.record) {
            None => Some(by_dates || created > memory.settled_at_start()),
            Some(marked)
                if *marked >= memory.settled.sure_since.max(memory.watermark() - reach) =>
            {
                Some(false)
            }
            // The mark may have left the window.
            Some(_) => None,
        },
    };
    if expected.is_some_and(|created| created != (event.kind == Kind::Created)) {
        inner.violate(Violation::new(
            Invariant::Kind,
            "created by its dates or since the sweep began, and once",
            format!("{:?} of {version:?}, created at {created}", event.kind),
        ));
    }
}

fn unavailable() -> Delivery {
    Delivery::Unavailable(Unavailable {
        message: "the callback answered 503".to_owned(),
        retry_after: None,
    })
}
