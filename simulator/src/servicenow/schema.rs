//! Tables that extend each other, and their columns.

mod builtin;

use std::{collections::HashMap, sync::Arc};

use indexmap::IndexMap;

pub(super) use builtin::DELETIONS;

/// The column that names a row's class; only tables that extend others or are extended have it.
pub(super) const CLASS: &str = "sys_class_name";

/// What every table has.
const SYSTEM_COLUMNS: [&str; 6] = [
    "sys_id",
    "sys_created_on",
    "sys_created_by",
    "sys_updated_on",
    "sys_updated_by",
    "sys_mod_count",
];

#[derive(Clone, Debug)]
pub(super) struct Table {
    /// Its name and those of the tables that it extends, the root last.
    lineage: Arc<[Arc<str>]>,
    /// Its own and those of the tables that it extends.
    columns: IndexMap<Arc<str>, Column>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Column {
    /// The table that a value is the id of.
    pub(super) references: Option<Arc<str>>,
}

#[derive(Clone, Debug)]
pub(super) struct Schema {
    tables: HashMap<Arc<str>, Table>,
}

impl Table {
    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.get(name)
    }

    /// A column, and where among all it stands.
    pub(super) fn place(&self, name: &str) -> Option<(usize, &Column)> {
        let (place, _, column) = self.columns.get_full(name)?;
        Some((place, column))
    }

    pub(super) fn width(&self) -> usize {
        self.columns.len()
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = (&str, &Column)> {
        self.columns.iter().map(|(name, column)| (&**name, column))
    }
}

impl Schema {
    /// The tables of a fresh instance.
    pub(super) fn new() -> Self {
        let mut schema = Self {
            tables: HashMap::new(),
        };
        for (name, extends, columns) in builtin::TABLES {
            schema.add_table(name, *extends);
            for column in *columns {
                let (column, references) = match column.split_once('>') {
                    Some((column, table)) => (column, Some(table.into())),
                    None => (*column, None),
                };
                schema.add_column(name, column, Column { references });
            }
        }
        schema
    }

    pub(super) fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(name)
    }

    /// Adds a table with the columns that all have and those of the one it extends.
    pub(super) fn add_table(&mut self, name: &str, extends: Option<&str>) {
        assert!(self.table(name).is_none(), "the table {name} exists");
        if let Some(parent) = extends {
            self.add_column(parent, CLASS, Column::default());
        }
        let parent = extends.and_then(|parent| self.table(parent));
        let inherited = parent.map_or(&[][..], |parent| &parent.lineage);
        let lineage = [name.into()].into_iter().chain(inherited.iter().cloned());
        let columns = match parent {
            Some(parent) => parent.columns.clone(),
            None => SYSTEM_COLUMNS
                .map(|column| (column.into(), Column::default()))
                .into(),
        };
        let table = Table {
            lineage: lineage.collect(),
            columns,
        };
        self.tables.insert(name.into(), table);
    }

    /// Adds a column to a table and all that extend it; one that is there stays as it is.
    pub(super) fn add_column(&mut self, table: &str, name: &str, column: Column) {
        assert!(self.table(table).is_some(), "there is no table {table}");
        for heir in self.heirs(table) {
            if let Some(heir) = self.tables.get_mut(&heir) {
                heir.columns
                    .entry(name.into())
                    .or_insert_with(|| column.clone());
            }
        }
    }

    /// The stored name of a column, so that rows share it.
    pub(super) fn column_name(&mut self, table: &str, name: &str) -> Arc<str> {
        let find = |schema: &Self| {
            let (name, _) = schema.table(table)?.columns.get_key_value(name)?;
            Some(name.clone())
        };
        find(self).unwrap_or_else(|| {
            self.add_column(table, name, Column::default());
            name.into()
        })
    }

    /// The tables that list a row of a class, the class first.
    pub(super) fn lineage(&self, class: &str) -> Arc<[Arc<str>]> {
        let table = self.table(class);
        assert!(table.is_some(), "there is no table {class}");
        table.map_or_else(Arc::default, |table| table.lineage.clone())
    }

    /// The table and those that extend it.
    pub(super) fn heirs(&self, table: &str) -> Vec<Arc<str>> {
        let extends = |it: &Table| it.lineage.iter().any(|name| **name == *table);
        let heirs = self.tables.iter().filter(|(_, it)| extends(it));
        heirs.map(|(name, _)| name.clone()).collect()
    }
}

#[cfg(test)]
mod tests;
