//! What is remembered of a poller.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::FORMAT;
use crate::api::Checkpoint;

/// What is remembered of a poller: what it was first seen as, and its checkpoint.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::local) struct PollerRecord {
    format: i32,
    /// Made once, at random: what metadata.uid is in a cluster.
    pub(in crate::local) uid: String,
    /// What metadata.creationTimestamp is in a cluster.
    pub(in crate::local) first_seen: DateTime<Utc>,
    /// The instance that it was first seen with, and keeps.
    pub(in crate::local) instance: String,
    /// The resource that it was first seen with, and keeps.
    pub(in crate::local) resource: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::local) checkpoint: Option<Checkpoint>,
}

impl PollerRecord {
    /// A poller that is seen for the first time, `now`.
    pub(in crate::local) fn new(instance: &str, resource: &str, now: DateTime<Utc>) -> Self {
        Self {
            format: FORMAT,
            uid: random_uid(),
            first_seen: now,
            instance: instance.to_owned(),
            resource: resource.to_owned(),
            checkpoint: None,
        }
    }
}

/// 128 random bits, written as Kubernetes writes a uid.
fn random_uid() -> String {
    let digits = format!("{:032x}", rand::random::<u128>());
    let mut uid = String::with_capacity(36);
    for (index, digit) in digits.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            uid.push('-');
        }
        uid.push(digit);
    }
    uid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::state::{StateError, read, write};

    fn stored(content: &str) -> Result<Option<PollerRecord>, StateError> {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.json");
        std::fs::write(&path, content).unwrap();
        read(&path)
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("helpdesk/accounts.json");
        assert_eq!(read::<PollerRecord>(&path).unwrap(), None);
        let record = PollerRecord::new("servicenow-prod", "accounts", DateTime::UNIX_EPOCH);
        write(&path, &record).unwrap();
        assert_eq!(read(&path).unwrap(), Some(record));
    }

    #[test]
    fn each_poller_has_a_uid_of_its_own() {
        let (a, b) = (random_uid(), random_uid());
        assert_eq!(a.len(), 36);
        assert_ne!(a, b);
    }

    #[test]
    fn a_damaged_record_is_refused_and_never_read_as_empty() {
        for content in ["", "{", "{}", "{\"format\": 1, \"uid\": 7}"] {
            assert!(
                matches!(stored(content), Err(StateError::Damaged { .. })),
                "{content}"
            );
        }
    }

    #[test]
    fn a_newer_record_or_checkpoint_is_left_alone() {
        for content in [
            "{\"format\": 3, \"new\": true}",
            "{\"format\": 1, \"checkpoint\": {\"version\": 3, \"new\": 1}}",
        ] {
            let error = stored(content).unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains("written by a newer pollen in format 3"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_field_that_only_a_newer_pollen_knows_is_not_dropped() {
        let record = PollerRecord::new("servicenow", "accounts", DateTime::UNIX_EPOCH);
        let mut newer = serde_json::to_value(record).unwrap();
        newer["cursor"] = "t0k3n".into();
        let error = stored(&newer.to_string()).unwrap_err().to_string();
        assert!(error.contains("does not know the field cursor"), "{error}");
        assert!(!error.contains("t0k3n"), "{error}");
    }
}
