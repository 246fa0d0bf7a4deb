//! Which tests must catch a change.

use crate::{Change, tests::Tests};

/// Tests of one target.
struct Catcher {
    name: &'static str,
    /// As cargo calls it.
    target: &'static str,
    /// What the names of its tests begin with.
    tests: &'static str,
}

/// In the order in which they are asked of a change that its own test misses.
const CATCHERS: &[Catcher] = &[
    Catcher {
        name: "engine",
        target: "pollen",
        tests: "poll::",
    },
    Catcher {
        name: "histories",
        target: "histories",
        tests: "no_history_of_changes_and_faults_violates_an_invariant",
    },
    Catcher {
        name: "scenarios",
        target: "scenarios",
        tests: "in_memory::",
    },
];

impl Catcher {
    /// Which of its tests fails while the change with this number is made, or none is: of all, or of
    /// one alone.
    fn failure(&self, tests: &Tests, alone: Option<&str>, number: Option<usize>) -> Option<String> {
        let asked = match alone {
            Some(test) => tests.failure(self.target, &[test, "--exact"], number),
            None => tests.failure(self.target, &[self.tests], number),
        };
        asked.map(|failure| format!("{}: {failure}", self.name))
    }
}

/// Which test fails while the change with this number is made: the one that the change names, else
/// any.
pub(crate) fn first(tests: &Tests, number: usize, change: &Change) -> Option<String> {
    let (name, test) = change.asked();
    let Some(catcher) = CATCHERS.iter().find(|catcher| catcher.name == name) else {
        panic!("{:?} asks {name:?}, which is no catcher", change.name);
    };
    let caught = catcher.failure(tests, test, Some(number));
    if caught.is_none() {
        println!("{}: not caught by {}", change.name, change.ask);
    }
    caught.or_else(|| any(tests, Some(number)))
}

/// Which of all tests fails first while the change with this number is made, or none is.
pub(crate) fn any(tests: &Tests, number: Option<usize>) -> Option<String> {
    let mut failures = CATCHERS
        .iter()
        .map(|catcher| catcher.failure(tests, None, number));
    failures.find_map(|failure| failure)
}
