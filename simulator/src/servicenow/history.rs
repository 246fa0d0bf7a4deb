//! What the instance has shown: the truth that a ledger of events is held against.

use super::{Instance, store::Record};

/// A committed state of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The record's class.
    pub table: String,
    pub sys_id: String,
    pub mod_count: u64,
    /// Its `sys_updated_on`; of a deletion the one it was deleted with.
    pub updated: String,
    pub deleted: bool,
}

impl Version {
    pub(super) fn of(record: &Record) -> Self {
        Self {
            table: record.class().to_owned(),
            sys_id: record.sys_id().to_owned(),
            mod_count: record.get("sys_mod_count").parse().unwrap_or_default(),
            updated: record.updated().to_owned(),
            deleted: false,
        }
    }
}

impl Instance {
    /// Every state that a listing could show, in the order in which they became visible; without the rows of
    /// `sys_audit_delete`.
    #[must_use]
    pub fn history(&self) -> Vec<Version> {
        self.state().history.clone()
    }
}
