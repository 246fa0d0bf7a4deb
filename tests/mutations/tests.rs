//! The tests of a tree, run with one of its changes made, or none.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Command, Output},
};

/// Seconds after which tests that do not end count as failed: a change may let a poll go on for ever.
const PATIENCE: &str = "300";

/// What `timeout` exits with when it is over.
const TIMED_OUT: i32 = 124;

pub(crate) struct Tests {
    /// Where they run.
    pub(crate) folder: PathBuf,
    /// The file of each target's tests.
    pub(crate) files: BTreeMap<String, PathBuf>,
}

impl Tests {
    /// How the tests of `target` that `asked` selects fail while a change is made, if they do.
    pub(crate) fn failure(
        &self,
        target: &str,
        asked: &[&str],
        made: Option<usize>,
    ) -> Option<String> {
        let ended = Command::new("timeout")
            .arg(PATIENCE)
            .arg(&self.files[target])
            .args(asked)
            .env("UNSHRUNK", "1")
            .env(
                "MUTANT",
                made.map_or_else(String::new, |number| number.to_string()),
            )
            .current_dir(&self.folder)
            .output()
            .unwrap();
        match ended.status.code() {
            Some(0) => None,
            Some(TIMED_OUT) => Some("it does not end".to_owned()),
            _ => Some(reason(&ended)),
        }
    }
}

/// The invariant that a history violates, else the first test by name that failed.
fn reason(ended: &Output) -> String {
    let said = String::from_utf8_lossy(&ended.stdout) + String::from_utf8_lossy(&ended.stderr);
    let violated = said
        .lines()
        .find_map(|line| Some(line.split_once(" violates ")?.1));
    let failed = said.lines().filter_map(|line| {
        let (name, how) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
        (how == "FAILED").then(|| name.trim())
    });
    let told = violated.or_else(|| failed.min());
    told.unwrap_or("it aborts").to_owned()
}
