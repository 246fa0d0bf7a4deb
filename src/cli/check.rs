//! `pollen check`: validates manifests.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use super::{
    environment::{STEADY, block_on, environment},
    output,
};
use crate::{
    fleet::Environment,
    local::{self, Checked},
    network::AddressRule,
};

const EXAMPLES: &str = "\
Exit codes:
  0  all is valid
  2  something is not; each mistake is named with its file, line, object and field

Examples:
  pollen check examples/servicenow
  pollen check apps/helpdesk/*.yaml    as a pre-commit hook or in CI";

/// Validates manifests by the rules of the API server and of the connectors; sends nothing.
///
/// Files and folders are looked at together, so that a poller finds its instance. Of a folder
/// every *.yaml, *.yml and *.json is read, in its subfolders too, but nothing hidden. What is no
/// object, such as the values of a chart, is left out with a note. A Secret that is not among them
/// may be in the cluster: that is a note too.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Check {
    /// Files or folders.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A private address range that providers and callbacks may lie in, such as 127.0.0.0/8. May
    /// be repeated.
    #[arg(long, value_name = "CIDR[:PORT][@NAMESPACE]")]
    allow_address: Vec<AddressRule>,
}

impl Check {
    pub(super) fn run(self) -> ExitCode {
        match environment(self.allow_address, STEADY) {
            Ok(environment) => block_on(check(&self.paths, &environment)),
            Err(error) => output::complain(error),
        }
    }
}

async fn check(paths: &[PathBuf], environment: &Environment) -> ExitCode {
    let checked = local::check(paths, environment).await;
    for note in &checked.notes {
        output::note("note", note);
    }
    for problem in &checked.problems {
        output::note("error", problem);
    }
    if checked.problems.is_empty() {
        output::print(summary(&checked))
    } else {
        output::invalid()
    }
}

fn summary(checked: &Checked) -> String {
    match checked.foreign {
        0 => format!("ok  {} objects", checked.objects),
        foreign => format!(
            "ok  {} objects ({foreign} of other kinds left out)",
            checked.objects
        ),
    }
}
