//! Single changes that break the engine, each of which the histories or a scenario must catch
//! (`make mutants`, `docs/mutations.md`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod tree;

use std::{fmt::Write as _, fs, path::Path};

use serde::Deserialize;

use tree::Tree;

/// Test targets that must catch a change, in the order in which they are asked.
const CATCHERS: &[&str] = &["histories", "scenarios"];

const TABLE: &str = "docs/mutations.md";

/// One change.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    name: String,
    why: String,
    file: String,
    find: String,
    replace: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn changes() -> Vec<Change> {
    let text = fs::read_to_string(root().join("tests/mutations/changes.yaml")).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

#[test]
fn every_change_still_finds_its_place() {
    let changes = changes();
    let mut lost = Vec::new();
    for change in &changes {
        let source = fs::read_to_string(root().join(&change.file)).unwrap_or_default();
        let found = source.matches(&change.find).count();
        if found != 1 {
            lost.push(format!(
                "{:?}: {found} times in {}",
                change.name, change.file
            ));
        }
        assert_ne!(change.find, change.replace, "{:?}", change.name);
    }
    assert!(changes.len() >= 25);
    assert!(
        lost.is_empty(),
        "mend `find` in tests/mutations/changes.yaml, so that it occurs once:\n{}",
        lost.join("\n")
    );
}

/// Applies one change after another to a copy of the tree and writes the table. `ONLY` names the
/// changes that contain its text; then no table is written.
#[test]
#[ignore = "it builds the engine for each change: make mutants"]
fn every_change_is_caught() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let tree = Tree::copy(root());
    assert_eq!(
        tree.catcher(CATCHERS),
        None,
        "something fails without a change"
    );
    let mut table = String::new();
    let mut missed = Vec::new();
    for change in changes()
        .iter()
        .filter(|change| change.name.contains(&only))
    {
        let caught = tree.with(change, |tree| tree.catcher(CATCHERS));
        println!("{}: {}", change.name, caught.as_deref().unwrap_or("MISSED"));
        let catcher = caught.as_deref().unwrap_or("**missed**");
        writeln!(table, "| {} | {} | {catcher} |", change.name, change.why).unwrap();
        if caught.is_none() {
            missed.push(change.name.clone());
        }
    }
    if only.is_empty() {
        fs::write(root().join(TABLE), page(&table)).unwrap();
    }
    assert!(missed.is_empty(), "nothing catches {missed:?}");
}

fn page(table: &str) -> String {
    format!(
        "# What the tests catch\n\n`make mutants` makes each of these changes in a copy of the sources, runs the random\n\
         histories ([histories.md](histories.md)), then the scenarios ([scenarios.md](scenarios.md)), and writes\n\
         this page; nothing in it is written by hand. The changes are data: `tests/mutations/changes.yaml`.\n\n\
         | change | what it would cost | caught by |\n|---|---|---|\n{table}"
    )
}
