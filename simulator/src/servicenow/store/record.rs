//! One row, whichever of its tables lists it.

use std::sync::Arc;

/// A row of the table that its class names, and of all tables that this one extends.
#[derive(Clone, Debug)]
pub(in crate::servicenow) struct Record {
    sys_id: Arc<str>,
    lineage: Arc<[Arc<str>]>,
    pub(super) sequence: u64,
    /// Whether access rules withhold it.
    pub(in crate::servicenow) hidden: bool,
    /// The fields of it that they withhold.
    pub(in crate::servicenow) withheld: Vec<Box<str>>,
    /// Those that were ever set, in that order.
    fields: Vec<(Arc<str>, Box<str>)>,
}

impl Record {
    pub(in crate::servicenow) const fn new(sys_id: Arc<str>, lineage: Arc<[Arc<str>]>) -> Self {
        Self {
            sys_id,
            lineage,
            sequence: 0,
            hidden: false,
            withheld: Vec::new(),
            fields: Vec::new(),
        }
    }

    pub(in crate::servicenow) fn sys_id(&self) -> &str {
        &self.sys_id
    }

    pub(in crate::servicenow) fn class(&self) -> &str {
        self.lineage.first().map_or("", |class| class)
    }

    /// Its class and what this one extends: the tables that list it.
    pub(in crate::servicenow) fn lineage(&self) -> &[Arc<str>] {
        &self.lineage
    }

    pub(in crate::servicenow) fn set_lineage(&mut self, lineage: Arc<[Arc<str>]>) {
        self.lineage = lineage;
    }

    /// Its place in the order of creation.
    pub(in crate::servicenow) const fn sequence(&self) -> u64 {
        self.sequence
    }

    pub(in crate::servicenow) fn updated(&self) -> &str {
        self.get("sys_updated_on")
    }

    /// The value of a field, empty if it was never set.
    pub(in crate::servicenow) fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    fn find(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find_map(|(field, value)| (&**field == name).then_some(&**value))
    }

    pub(in crate::servicenow) fn set(&mut self, name: Arc<str>, value: &str) {
        match self.fields.iter_mut().find(|(field, _)| *field == name) {
            Some((_, present)) => *present = value.into(),
            None => self.fields.push((name, value.into())),
        }
    }

    pub(in crate::servicenow) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (&**name, &**value))
    }

    /// How a reference to it is shown.
    pub(in crate::servicenow) fn display(&self) -> &str {
        ["name", "number", "display_name", "short_description"]
            .iter()
            .find_map(|field| self.find(field).filter(|value| !value.is_empty()))
            .unwrap_or(&self.sys_id)
    }

    pub(super) fn key(&self) -> super::Key {
        (self.updated().into(), self.sys_id.clone())
    }
}
