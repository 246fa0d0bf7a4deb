//! What must hold of all that arrived, whatever the scenario.

use std::collections::{BTreeMap, BTreeSet};

use simulator::{
    receiver::{Event, Signature},
    servicenow::Version,
};

use super::{ledger::shown, world::World};

const DELETED: &str = "DELETED";

/// What makes an event this one and no other.
type Key = (String, String, String, String, String, usize);

/// Tells events apart, in the order in which they came.
#[derive(Default)]
struct Versions {
    /// When each record was deleted: one that is back as it was is another.
    deletions: BTreeMap<String, BTreeSet<String>>,
}

impl Versions {
    fn next(&mut self, event: &Event) -> Key {
        let deletions = self.deletions.entry(event.object_id.clone()).or_default();
        let life = deletions.len();
        if event.kind == DELETED {
            deletions.insert(event.date.clone());
        }
        (
            event.object_type.clone(),
            event.object_id.clone(),
            event.kind.clone(),
            event.date.clone(),
            event.record["sys_mod_count"].to_string(),
            if event.kind == DELETED { 0 } else { life },
        )
    }
}

/// The events, each once.
///
/// # Errors
///
/// One was repeated under another id, where each has one of its own.
pub(super) fn without_repeats(world: &World, events: Vec<Event>) -> Result<Vec<Event>, String> {
    let single = world.scenario.callback.get("maxEventsPerNotification") == Some(&1.into());
    let (mut versions, mut ids) = (Versions::default(), BTreeMap::new());
    let mut once = Vec::new();
    for event in events {
        match ids.insert(versions.next(&event), event.event_id.clone()) {
            None => once.push(event),
            Some(id) if id == event.event_id || !single => {}
            Some(id) => {
                return Err(format!(
                    "{} {} came with the id {id}, and again with {}",
                    event.kind, event.object_id, event.event_id
                ));
            }
        }
    }
    Ok(once)
}

/// What must hold of all that arrived, whatever the scenario.
pub(super) fn check(world: &World) -> Result<(), String> {
    let all = world.receiver.acknowledged();
    for notification in world.receiver.notifications() {
        let signatures = [notification.signature, notification.standard_webhooks];
        if signatures
            .iter()
            .any(|signature| *signature != Signature::Valid)
        {
            return Err(format!("a notification is signed so: {signatures:?}"));
        }
    }
    let showed = Showed::by(world);
    let (mut versions, mut seen) = (Versions::default(), BTreeSet::new());
    for event in &all {
        if !showed.has(event) {
            return Err(format!("invented: {}", shown(world, event)));
        }
        if !seen.insert(versions.next(event)) && !world.scenario.repeats {
            return Err(format!("repeated: {}", shown(world, event)));
        }
    }
    Ok(())
}

/// What the provider showed.
struct Showed {
    /// Ids and counts of changes.
    states: BTreeSet<(String, String)>,
    deleted: BTreeSet<String>,
}

impl Showed {
    fn by(world: &World) -> Self {
        let (deleted, states): (Vec<_>, Vec<_>) = world
            .instance
            .history()
            .into_iter()
            .partition(|version| version.deleted);
        let state = |version: Version| (version.sys_id, version.mod_count.to_string());
        Self {
            states: states.into_iter().map(state).collect(),
            deleted: deleted.into_iter().map(|version| version.sys_id).collect(),
        }
    }

    /// Whether the event tells of something that was: a deletion has the id alone, but where a flag
    /// in the record says it.
    fn has(&self, event: &Event) -> bool {
        let count = event.record["sys_mod_count"].as_str().unwrap_or_default();
        let state = (event.object_id.clone(), count.to_owned());
        let is_gone = event.kind == DELETED && self.deleted.contains(&event.object_id);
        is_gone || self.states.contains(&state)
    }
}
