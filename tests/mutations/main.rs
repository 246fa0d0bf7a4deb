//! Single changes that break the engine, each of which a test must catch (`make mutants`,
//! `docs/mutations.md`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod catchers;
mod page;
mod switch;
mod tests;
mod tree;

use std::{fs, path::Path, time::Instant};

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
    /// The test that is asked first.
    ask: String,
}

impl Change {
    /// Which catcher is asked first, and for which test; without one for all of them.
    pub(crate) fn asked(&self) -> (&str, Option<&str>) {
        match self.ask.split_once(' ') {
            Some((catcher, test)) => (catcher, Some(test)),
            None => (&self.ask, None),
        }
    }
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
    assert!(changes.len() >= 50);
    for change in &changes {
        let others = changes.iter().enumerate();
        let here: Vec<_> = others
            .filter(|(_, other)| other.file == change.file)
            .collect();
        let source = fs::read_to_string(root().join(&change.file)).unwrap();
        if let Err(error) = switch::switched(&source, &here) {
            panic!(
                "{}: {error}: mend tests/mutations/changes.yaml",
                change.file
            );
        }
        assert_ne!(change.find, change.replace, "{:?}", change.name);
    }
}

#[test]
fn the_page_tells_of_every_change_what_catches_it() {
    let (page, changes) = (Page::read(), changes());
    let names: Vec<_> = changes.iter().map(|change| change.name.as_str()).collect();
    for (name, caught) in page.rows() {
        assert!(names.contains(&name), "{name:?} is no change");
        assert!(caught.is_some(), "nothing catches {name:?}");
    }
    for name in names {
        let is_told = page.rows().any(|(told, _)| told == name);
        assert!(is_told, "run make mutants ONLY={name:?}");
    }
}

/// Builds a copy of the tree with all changes, makes one after another, and writes the page after
/// each. `ONLY` names the changes that contain its text; `RESUME` leaves out those that the page tells
/// to be caught.
#[test]
#[ignore = "it builds the engine once more and asks its tests for each change: make mutants"]
fn every_change_is_caught() {
    let begun = Instant::now();
    let is_resumed = std::env::var("RESUME").is_ok_and(|text| !text.is_empty());
    let only = std::env::var("ONLY").unwrap_or_default();
    let (changes, mut page) = (changes(), Page::read());
    let tests = Tree::copy(root(), &changes).build();
    let built = begun.elapsed().as_secs();
    let failure = catchers::any(&tests, None);
    assert_eq!(failure, None, "something fails without a change");
    let (mut asked, mut missed) = (0, Vec::new());
    for (number, change) in changes.iter().enumerate() {
        let is_done = is_resumed && page.is_caught(change);
        if is_done || !change.name.contains(&only) {
            continue;
        }
        asked += 1;
        let caught = catchers::first(&tests, number, change);
        println!("{}: {}", change.name, caught.as_deref().unwrap_or("MISSED"));
        if caught.is_none() {
            missed.push(&change.name);
        }
        page.enter(change, caught, &changes);
    }
    println!(
        "{asked} of {} changes asked, {} caught, in {} s, of which {built} s for the build",
        changes.len(),
        asked - missed.len(),
        begun.elapsed().as_secs(),
    );
    assert!(missed.is_empty(), "nothing catches {missed:?}");
}
