//! A copy of the sources, in which a change can be made and undone.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::SystemTime,
};

use serde_json::Value;

use crate::{Change, catchers::Catcher};

/// Seconds after which tests that do not end count as failed: a change may let a poll go on for ever.
const PATIENCE: &str = "120";

/// What `timeout` exits with when it is over.
const TIMED_OUT: i32 = 124;

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
            write(&to, &content);
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
        let changed = source.replacen(&change.find, &change.replace, 1);
        write(&file, changed.as_bytes());
        let found = work(self);
        write(&file, source.as_bytes());
        found
    }

    /// How the tests of `catcher` fail, if they do.
    ///
    /// # Errors
    ///
    /// What the compiler says of sources that don't build: nothing catches those.
    pub(crate) fn failure(&self, catcher: &Catcher) -> Result<Option<String>, String> {
        let tests = self.build(catcher)?;
        let ended = run(Command::new("timeout")
            .args([PATIENCE, &tests])
            .args(catcher.tests)
            .env("UNSHRUNK", "1")
            .current_dir(&self.folder));
        Ok(match ended.status.code() {
            Some(0) => None,
            code => Some(reason(&ended, code == Some(TIMED_OUT))),
        })
    }

    /// Builds the tests and names their file.
    fn build(&self, catcher: &Catcher) -> Result<String, String> {
        let built = run(Command::new(cargo())
            .args(["test", "--locked", "--no-run", "--message-format=json"])
            .args(["--target-dir".as_ref(), self.target.as_os_str()])
            .args(catcher.target)
            .current_dir(&self.folder));
        if !built.status.success() {
            return Err(String::from_utf8_lossy(&built.stderr).into_owned());
        }
        let said = String::from_utf8(built.stdout).unwrap();
        let messages = said
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let tests = messages.filter(|message| message["profile"]["test"] == true);
        let mut files = tests.filter_map(|tests| Some(tests["executable"].as_str()?.to_owned()));
        Ok(files.next().expect("cargo names what it built"))
    }
}

fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// With a new time, whatever the file system's resolution.
fn write(file: &Path, content: &[u8]) {
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
fn reason(tests: &Output, timed_out: bool) -> String {
    let said = String::from_utf8_lossy(&tests.stdout) + String::from_utf8_lossy(&tests.stderr);
    let violated = said
        .lines()
        .find_map(|line| Some(line.split_once(" violates ")?.1));
    let failed = said.lines().find_map(|line| {
        let (name, how) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
        (how == "FAILED").then(|| name.trim())
    });
    let none = if timed_out {
        "it does not end"
    } else {
        "it aborts"
    };
    violated.or(failed).unwrap_or(none).to_owned()
}
