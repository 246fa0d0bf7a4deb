//! The page that tells what catches each change.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf};

use crate::{Change, root};

const HEAD: &str = "\
# What the tests catch

`make mutants` builds a copy of the sources in which each of these changes stands beside what it replaces,
and makes one after the other while the tests run: the one that the change names, and if that passes all
of the engine's own (`src/poll`), the random histories ([histories.md](histories.md)) and the scenarios in
memory ([scenarios.md](scenarios.md)), until one fails. It writes this page; nothing in it is written by
hand. The changes are data, `tests/mutations/changes.yaml`: a new one is asked by `make mutants ONLY=name`,
those that nothing caught are asked again by `make mutants RESUME=1`.

| change | what it would cost | caught by |
|---|---|---|
";

/// What stands where nothing catches a change.
const MISSED: &str = "**nothing**";

/// By the name of the change, what catches it; `None` where nothing does.
#[derive(Default)]
pub(crate) struct Page(BTreeMap<String, Option<String>>);

impl Page {
    pub(crate) fn read() -> Self {
        let text = fs::read_to_string(file()).unwrap_or_default();
        Self(text.lines().filter_map(row).collect())
    }

    /// The names of its rows, each with what catches the change.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let rows = self.0.iter();
        rows.map(|(name, caught)| (name.as_str(), caught.as_deref()))
    }

    pub(crate) fn is_caught(&self, change: &Change) -> bool {
        matches!(self.0.get(&change.name), Some(Some(_)))
    }

    /// Enters a change, and writes the page with the rows of `changes` that are known.
    pub(crate) fn enter(&mut self, change: &Change, caught: Option<String>, changes: &[Change]) {
        self.0.insert(change.name.clone(), caught);
        let mut page = HEAD.to_owned();
        for Change { name, why, .. } in changes {
            if let Some(caught) = self.0.get(name) {
                let caught = caught.as_deref().unwrap_or(MISSED);
                writeln!(page, "| {name} | {why} | {caught} |").unwrap();
            }
        }
        fs::write(file(), page).unwrap();
    }
}

fn file() -> PathBuf {
    root().join("docs/mutations.md")
}

fn row(line: &str) -> Option<(String, Option<String>)> {
    let cells: Vec<_> = line.split('|').map(str::trim).collect();
    let [_, name, _, caught, _] = cells[..] else {
        return None;
    };
    let is_head = name == "change" || name.starts_with("---");
    (!is_head).then(|| {
        (
            name.to_owned(),
            (caught != MISSED).then(|| caught.to_owned()),
        )
    })
}
