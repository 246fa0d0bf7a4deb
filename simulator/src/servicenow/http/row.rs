//! A row in JSON.

use chrono::TimeDelta;
use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::parameters::{Display, Parameters};
use crate::servicenow::{
    dates,
    schema::{Column, Table},
    state::State,
    store::{Record, Store},
};

const ID: &str = "sys_id";

/// What rows are shown of and how.
pub(super) struct View<'a> {
    table: &'a Table,
    store: &'a Store,
    /// The columns that were asked for; all if none were.
    fields: Option<Vec<(&'a str, &'a Column)>>,
    display: Display,
    links: bool,
    tables_url: &'a str,
    numeric_ids: bool,
    /// How far the user's zone lies east of Greenwich.
    zone: TimeDelta,
}

impl<'a> View<'a> {
    pub(super) fn new(
        state: &'a State,
        table: &'a Table,
        parameters: &Parameters<'a>,
        tables_url: &'a str,
    ) -> Self {
        let known = |name: &&'a str| Some((*name, table.column(name)?));
        let fields = parameters.fields.as_ref();
        Self {
            table,
            store: &state.store,
            fields: fields.map(|names| names.iter().filter_map(known).collect()),
            display: parameters.display,
            links: !parameters.exclude_reference_link,
            tables_url,
            numeric_ids: state.settings.numeric_ids,
            zone: TimeDelta::seconds(state.settings.literal_offset_seconds),
        }
    }

    pub(super) fn json(&self, record: &Record) -> Vec<u8> {
        let row = Row { record, view: self };
        // Texts in a map always have a form in JSON.
        serde_json::to_vec(&row).unwrap_or_default()
    }

    fn display(&self, column: &Column, value: &'a str) -> String {
        if column.references.is_some() {
            let referenced = self.store.get(value);
            return referenced.map_or(value, Record::display).to_owned();
        }
        dates::shifted(value, self.zone).unwrap_or_else(|| value.to_owned())
    }
}

struct Row<'r> {
    record: &'r Record,
    view: &'r View<'r>,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let view = self.view;
        let mut write = |name: &str, column, value| {
            if self.record.withheld.iter().any(|field| **field == *name) {
                return Ok(());
            }
            let value = Value {
                value,
                column,
                view,
            };
            match value.as_number().filter(|_| name == ID) {
                Some(number) => map.serialize_entry(name, &number),
                None => map.serialize_entry(name, &value),
            }
        };
        if let Some(fields) = &view.fields {
            for (name, column) in fields {
                write(name, column, self.record.get(name))?;
            }
        } else {
            self.each(write)?;
        }
        map.end()
    }
}

impl Row<'_> {
    /// Visits the record's own fields in their order, then those that were never set.
    fn each<'s, E>(
        &'s self,
        mut visit: impl FnMut(&'s str, &'s Column, &'s str) -> Result<(), E>,
    ) -> Result<(), E> {
        let table = self.view.table;
        let mut set = vec![false; table.width()];
        for (name, value) in self.record.fields() {
            let Some((place, column)) = table.place(name) else {
                continue;
            };
            if let Some(set) = set.get_mut(place) {
                *set = true;
            }
            visit(name, column, value)?;
        }
        let mut unset = table.columns().zip(set).filter(|(_, set)| !set);
        unset.try_for_each(|((name, column), _)| visit(name, column, ""))
    }
}

struct Value<'r> {
    value: &'r str,
    column: &'r Column,
    view: &'r View<'r>,
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let view = self.view;
        let link = self.link();
        if link.is_none() && view.display == Display::Stored {
            return serializer.serialize_str(self.value);
        }
        let display = || view.display(self.column, self.value);
        if link.is_none() && view.display == Display::Shown {
            return serializer.serialize_str(&display());
        }
        let mut map = serializer.serialize_map(None)?;
        if view.display != Display::Stored {
            map.serialize_entry("display_value", &display())?;
        }
        if let Some(link) = link {
            map.serialize_entry("link", &link)?;
        }
        if view.display != Display::Shown {
            map.serialize_entry("value", self.value)?;
        }
        map.end()
    }
}

impl Value<'_> {
    fn as_number(&self) -> Option<u64> {
        let numeric = self.view.numeric_ids;
        numeric.then(|| self.value.parse().ok()).flatten()
    }

    /// Where the record is that a reference names.
    fn link(&self) -> Option<String> {
        let table = self.column.references.as_ref()?;
        let shown = self.view.links && !self.value.is_empty();
        shown.then(|| format!("{}/{table}/{}", self.view.tables_url, self.value))
    }
}
