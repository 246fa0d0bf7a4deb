//! The rows, and for each table an index over those that it lists.

mod record;

use std::{
    collections::{BTreeSet, HashMap},
    ops::RangeBounds,
    sync::Arc,
};

pub(super) use record::Record;

/// `sys_updated_on` and `sys_id`, the order in which pollers ask for rows.
pub(super) type Key = (Arc<str>, Arc<str>);

#[derive(Debug, Default)]
pub(super) struct Store {
    records: HashMap<Arc<str>, Record>,
    /// By table; a row is in those of its class and of all that this one extends.
    indexes: HashMap<Arc<str>, BTreeSet<Key>>,
    created: u64,
}

impl Store {
    pub(super) fn get(&self, sys_id: &str) -> Option<&Record> {
        self.records.get(sys_id)
    }

    /// Puts a row in the place of the one with its id; `lineage` names the tables that list it.
    pub(super) fn put(&mut self, mut record: Record, lineage: &[Arc<str>], before: &[Arc<str>]) {
        match self.remove(record.sys_id(), before) {
            Some(replaced) => record.sequence = replaced.sequence,
            None => {
                self.created += 1;
                record.sequence = self.created;
            }
        }
        let key = record.key();
        for table in lineage {
            self.indexes
                .entry(table.clone())
                .or_default()
                .insert(key.clone());
        }
        self.records.insert(key.1, record);
    }

    pub(super) fn remove(&mut self, sys_id: &str, lineage: &[Arc<str>]) -> Option<Record> {
        let record = self.records.remove(sys_id)?;
        let key = record.key();
        for table in lineage {
            if let Some(index) = self.indexes.get_mut(table) {
                index.remove(&key);
            }
        }
        Some(record)
    }

    /// The keys of a table's rows, in order.
    pub(super) fn keys(
        &self,
        table: &str,
        range: impl RangeBounds<Key>,
    ) -> impl Iterator<Item = &Key> {
        self.indexes
            .get(table)
            .map(|index| index.range(range))
            .into_iter()
            .flatten()
    }
}
