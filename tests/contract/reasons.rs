//! `docs/conditions.md` lists the reasons that there are.
//!
//! `UPDATE_GENERATED=1 cargo test --test contract` rewrites its table.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use pollen::api::reasons::ALL;

const BEGIN: &str = "<!-- generated: reasons -->\n";
const END: &str = "<!-- end -->\n";

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
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/conditions.md");
    let page = fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once(BEGIN).unwrap();
    let (stored, tail) = rest.split_once(END).unwrap();
    let table = table();
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&path, format!("{head}{BEGIN}{table}{END}{tail}")).unwrap();
        return;
    }
    assert_eq!(
        stored, table,
        "docs/conditions.md is stale: run UPDATE_GENERATED=1 cargo test --test contract"
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
