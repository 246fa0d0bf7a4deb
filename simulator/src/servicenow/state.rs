//! Everything that an instance holds, and how its records change.

use std::sync::Arc;

use super::{
    Settings, Version,
    clock::Clock,
    dates,
    faults::Faults,
    oauth::Tokens,
    schema::{CLASS, DELETIONS, Schema},
    store::{Record, Store},
    traffic::Traffic,
};

/// Who does everything.
const AUTHOR: &str = "admin";

#[derive(Debug)]
pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) clock: Clock,
    pub(super) schema: Schema,
    pub(super) store: Store,
    /// Deleted records as they were, the last under an id last.
    deleted: Vec<Record>,
    pub(super) history: Vec<Version>,
    pub(super) traffic: Traffic,
    pub(super) faults: Faults,
    pub(super) tokens: Tokens,
}

impl State {
    pub(super) fn new(world: crate::Clock) -> Self {
        Self {
            settings: Settings::default(),
            clock: Clock::new(world),
            schema: Schema::new(),
            store: Store::default(),
            deleted: Vec::new(),
            history: Vec::new(),
            traffic: Traffic::default(),
            faults: Faults::default(),
            tokens: Tokens::default(),
        }
    }

    /// A new record, not in the store yet.
    pub(super) fn draft(&mut self, table: &str, fields: &[(&str, &str)]) -> Record {
        let given = |name| {
            let field = fields.iter().find(|(field, _)| *field == name);
            field.map(|(_, value)| *value)
        };
        let sys_id = given("sys_id").map_or_else(random_id, str::to_owned);
        assert!(
            self.store.get(&sys_id).is_none(),
            "the record {sys_id} exists"
        );
        let class = given(CLASS).unwrap_or(table);
        let now = dates::print(self.clock.now());
        // What nobody has changed yet was changed last when it was created.
        let created = given("sys_created_on").or(given("sys_updated_on"));
        let created = created.unwrap_or(&now);
        let defaults = [
            ("sys_id", sys_id.as_str()),
            (CLASS, class),
            ("sys_created_on", created),
            ("sys_created_by", AUTHOR),
            ("sys_updated_on", given("sys_updated_on").unwrap_or(created)),
            ("sys_updated_by", AUTHOR),
            ("sys_mod_count", "0"),
        ];
        let mut record = Record::new(sys_id.as_str().into(), self.schema.lineage(class));
        self.fill(&mut record, fields);
        let unset = defaults.iter().filter(|(name, _)| given(name).is_none());
        self.fill(&mut record, unset);
        record
    }

    /// A changed copy of a record, not in the store yet.
    pub(super) fn revise(&mut self, sys_id: &str, fields: &[(&str, &str)]) -> Record {
        let mut record = self.present(sys_id).clone();
        let count = record.get("sys_mod_count").parse().unwrap_or(0_u64) + 1;
        let (count, now) = (count.to_string(), dates::print(self.clock.now()));
        let defaults = [
            ("sys_mod_count", count.as_str()),
            ("sys_updated_on", &now),
            ("sys_updated_by", AUTHOR),
        ];
        self.fill(&mut record, &defaults);
        self.fill(&mut record, fields);
        record
    }

    /// Lets listings show a record as it is now.
    pub(super) fn commit(&mut self, record: Record) {
        self.history.push(Version::of(&record));
        self.store.put(record);
    }

    pub(super) fn delete(&mut self, sys_id: &str) {
        let record = self.present(sys_id).clone();
        self.store.remove(sys_id);
        self.history.push(Version {
            deleted: true,
            ..Version::of(&record)
        });
        let trace = [
            ("tablename", record.class()),
            ("documentkey", sys_id),
            ("display_value", record.display()),
            ("payload", &payload(&record)),
        ];
        let trace = self.draft(DELETIONS, &trace);
        self.store.put(trace);
        self.deleted.push(record);
    }

    #[expect(clippy::panic, reason = "the caller of the simulator is in error")]
    pub(super) fn restore(&mut self, sys_id: &str) {
        let mut deleted = self.deleted.iter();
        match deleted.rfind(|record| record.sys_id() == sys_id).cloned() {
            Some(record) => self.commit(record),
            None => panic!("no record {sys_id} was deleted"),
        }
    }

    pub(super) fn withhold(&mut self, sys_id: &str, hidden: bool) {
        let mut record = self.present(sys_id).clone();
        record.hidden = hidden;
        self.store.put(record);
    }

    pub(super) fn withhold_field(&mut self, sys_id: &str, field: &str) {
        let mut record = self.present(sys_id).clone();
        record.withheld.push(field.into());
        self.store.put(record);
    }

    /// Sets fields; those that the record's table lacks become columns of it.
    fn fill<'a>(
        &mut self,
        record: &mut Record,
        fields: impl IntoIterator<Item = &'a (&'a str, &'a str)>,
    ) {
        for (name, value) in fields {
            if *name == CLASS {
                record.set_lineage(self.schema.lineage(value));
            }
            let name = self.column(record.class(), name);
            record.set(name, value);
        }
    }

    /// The name of a column as rows share it.
    fn column(&mut self, table: &str, name: &str) -> Arc<str> {
        // The class is no column of a table that stands alone; a row knows it nevertheless.
        if name == CLASS {
            return CLASS.into();
        }
        self.schema.column_name(table, name)
    }

    #[expect(clippy::panic, reason = "the caller of the simulator is in error")]
    fn present(&self, sys_id: &str) -> &Record {
        match self.store.get(sys_id) {
            Some(record) => record,
            None => panic!("there is no record {sys_id}"),
        }
    }
}

fn random_id() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// A deleted record as `sys_audit_delete` keeps it.
fn payload(record: &Record) -> String {
    let class = record.class();
    let fields = record.fields().map(|(name, value)| {
        let value = value
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        format!("<{name}>{value}</{name}>")
    });
    let fields: String = fields.collect();
    format!(r#"<?xml version="1.0" encoding="UTF-8"?><{class}>{fields}</{class}>"#)
}
