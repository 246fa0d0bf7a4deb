//! The program as a person runs it: lines, exit codes, signals.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its own functions too"
)]

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::TcpListener,
    process::{Command, Output, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

fn simulator(receiver: &str, arguments: &[&str]) -> Command {
    let mut simulator = Command::new(env!("CARGO_BIN_EXE_simulator"));
    simulator
        .args(["--servicenow", "127.0.0.1:0", "--receiver", receiver])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    simulator
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_command_that_ends_by_itself_is_an_error_that_names_it_after_its_last_line() {
    let command = ["--", "sh", "-c", "echo 12:34:56 last words; exit 3"];
    let output = simulator("127.0.0.1:0", &command).output().unwrap();
    let (lines, errors) = texts(&output);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(lines.contains("  pollen      last words\n"), "{lines}");
    assert!(errors.contains("sh has ended: exit status: 3"), "{errors}");
}

#[test]
fn an_address_that_is_taken_is_named_with_the_option_that_chooses_another() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = simulator(&address, &[]).output().unwrap();
    let (_, errors) = texts(&output);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(
        errors.contains(&address) && errors.contains("--receiver"),
        "{errors}"
    );
}

#[test]
fn a_signal_ends_it_with_the_summary_and_the_command_beside_it_too() {
    // The shell leaves its own mark when it is asked to end.
    let command = [
        "--",
        "sh",
        "-c",
        "trap 'echo asked; exit 0' TERM; echo up; while :; do sleep 0.1; done",
    ];
    let mut running = simulator("127.0.0.1:0", &command).spawn().unwrap();
    let mut lines = BufReader::new(running.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("pollen      up") {
        line.clear();
        assert_ne!(lines.read_line(&mut line).unwrap(), 0, "it ended early");
    }
    let id = Pid::from_raw(running.id().cast_signed()).unwrap();
    kill_process(id, Signal::TERM).unwrap();
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(0), "{rest}");
    assert!(rest.contains("pollen      asked"), "{rest}");
    assert!(rest.contains("nothing was changed"), "{rest}");
}
