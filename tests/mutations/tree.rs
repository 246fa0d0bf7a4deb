//! A copy of the sources that holds every change beside what it replaces.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use serde_json::Value;

use crate::{
    Change,
    switch::{ROOT, switched},
    tests::Tests,
};

pub(crate) struct Tree {
    folder: PathBuf,
    /// The target folder of the real tree: what both depend on is built once.
    target: PathBuf,
    /// The root of the real sources, from which the next build there begins.
    sources: PathBuf,
}

impl Tree {
    /// Copies what git knows of, as it is now, with `changes`. What an earlier run built there is used
    /// again.
    pub(crate) fn copy(root: &Path, changes: &[Change]) -> Self {
        let folder = root.join("target/mutants/tree");
        let listed = Command::new("git")
            .args(["ls-files"])
            .current_dir(root)
            .output();
        for name in String::from_utf8(listed.unwrap().stdout).unwrap().lines() {
            if let Ok(content) = fs::read(root.join(name)) {
                write(&folder.join(name), &with_changes(name, content, changes));
            }
        }
        Self {
            folder,
            target: root.join("target"),
            sources: root.join("src/lib.rs"),
        }
    }

    /// Builds the tests.
    pub(crate) fn build(self) -> Tests {
        let built = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
            .args(["test", "--locked", "--no-run", "--message-format=json"])
            .args(["--lib", "--test", "histories", "--test", "scenarios"])
            .args(["--target-dir".as_ref(), self.target.as_os_str()])
            .current_dir(&self.folder)
            .output()
            .unwrap();
        // Cargo tells the two trees apart by nothing but the times of their files.
        renew(&self.sources);
        let errors = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success(), "the changes don't build:\n{errors}");
        let said = String::from_utf8(built.stdout).unwrap();
        let messages = said
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let tests = messages.filter(|message| message["profile"]["test"] == true);
        let files = tests.filter_map(|tests| {
            let name = tests["target"]["name"].as_str()?.to_owned();
            Some((name, PathBuf::from(tests["executable"].as_str()?)))
        });
        Tests {
            files: files.collect(),
            folder: self.folder,
        }
    }
}

fn with_changes(name: &str, content: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    let numbered = changes.iter().enumerate();
    let here: Vec<_> = numbered.filter(|(_, change)| change.file == name).collect();
    if name == "src/lib.rs" {
        return [content, ROOT.as_bytes().to_vec()].concat();
    }
    if here.is_empty() {
        return content;
    }
    let source = String::from_utf8(content).unwrap();
    switched(&source, &here).unwrap().into_bytes()
}

/// With a new time, whatever the file system's resolution; an unchanged file keeps its own, so that
/// nothing is built again for it.
fn write(file: &Path, content: &[u8]) {
    if fs::read(file).is_ok_and(|there| there == content) {
        return;
    }
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, content).unwrap();
    renew(file);
}

/// Gives a file the time of now.
fn renew(file: &Path) {
    let opened = fs::File::options().append(true).open(file).unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo compares the times of files"
    )]
    let now = SystemTime::now();
    opened.set_modified(now).unwrap();
}
