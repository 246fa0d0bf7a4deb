//! How the process behaves: state folder, lock, signals, closed output.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

use crate::folder::Folder;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_provider_that_is_down_is_a_failure_that_names_it() {
    let folder = Folder::valid();
    let ended = folder.poll_once();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.errors.contains("incident") && ended.errors.contains("127.0.0.1"),
        "{}",
        ended.errors
    );
    assert!(
        ended.output.contains("1 poller polled, 0 events delivered"),
        "{}",
        ended.output
    );
}

#[test]
fn the_state_is_for_its_owner_alone_and_out_of_git() {
    let folder = Folder::valid();
    folder.poll_once();
    let state = folder.state();
    for path in ["", "checkpoints", "checkpoints/helpdesk"] {
        assert_eq!(mode(&state.join(path)), 0o700, "{path}");
    }
    for path in [
        "lock",
        "checkpoints/helpdesk/incident.json",
        "instances/helpdesk/prod.json",
    ] {
        assert_eq!(mode(&state.join(path)), 0o600, "{path}");
    }
    assert_eq!(
        std::fs::read_to_string(state.join(".gitignore")).unwrap(),
        "*\n"
    );
}

#[test]
fn a_poller_keeps_its_uid_and_the_moment_it_was_first_seen() {
    let folder = Folder::valid();
    let record = || {
        std::fs::read_to_string(folder.state().join("checkpoints/helpdesk/incident.json")).unwrap()
    };
    folder.poll_once();
    let first = record();
    folder.poll_once();
    assert_eq!(record(), first);
}

#[test]
fn a_state_that_another_process_holds_is_refused_by_name() {
    let folder = Folder::valid();
    folder.poll_once();
    let lock = folder.state().join("lock");
    let held = File::open(&lock).unwrap();
    held.try_lock().unwrap();
    let ended = folder.poll_once();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.errors.contains(&lock.display().to_string()),
        "{}",
        ended.errors
    );
    assert!(ended.errors.contains("--state"), "{}", ended.errors);
}

#[test]
fn a_damaged_or_newer_checkpoint_is_refused_with_what_to_do() {
    let folder = Folder::valid();
    folder.poll_once();
    let path = folder.state().join("checkpoints/helpdesk/incident.json");
    for (content, expected) in [
        ("{", "restore the file from a backup"),
        (r#"{"format": 9}"#, "newer pollen"),
    ] {
        std::fs::write(&path, content).unwrap();
        let ended = folder.poll_once();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(
            ended.errors.contains("incident.json") && ended.errors.contains(expected),
            "{}",
            ended.errors
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
    }
}

#[test]
fn a_signal_ends_it_in_order() {
    let folder = Folder::valid();
    let mut pollen = folder
        .pollen("local", &[])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(pollen.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(line.contains("1 poller running"), "{line}");
    Command::new("kill")
        .args(["-TERM", &pollen.id().to_string()])
        .status()
        .unwrap();
    assert_eq!(pollen.wait().unwrap().code(), Some(0));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let mut crds = Command::new(env!("CARGO_BIN_EXE_pollen"))
        .arg("crds")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(crds.stdout.take());
    assert_eq!(crds.wait().unwrap().code(), Some(0));
}

#[test]
fn every_command_has_help_with_examples() {
    for arguments in [
        vec!["--help"],
        vec!["local", "--help"],
        vec!["check", "--help"],
        vec!["crds", "--help"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_pollen"))
            .args(&arguments)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success() && text.contains("Examples:"),
            "{arguments:?}: {text}"
        );
    }
}

#[test]
fn log_lines_that_no_terminal_shows_have_no_colours() {
    let folder = Folder::valid();
    let ended = folder.run("local", &["--once", "--retry-for", "0s", "--log", "debug"]);
    assert!(ended.errors.contains("DEBUG"), "{}", ended.errors);
    assert!(!ended.errors.contains('\x1b'), "{}", ended.errors);
}
