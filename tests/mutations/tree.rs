//! A copy of the sources with a target folder of its own, in which a change can be made and undone.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::SystemTime,
};

use crate::Change;

/// Seconds after which tests that do not end count as failed: a change may let a poll go on for ever.
const PATIENCE: &str = "300";

pub(crate) struct Tree {
    folder: PathBuf,
    /// The target folder of the real tree: what both depend on is built once.
    target: PathBuf,
}

impl Tree {
    /// Copies what git knows of, as it is now. What an earlier run built there is used again.
    pub(crate) fn copy(root: &Path) -> Self {
        let folder = root.join("target/mutants/tree");
        let listed = run(Command::new("git").args(["ls-files"]).current_dir(root));
        for name in String::from_utf8(listed.stdout).unwrap().lines() {
            let (from, to) = (root.join(name), folder.join(name));
            let Ok(content) = fs::read(&from) else {
                continue;
            };
            // An unchanged file keeps its time, so that nothing is built again for it.
            if fs::read(&to).is_ok_and(|there| there == content) {
                continue;
            }
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(&from, &to).unwrap();
        }
        Self {
            folder,
            target: root.join("target"),
        }
    }

    /// What `work` finds while `change` is made.
    pub(crate) fn with<T>(&self, change: &Change, work: impl FnOnce(&Self) -> T) -> T {
        let file = self.folder.join(&change.file);
        let source = fs::read_to_string(&file).unwrap();
        write(&file, &source.replacen(&change.find, &change.replace, 1));
        let found = work(self);
        write(&file, &source);
        found
    }

    /// Which of the test targets fails first, and of what.
    pub(crate) fn catcher(&self, targets: &[&str]) -> Option<String> {
        targets.iter().find_map(|target| {
            self.build(target);
            let mut patient = Command::new("timeout");
            patient.arg(PATIENCE).arg(cargo());
            let tests = self.test(&mut patient, &[target]);
            (!tests.status.success()).then(|| format!("{target}: {}", reason(&tests)))
        })
    }

    /// A change that doesn't compile is caught by nobody.
    fn build(&self, target: &str) {
        let built = self.test(&mut Command::new(cargo()), &[target, "--no-run"]);
        let said = String::from_utf8_lossy(&built.stderr);
        assert!(
            built.status.success(),
            "the changed sources don't build:\n{said}"
        );
    }

    fn test(&self, cargo: &mut Command, arguments: &[&str]) -> Output {
        let command = cargo
            .args(["test", "--locked", "--test"])
            .args(arguments)
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", &self.target);
        run(command)
    }
}

fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// With a new time, whatever the file system's resolution.
fn write(file: &Path, content: &str) {
    fs::write(file, content).unwrap();
    let opened = fs::File::options().append(true).open(file).unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo compares the times of files"
    )]
    let now = SystemTime::now();
    opened.set_modified(now).unwrap();
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

/// The invariant that a history violates, else the first test that failed.
fn reason(tests: &Output) -> String {
    let said = String::from_utf8_lossy(&tests.stdout) + String::from_utf8_lossy(&tests.stderr);
    let violated = said
        .lines()
        .find_map(|line| Some(line.split_once(" violates ")?.1));
    let failed = said
        .lines()
        .find_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"));
    violated.or(failed).unwrap_or("it does not end").to_owned()
}
