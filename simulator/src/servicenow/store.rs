//! The rows, and for each table an index over those that it lists.

mod record;

use std::{
    collections::{BTreeMap, HashMap},
    ops::RangeBounds,
    sync::Arc,
};

pub(super) use record::Record;

/// `sys_updated_on` and `sys_id`, the order in which pollers ask for rows.
pub(super) type Key = (Arc<str>, Arc<str>);

#[derive(Debug, Default)]
pub(super) struct Store {
    records: HashMap<Arc<str>, Arc<Record>>,
    /// By table; a row is in those of its whole lineage.
    indexes: HashMap<Arc<str>, BTreeMap<Key, Arc<Record>>>,
    created: u64,
}

impl Store {
    pub(super) fn get(&self, sys_id: &str) -> Option<&Record> {
        self.records.get(sys_id).map(|record| &**record)
    }

    /// Adds a row, or replaces the one with its id.
    pub(super) fn put(&mut self, mut record: Record) {
        if let Some(replaced) = self.remove(record.sys_id()) {
            record.sequence = replaced.sequence;
        } else {
            self.created += 1;
            record.sequence = self.created;
        }
        let key = record.key();
        let record = Arc::new(record);
        for table in record.lineage() {
            let index = self.indexes.entry(table.clone()).or_default();
            index.insert(key.clone(), record.clone());
        }
        self.records.insert(key.1, record);
    }

    pub(super) fn remove(&mut self, sys_id: &str) -> Option<Arc<Record>> {
        let record = self.records.remove(sys_id)?;
        let key = record.key();
        for table in record.lineage() {
            if let Some(index) = self.indexes.get_mut(table) {
                index.remove(&key);
            }
        }
        Some(record)
    }

    /// A table's rows in the order of their keys.
    pub(super) fn rows(
        &self,
        table: &str,
        range: impl RangeBounds<Key>,
    ) -> impl Iterator<Item = &Record> {
        let rows = self.indexes.get(table).map(|index| index.range(range));
        rows.into_iter().flatten().map(|(_, record)| &**record)
    }
}
