//! The command that runs beside the simulator.

use std::{ffi::OsString, process::ExitStatus, process::Stdio, time::Duration};

use chrono::{DateTime, NaiveTime};
use rustix::process::{Pid, Signal, kill_process};
use simulator::servicenow::Instance;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
    task::JoinSet,
    time::timeout,
};

use super::screen::{Screen, Source};

/// How long it may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(10);

const LAST_LINES: Duration = Duration::from_secs(1);

/// The command at work; it is killed if this is dropped.
pub(super) struct Beside {
    name: String,
    child: Child,
    /// What shows its lines.
    showing: JoinSet<()>,
}

impl Beside {
    /// Starts a command, given with its arguments.
    pub(super) fn start(
        command: &[OsString],
        servicenow: &Instance,
        screen: Screen,
    ) -> Result<Option<Self>, String> {
        let Some((program, arguments)) = command.split_first() else {
            return Ok(None);
        };
        let name = program.display().to_string();
        // A group of its own: Ctrl-C is the simulator's, which ends it when the last events are in.
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{name} cannot be started: {error}"))?;
        let mut showing = JoinSet::new();
        if let Some(output) = child.stdout.take() {
            showing.spawn(show(output, servicenow.clone(), screen));
        }
        if let Some(errors) = child.stderr.take() {
            showing.spawn(show(errors, servicenow.clone(), screen));
        }
        Ok(Some(Self {
            name,
            child,
            showing,
        }))
    }

    /// Returns, once it has ended by itself, why that is wrong.
    pub(super) async fn ended(&mut self) -> String {
        let status = self.child.wait().await;
        self.shown().await;
        format!("{} has ended: {}", self.name, said(status))
    }

    /// Asks it to end, and ends it if it does not.
    pub(super) async fn stop(mut self) -> Result<(), String> {
        let id = self
            .child
            .id()
            .and_then(|id| Pid::from_raw(id.cast_signed()));
        if let Some(id) = id {
            // It may have ended meanwhile.
            let _ = kill_process(id, Signal::TERM);
        }
        let Ok(status) = timeout(GRACE, self.child.wait()).await else {
            return Err(format!("{} did not end within {GRACE:?}", self.name));
        };
        self.shown().await;
        match status {
            Ok(status) if status.success() => Ok(()),
            status => Err(format!("{} ended badly: {}", self.name, said(status))),
        }
    }

    /// Waits until its last line is shown.
    async fn shown(&mut self) {
        let shown = async { while self.showing.join_next().await.is_some() {} };
        // What it has started itself may hold its output open.
        let _ = timeout(LAST_LINES, shown).await;
    }
}

fn said(status: std::io::Result<ExitStatus>) -> String {
    status.map_or_else(|error| error.to_string(), |status| status.to_string())
}

async fn show(output: impl AsyncRead + Unpin, servicenow: Instance, screen: Screen) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        screen.tell(servicenow.now(), Source::Command, without_time(&line));
    }
}

/// The line without the time that it begins with: all lines have theirs in the first column.
fn without_time(line: &str) -> &str {
    line.split_once(' ')
        .filter(|(first, _)| {
            NaiveTime::parse_from_str(first, "%H:%M:%S").is_ok()
                || DateTime::parse_from_rfc3339(first).is_ok()
        })
        .map_or(line, |(_, rest)| rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_at_the_beginning_is_not_shown_twice() {
        for (line, shown) in [
            ("12:34:56  accounts  1 event", "accounts  1 event"),
            (
                "2026-01-02T03:04:05.678901Z  INFO pollen: leads",
                "INFO pollen: leads",
            ),
            ("3 pollers running", "3 pollers running"),
            ("", ""),
        ] {
            assert_eq!(without_time(line), shown);
        }
    }
}
