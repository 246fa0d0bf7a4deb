//! What was made against what arrived.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use crate::{
    receiver::{Event, Notification, Signature},
    servicenow::Version,
};

/// A version of a record: its `sys_id`, its `sys_mod_count`, and whether it is the deletion.
type Key = (String, u64, bool);

/// The comparison of an instance's history with a receiver's ledger.
#[derive(Debug, Default)]
pub struct Reckoning {
    changes: usize,
    records: usize,
    /// Acknowledged, each version once.
    delivered: usize,
    notifications: usize,
    /// Notifications that were answered otherwise than with 2xx, or not at all.
    refused: usize,
    /// Versions that were overwritten and of which no event came: no listing need have shown them.
    superseded: usize,
    /// The latest versions of records of which no event came.
    lost: Vec<Version>,
    /// Events of versions that never were.
    invented: Vec<Event>,
    /// Events of versions that were acknowledged before.
    repeated: usize,
    /// Those of them that came under another event id, so that a receiver cannot tell.
    renamed: usize,
    checked: usize,
    verified: usize,
}

impl Reckoning {
    /// Holds what was `acknowledged` against all of `history`, whose changes begin at `begun`.
    #[must_use]
    pub fn new(
        history: &[Version],
        begun: usize,
        notifications: &[Notification],
        acknowledged: &[Event],
    ) -> Self {
        let changes = history.get(begun..).unwrap_or_default();
        let latest = latest(changes);
        let mut reckoning = Self {
            changes: changes.len(),
            records: latest.len(),
            ..Self::default()
        };
        reckoning.count_notifications(notifications);
        let arrived = reckoning.count_events(history, acknowledged);
        for (place, version) in changes.iter().enumerate() {
            if arrived.contains_key(&key(version)) {
                continue;
            }
            if latest.get(version.sys_id.as_str()) == Some(&place) {
                reckoning.lost.push(version.clone());
            } else {
                reckoning.superseded += 1;
            }
        }
        reckoning
    }

    /// Whether there was nothing to deliver.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.changes == 0
    }

    /// Whether no event is missing.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.lost.is_empty()
    }

    /// Whether all is as it must be: nothing lost, nothing invented, every signature good.
    #[must_use]
    pub const fn is_faithful(&self) -> bool {
        self.lost.is_empty() && self.invented.is_empty() && self.verified == self.checked
    }

    /// Events of versions that were acknowledged before.
    #[must_use]
    pub const fn repeated(&self) -> usize {
        self.repeated
    }

    /// Those of them that came under another event id.
    #[must_use]
    pub const fn renamed(&self) -> usize {
        self.renamed
    }

    fn count_notifications(&mut self, notifications: &[Notification]) {
        let acknowledged = |status: &Option<u16>| matches!(status, Some(200..=299));
        for notification in notifications {
            let signatures = [notification.signature, notification.standard_webhooks];
            let wrong = signatures.contains(&Signature::Wrong);
            let valid = signatures.contains(&Signature::Valid);
            self.notifications += usize::from(acknowledged(&notification.status));
            self.refused += usize::from(!acknowledged(&notification.status));
            self.checked += usize::from(signatures != [Signature::NotChecked; 2]);
            self.verified += usize::from(valid && !wrong);
        }
    }

    /// Returns the versions that arrived, each with the ids of its events.
    fn count_events<'a>(
        &mut self,
        history: &[Version],
        acknowledged: &'a [Event],
    ) -> HashMap<Key, HashSet<&'a str>> {
        let made: HashSet<_> = history.iter().map(key).collect();
        let mut arrived: HashMap<Key, HashSet<&str>> = HashMap::new();
        for event in acknowledged {
            let key = key_of(event);
            if !made.contains(&key) {
                self.invented.push(event.clone());
            }
            let ids = arrived.entry(key).or_default();
            self.repeated += usize::from(!ids.is_empty());
            let is_new = ids.insert(&event.event_id);
            self.renamed += usize::from(is_new && ids.len() > 1);
        }
        self.delivered = arrived.keys().filter(|key| made.contains(key)).count();
        arrived
    }
}

fn key(version: &Version) -> Key {
    // An event of a deletion need not know what it was that was deleted.
    let mod_count = if version.deleted {
        0
    } else {
        version.mod_count
    };
    (version.sys_id.clone(), mod_count, version.deleted)
}

fn key_of(event: &Event) -> Key {
    let deleted = event.kind == "DELETED";
    let mod_count = if deleted { 0 } else { event.mod_count() };
    (event.object_id.clone(), mod_count, deleted)
}

/// The place of each record's latest change.
fn latest(changes: &[Version]) -> HashMap<&str, usize> {
    let places = changes.iter().enumerate();
    places
        .map(|(place, version)| (version.sys_id.as_str(), place))
        .collect()
}

impl fmt::Display for Reckoning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, what, count, remark: &str| {
            let line = format!("{what:<18}{count:>4}   {remark}");
            writeln!(f, "{}", line.trim_end())
        };
        let Self {
            notifications,
            refused,
            renamed,
            checked,
            ..
        } = self;
        let records = format!("on {} records", self.records);
        line(f, "changes made", self.changes, &records)?;
        let refused = match refused {
            0 => String::new(),
            _ => format!(", {refused} more refused"),
        };
        let notifications = format!("in {notifications} notifications{refused}");
        line(f, "events delivered", self.delivered, &notifications)?;
        let superseded = match self.superseded {
            0 => "",
            _ => "overwritten before a poll could see them",
        };
        line(f, "superseded", self.superseded, superseded)?;
        line(f, "lost", self.lost.len(), "")?;
        line(f, "invented", self.invented.len(), "")?;
        let renamed = match renamed {
            0 => String::new(),
            _ => format!("{renamed} of them under another event id"),
        };
        line(f, "repeated", self.repeated, &renamed)?;
        let checked = format!("of {checked} checked");
        line(f, "signatures good", self.verified, &checked)?;
        self.name_lost(f)?;
        self.name_invented(f)
    }
}

impl Reckoning {
    fn name_lost(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for version in &self.lost {
            let Version {
                table,
                sys_id,
                mod_count,
                updated,
                ..
            } = version;
            writeln!(
                f,
                "lost: {table} {sys_id}, version {mod_count} of {updated}"
            )?;
        }
        Ok(())
    }

    fn name_invented(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for event in &self.invented {
            let (table, sys_id) = (&event.object_type, &event.object_id);
            let version = event.mod_count();
            writeln!(f, "invented: {table} {sys_id}, version {version}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
