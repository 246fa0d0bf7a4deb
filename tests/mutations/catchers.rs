//! Which tests must catch a change.

use crate::tree::Tree;

/// Tests of one target.
pub(crate) struct Catcher {
    pub(crate) name: &'static str,
    /// Arguments that name the target to cargo.
    pub(crate) target: &'static [&'static str],
    /// Arguments that name the tests to the target.
    pub(crate) tests: &'static [&'static str],
}

/// In the order in which they are asked.
const CATCHERS: &[Catcher] = &[
    Catcher {
        name: "histories",
        target: &["--test", "histories"],
        tests: &["no_history_of_changes_and_faults_violates_an_invariant"],
    },
    Catcher {
        name: "engine",
        target: &["--lib"],
        tests: &["poll::"],
    },
    Catcher {
        name: "scenarios",
        target: &["--test", "scenarios"],
        tests: &["in_memory::"],
    },
];

/// Which of the catchers fails first, and of what; those named `asked` are asked before the others.
///
/// # Errors
///
/// What the compiler says of sources that don't build.
pub(crate) fn first(tree: &Tree, asked: Option<&str>) -> Result<Option<String>, String> {
    let is_asked = |catcher: &&Catcher| Some(catcher.name) == asked;
    let others = CATCHERS.iter().filter(|catcher| !is_asked(catcher));
    for catcher in CATCHERS.iter().filter(is_asked).chain(others) {
        if let Some(failure) = tree.failure(catcher)? {
            return Ok(Some(format!("{}: {failure}", catcher.name)));
        }
    }
    Ok(None)
}
