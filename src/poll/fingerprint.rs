//! Keyed 64-bit fingerprints of versions, and of marks beside them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use siphasher::sip::SipHasher24;
use std::hash::Hasher as _;

/// SipHash-2-4 under a key of the checkpoint's own, so that nobody who writes records can choose
/// two versions that collide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprints {
    key: [u8; 16],
}

/// What a fingerprint stands for; the first byte hashed, so that no two kinds meet.
#[derive(Clone, Copy)]
enum Domain {
    Version = 1,
    CreatedMark = 2,
    DeletedMark = 3,
    RestoredMark = 4,
    Record = 5,
}

impl Fingerprints {
    pub(super) const fn new(key: [u8; 16]) -> Self {
        Self { key }
    }

    /// The key as a checkpoint holds it.
    pub(super) fn encoded_key(&self) -> String {
        STANDARD.encode(self.key)
    }

    /// Reads a key out of a checkpoint; `None` where it is no 16 bytes in base64.
    pub(super) fn from_encoded(key: &str) -> Option<Self> {
        let bytes = STANDARD.decode(key).ok()?;
        Some(Self::new(bytes.try_into().ok()?))
    }

    /// One version of one record: its id, updated date and version text.
    pub(super) fn version(&self, id: &str, updated: DateTime<Utc>, version: &str) -> u64 {
        let mut hasher = self.hasher(Domain::Version);
        hasher.write_usize(id.len());
        hasher.write(id.as_bytes());
        hasher.write_i64(updated.timestamp_micros());
        hasher.write(version.as_bytes());
        hasher.finish()
    }

    /// One record, whatever its version.
    pub(super) fn record(&self, id: &str) -> u64 {
        let mut hasher = self.hasher(Domain::Record);
        hasher.write(id.as_bytes());
        hasher.finish()
    }

    /// The mark that an id was delivered as created.
    pub(super) fn created_mark(&self, id: &str) -> u64 {
        let mut hasher = self.hasher(Domain::CreatedMark);
        hasher.write(id.as_bytes());
        hasher.finish()
    }

    /// The mark that the deletion of an id was delivered, dated as the deletion.
    pub(super) fn deleted_mark(&self, id: &str) -> u64 {
        let mut hasher = self.hasher(Domain::DeletedMark);
        hasher.write(id.as_bytes());
        hasher.finish()
    }

    /// The mark that an id is back from its deletion at `deleted`.
    pub(super) fn restored_mark(&self, id: &str, deleted: DateTime<Utc>) -> u64 {
        let mut hasher = self.hasher(Domain::RestoredMark);
        hasher.write_i64(deleted.timestamp_micros());
        hasher.write(id.as_bytes());
        hasher.finish()
    }

    fn hasher(&self, domain: Domain) -> SipHasher24 {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write_u8(domain as u8);
        hasher
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(micros).unwrap()
    }

    #[test]
    fn a_fingerprint_is_the_same_in_every_process() {
        let fingerprints = Fingerprints::new([7; 16]);
        assert_eq!(
            fingerprints.version("a1", at(1_000_000), "3"),
            Fingerprints::from_encoded(&fingerprints.encoded_key())
                .unwrap()
                .version("a1", at(1_000_000), "3"),
        );
    }

    #[test]
    fn id_date_version_and_key_each_change_it() {
        let base = Fingerprints::new([7; 16]);
        let reference = base.version("a1", at(1), "3");
        assert_ne!(reference, base.version("a", at(1), "3"));
        assert_ne!(reference, base.version("a1", at(2), "3"));
        assert_ne!(reference, base.version("a1", at(1), "4"));
        assert_ne!(
            reference,
            Fingerprints::new([8; 16]).version("a1", at(1), "3")
        );
        assert_ne!(reference, base.created_mark("a1"));
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        assert!(Fingerprints::from_encoded("AAAA").is_none());
        assert!(Fingerprints::from_encoded("no base64!").is_none());
    }
}
