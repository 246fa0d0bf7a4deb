//! Dead letters: what came, held against what had to.

use std::collections::BTreeMap;

use serde_json::Value;
use simulator::receiver::Notification;

use super::world::World;

/// The path to which they go.
pub(super) const DEAD_LETTERS: &str = "/dead-letters";

/// One that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    /// What the scenario calls its record.
    pub(super) record: String,
    id: String,
    /// What is wrong with it.
    flaw: Option<String>,
}

/// All dead letters that were taken so far.
pub(super) fn taken(world: &World) -> Vec<Letter> {
    let notifications = world.receiver.notifications();
    let is_taken =
        |each: &&Notification| each.path == DEAD_LETTERS && matches!(each.status, Some(200..=299));
    let refused = refused(&notifications);
    let letters = notifications.iter().filter(is_taken);
    letters
        .map(|letter| read(world, letter, &refused))
        .collect()
}

/// The bodies of the notifications that were refused.
fn refused(notifications: &[Notification]) -> Vec<Value> {
    let refused = notifications
        .iter()
        .filter(|each| each.path != DEAD_LETTERS && matches!(each.status, Some(400..=499)));
    refused
        .filter_map(|each| serde_json::from_slice(&each.body).ok())
        .collect()
}

fn read(world: &World, letter: &Notification, refused: &[Value]) -> Letter {
    let body: Value = serde_json::from_slice(&letter.body).unwrap_or_default();
    let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
    let flaw = if !refused.contains(&body["notification"]) {
        Some("carries what was never refused")
    } else if !matches!(body["status"].as_u64(), Some(400..=499)) {
        Some("has no status of a refusal")
    } else if letter.headers["webhook-id"] != format!("msg_{}", text("id")) {
        Some("has another id than its webhook-id")
    } else {
        None
    };
    Letter {
        record: world.name(&text("objectId")),
        id: text("id"),
        flaw: flaw.map(str::to_owned),
    }
}

/// The letters, each once.
///
/// # Errors
///
/// One was repeated under another id.
pub(super) fn without_repeats(letters: Vec<Letter>) -> Result<Vec<Letter>, String> {
    let mut ids = BTreeMap::new();
    let mut once = Vec::new();
    for letter in letters {
        match ids.insert(letter.record.clone(), letter.id.clone()) {
            None => once.push(letter),
            Some(id) if id == letter.id => {}
            Some(_) => return Err(format!("the dead letter of {} has two ids", letter.record)),
        }
    }
    Ok(once)
}

/// What is wrong with the letters that came.
pub(super) fn complaints(expected: &[String], got: &[Letter]) -> Vec<String> {
    let records: Vec<_> = got.iter().map(|letter| letter.record.as_str()).collect();
    let flaws = got.iter().filter_map(|letter| {
        let flaw = letter.flaw.as_ref()?;
        Some(format!("the dead letter of {} {flaw}", letter.record))
    });
    let others = (records != expected)
        .then(|| format!("dead letters of {records:?} came, expected {expected:?}"));
    others.into_iter().chain(flaws).collect()
}
