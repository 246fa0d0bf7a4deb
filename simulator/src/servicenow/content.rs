//! What users of the instance do to its records.

use indexmap::IndexMap;

use super::{Instance, Uncommitted};

impl Instance {
    /// Creates a record and returns its `sys_id`.
    ///
    /// The system's fields are filled in as an instance does unless they are given; a field that the table lacks
    /// becomes a column of it.
    ///
    /// # Panics
    ///
    /// There is no such table, or the given `sys_id` is taken.
    pub fn create(&self, table: &str, fields: &[(&str, &str)]) -> String {
        let mut state = self.state();
        let record = state.draft(table, fields);
        let sys_id = record.sys_id().to_owned();
        state.commit(record);
        sys_id
    }

    /// Changes a record; what is given wins over the dates and the count that every change sets.
    ///
    /// # Panics
    ///
    /// There is no such record.
    pub fn update(&self, sys_id: &str, fields: &[(&str, &str)]) {
        let mut state = self.state();
        let record = state.revise(sys_id, fields);
        state.commit(record);
    }

    /// Deletes a record, of which a row in `sys_audit_delete` remains.
    ///
    /// # Panics
    ///
    /// There is no such record.
    pub fn delete(&self, sys_id: &str) {
        self.state().delete(sys_id);
    }

    /// Brings a deleted record back as it was, its dates included; the row of its deletion remains.
    ///
    /// # Panics
    ///
    /// No such record was deleted.
    pub fn restore(&self, sys_id: &str) {
        self.state().restore(sys_id);
    }

    /// Creates a record, or changes the one whose `sys_id` is given, in a transaction that is still open: it is
    /// dated now and seen when it is committed.
    ///
    /// # Panics
    ///
    /// There is no such table.
    pub fn write_uncommitted(&self, table: &str, fields: &[(&str, &str)]) -> Uncommitted {
        let mut state = self.state();
        let changed = fields
            .iter()
            .find(|(name, sys_id)| *name == "sys_id" && state.store.get(sys_id).is_some());
        let record = match changed {
            Some((_, sys_id)) => state.revise(sys_id, fields),
            None => state.draft(table, fields),
        };
        Uncommitted::new(self.clone(), record)
    }

    /// Withholds a record by an access rule, which is applied to a page after its limit.
    ///
    /// # Panics
    ///
    /// There is no such record.
    pub fn hide(&self, sys_id: &str) {
        self.state().withhold(sys_id, true);
    }

    /// Withholds a field of a record by an access rule: its rows lack it.
    ///
    /// # Panics
    ///
    /// There is no such record.
    pub fn hide_field(&self, sys_id: &str, field: &str) {
        self.state().withhold_field(sys_id, field);
    }

    /// Ends what [`hide`](Self::hide) did.
    ///
    /// # Panics
    ///
    /// There is no such record.
    pub fn show(&self, sys_id: &str) {
        self.state().withhold(sys_id, false);
    }

    /// A record as the Table API shows it in the table of its class, without links.
    #[must_use]
    pub fn record(&self, sys_id: &str) -> Option<IndexMap<String, String>> {
        let state = self.state();
        let record = state.store.get(sys_id)?;
        let table = state.schema.table(record.class())?;
        let set = record.fields();
        let unset = table.columns().map(|(name, _)| (name, record.get(name)));
        Some(
            set.chain(unset)
                .filter(|(name, _)| table.column(name).is_some())
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests;
