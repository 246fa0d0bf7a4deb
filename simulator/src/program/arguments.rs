//! What can be said on the command line.

use std::{ffi::OsString, time::Duration};

use clap::Parser;

const EXAMPLES: &str = "\
Exit codes:
  0  every change arrived, none was invented, every signature checked was good
  1  a change was lost or invented, or a signature was wrong
  2  the simulator or the command could not run, or nobody polled

Examples:
  simulator                        run until Ctrl-C, then print the summary
  simulator --for 20s --seed 7     another storyline, for 20 seconds
  simulator --signing-key whsec_c2VjcmV0LW9mLW1pbmU=
  simulator --for 20s -- pollen local examples/demo --allow-address 127.0.0.0/8";

/// Simulates a ServiceNow whose records change, and a callback that takes the events of it.
///
/// It knows the client demo-client with the secret demo-secret, and the user integration with the
/// password demo-password. The changes begin when someone polls. Each is printed as it is made, each event as it arrives;
/// at the end a summary says what was lost, invented or repeated. Records that existed before are
/// no changes.
#[derive(Debug, Parser)]
#[command(name = "simulator", version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Where ServiceNow listens.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:17080")]
    pub(super) servicenow: String,
    /// Where the callback listens; it takes events on every path.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:17081")]
    pub(super) receiver: String,
    /// A key that signatures are checked with: `whsec_…` for Standard Webhooks too. May be
    /// repeated.
    #[arg(long = "signing-key", value_name = "KEY", default_values_t = [String::from("demo-signing-key")])]
    pub(super) signing_keys: Vec<String>,
    /// How long changes are made, from the first poll on, which is waited for a minute [default: until
    /// Ctrl-C or SIGTERM].
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub(super) length: Option<Duration>,
    /// How long the last changes may take to arrive.
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = duration)]
    pub(super) wait: Duration,
    /// Which storyline: the same number makes the same changes.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(super) seed: u64,
    /// A command to run beside the simulator: it starts when both ends listen, and is stopped
    /// before they close.
    #[arg(last = true, value_name = "COMMAND")]
    pub(super) command: Vec<OsString>,
}

/// A whole number with its unit: `500ms`, `20s`, `2m`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text.get(digits.len()..).unwrap_or_default();
    let number: u32 = digits
        .parse()
        .map_err(|_| "write a whole number and a unit, such as 20s".to_owned())?;
    let unit = match unit {
        "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        "m" => Duration::from_mins(1),
        _ => return Err(format!("the unit {unit:?} is none of ms, s and m")),
    };
    Ok(unit * number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_with_its_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("20s"), Ok(Duration::from_secs(20)));
        assert_eq!(duration("2m"), Ok(Duration::from_mins(2)));
        for text in ["", "20", "s", "-1s", "1.5s", "2h", "20 s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn without_arguments_it_is_what_the_demo_manifests_expect() {
        let arguments = Arguments::parse_from(["simulator"]);
        assert_eq!(arguments.servicenow, "127.0.0.1:17080");
        assert_eq!(arguments.receiver, "127.0.0.1:17081");
        assert_eq!(arguments.signing_keys, ["demo-signing-key"]);
        assert_eq!(arguments.length, None);
    }
}
