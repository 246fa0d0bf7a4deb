//! What is said of a file that is no scenario.

use std::{fs, path::Path};

use libtest_mimic::{Failed, Trial};

use super::Scenario;

/// A file, and what its error must say.
const WRONG: [(&str, &str, &[&str]); 6] = [
    (
        "a_step_that_is_not_known_is_named_with_its_line",
        "title: t\nsteps:\n  - create: a\n  - pol: {events: []}\n",
        &["pol", "line 4"],
    ),
    (
        "a_field_that_is_not_known_is_named_with_its_line",
        "title: t\nsteps:\n  - poll: {events: [], page: {2: html}}\n",
        &["`page`", "line 3"],
    ),
    (
        "an_event_that_cannot_be_read_is_named_with_how_to_write_one",
        "title: t\nsteps:\n  - poll:\n      events: [make a]\n",
        &["\"make a\" is no event: write created", "line 4"],
    ),
    (
        "a_range_whose_ends_do_not_match_is_named_with_how_to_write_one",
        "title: t\nsteps:\n  - create: r01..s30\n",
        &["\"r01..s30\" is no range of records", "r01..r30", "line 3"],
    ),
    (
        "a_poll_within_a_poll_is_named_with_its_line",
        "title: t\nsteps:\n  - poll:\n      events: []\n      during:\n        - beforePage: 1\n          steps:\n            \
         - poll: {events: []}\n",
        &[":8:", "within a poll no other can begin"],
    ),
    (
        "a_connector_that_the_binary_does_not_have_must_be_played_in_memory_only",
        "title: t\nconnector: {name: other}\nsteps: []\n",
        &["connector:", "inMemoryOnly"],
    ),
];

pub(crate) fn trials() -> impl Iterator<Item = Trial> {
    WRONG.into_iter().map(|(name, text, said)| {
        let test = move || complains(text, said).map_err(Failed::from);
        Trial::test(format!("format::{name}"), test)
    })
}

fn complains(text: &str, said: &[&str]) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wrong.yaml");
    fs::write(&path, text).unwrap();
    let Err(error) = Scenario::read(Path::new(&path)) else {
        return Err("it was read".to_owned());
    };
    let missing = |text: &&&str| !error.contains(**text);
    match said.iter().chain([&"wrong.yaml"]).find(missing) {
        Some(text) => Err(format!("{text} is not in: {error}")),
        None => Ok(()),
    }
}
