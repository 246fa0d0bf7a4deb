//! Single changes that break the engine, each of which a test must catch (`make mutants`,
//! `docs/mutations.md`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod catchers;
mod page;
mod tree;

use std::{fs, path::Path};

use serde::Deserialize;

use page::Page;
use tree::Tree;

/// One change.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    name: String,
    why: String,
    file: String,
    find: String,
    replace: String,
    /// The tests that are asked first, where not the histories.
    ask: Option<String>,
}

pub(crate) fn root() -> &'static Path {
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

#[test]
fn no_change_on_the_page_is_unknown_or_caught_by_nothing() {
    let (page, changes) = (Page::read(), changes());
    assert!(page.rows().count() > 20);
    for (name, caught) in page.rows() {
        assert!(
            changes.iter().any(|change| change.name == name),
            "{name:?} is no change"
        );
        assert!(caught.is_some(), "nothing catches {name:?}");
    }
}

/// Applies one change after another to a copy of the tree and writes the page after each. `ONLY`
/// names the changes that contain its text; `RESUME` leaves out those that the page tells to be
/// caught.
#[test]
#[ignore = "it builds the engine for each change: make mutants"]
fn every_change_is_caught() {
    let is_set = |name| std::env::var(name).is_ok_and(|text: String| !text.is_empty());
    let only = std::env::var("ONLY").unwrap_or_default();
    let tree = Tree::copy(root());
    assert_eq!(
        catchers::first(&tree, None),
        Ok(None),
        "something fails without a change"
    );
    let (changes, mut page) = (changes(), Page::read());
    let mut missed = Vec::new();
    for change in &changes {
        let is_done = is_set("RESUME") && page.is_caught(change);
        if is_done || !change.name.contains(&only) {
            continue;
        }
        let asked = change.ask.as_deref();
        let caught = tree.with(change, |tree| catchers::first(tree, asked));
        let caught = caught.unwrap_or_else(|error| {
            println!("{} does not build:\n{error}", change.name);
            None
        });
        println!("{}: {}", change.name, caught.as_deref().unwrap_or("MISSED"));
        if caught.is_none() {
            missed.push(&change.name);
        }
        page.enter(change, caught, &changes);
    }
    assert!(missed.is_empty(), "nothing catches {missed:?}");
}
