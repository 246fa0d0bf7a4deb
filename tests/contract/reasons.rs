//! `docs/conditions.md` lists the reasons that there are.
//!
//! `UPDATE_GENERATED=1 cargo test --test contract` rewrites its table.

use std::{collections::BTreeSet, fmt::Write as _, path::Path};

use pollen::api::reasons::ALL;

use crate::page;

fn table() -> String {
    let mut table = String::from("| reason | means | what to do |\n|---|---|---|\n");
    for explained in ALL {
        let meaning = explained.meaning.trim().trim_end_matches('.');
        let (reason, next) = (explained.reason, explained.next.replace('|', "\\|"));
        writeln!(table, "| `{reason}` | {meaning} | {next} |").unwrap();
    }
    table
}

#[test]
fn the_documented_reasons_are_those_that_there_are() {
    page::assert_current(
        "docs/conditions.md",
        "reasons",
        &table(),
        "cargo test --test contract",
    );
}

#[test]
fn each_reason_is_one_word_that_no_other_is() {
    let words: BTreeSet<_> = ALL.iter().map(|told| told.reason.as_str()).collect();
    assert_eq!(words.len(), ALL.len());
    for word in words {
        assert!(word.chars().all(char::is_alphanumeric), "{word}");
    }
}

#[test]
fn what_to_do_names_pages_that_exist() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    for explained in ALL {
        for link in explained.next.split("](").skip(1) {
            let (page, _) = link.split_once(')').unwrap();
            assert!(docs.join(page).exists(), "{page}");
        }
    }
}
