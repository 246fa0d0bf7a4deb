//! A write whose transaction is still open.

use super::{Instance, store::Record};

/// A record that is dated already and that no listing shows yet; dropping it rolls the transaction back.
#[derive(Debug)]
#[must_use = "the record is never seen unless it is committed"]
pub struct Uncommitted {
    instance: Instance,
    record: Record,
}

impl Uncommitted {
    pub(super) const fn new(instance: Instance, record: Record) -> Self {
        Self { instance, record }
    }

    #[must_use]
    pub fn sys_id(&self) -> &str {
        self.record.sys_id()
    }

    /// Lets listings show the record from now on, with the date of its writing.
    pub fn commit(self) {
        self.instance.state().commit(self.record);
    }
}
