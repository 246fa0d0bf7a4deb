//! Lines for the person who watches.

use std::io::{IsTerminal as _, Write as _, stdout};

use chrono::{DateTime, Local, Utc};

/// Whose line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    ServiceNow,
    Callback,
    /// The command that runs beside the simulator.
    Command,
    /// Nobody's: what happens, and why it is worth watching.
    Story,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Good,
    Bad,
    Strong,
}

/// One thing that happened to one record.
pub(super) struct Happening<'a> {
    pub(super) at: DateTime<Utc>,
    pub(super) source: Source,
    pub(super) what: &'a str,
    pub(super) table: &'a str,
    pub(super) record: &'a str,
    pub(super) remark: &'a str,
    pub(super) tone: Tone,
}

/// Standard output, in colour if a person reads it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    coloured: bool,
}

impl Screen {
    pub(super) fn new() -> Self {
        let coloured = stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { coloured }
    }

    pub(super) fn happened(self, happening: &Happening<'_>) {
        self.write(&line(happening), happening.tone);
    }

    /// A line about no record.
    pub(super) fn tell(self, at: DateTime<Utc>, source: Source, text: &str) {
        let tone = if source == Source::Story {
            Tone::Strong
        } else {
            Tone::Plain
        };
        self.write(&format!("{}  {}{text}", time(at), column(source)), tone);
    }

    /// A line as it is.
    pub(super) fn write(self, line: &str, tone: Tone) {
        let code = match tone {
            Tone::Plain => None,
            Tone::Good => Some("32"),
            Tone::Bad => Some("1;31"),
            Tone::Strong => Some("1"),
        };
        let line = match code.filter(|_| self.coloured) {
            Some(code) => format!("\x1b[{code}m{line}\x1b[0m"),
            None => line.to_owned(),
        };
        // Who closes the pipe has seen enough.
        let _ = writeln!(stdout(), "{line}");
    }
}

fn line(happening: &Happening<'_>) -> String {
    let Happening {
        at,
        source,
        what,
        table,
        record,
        remark,
        ..
    } = happening;
    let record: String = record.chars().take(RECORD).collect();
    let line = format!(
        "{}  {}{what:<8}  {table:<12}  {record:<RECORD$}  {remark}",
        time(*at),
        column(*source)
    );
    line.trim_end().to_owned()
}

/// The longest name of a record that is shown whole.
const RECORD: usize = 16;

fn time(at: DateTime<Utc>) -> String {
    at.with_timezone(&Local).format("%H:%M:%S").to_string()
}

fn column(source: Source) -> String {
    let name = match source {
        Source::ServiceNow => "servicenow",
        Source::Callback => "callback",
        Source::Command => "pollen",
        Source::Story => "--",
    };
    format!("{name:<12}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_long_names_cut() {
        let happening = |source, record| Happening {
            at: DateTime::UNIX_EPOCH,
            source,
            what: "create",
            table: "incident",
            record,
            remark: "remark",
            tone: Tone::Plain,
        };
        let lines = [
            line(&happening(Source::ServiceNow, "INC0010001")),
            line(&happening(
                Source::Callback,
                "A very long name of a company",
            )),
        ];
        let places = lines.map(|line| line.find("remark").unwrap());
        assert_eq!(places[0], places[1]);
    }
}
