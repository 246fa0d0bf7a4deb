//! `pollen explain`: why a record's event was sent, or was not.

mod words;

use std::{path::PathBuf, process::ExitCode};

use chrono::{DateTime, Utc};
use clap::Args;

use super::{
    environment::{STEADY, block_on, environment, offline},
    output,
};
use crate::{
    fleet::{Environment, Version},
    local::{self, ExplainError, Question},
    network::AddressRule,
};

const EXAMPLES: &str = "\
Exit codes:
  0  the record's fate was told
  1  the checkpoint cannot be used, or the provider could not be asked
  2  the arguments or the manifests are invalid

Examples:
  pollen explain manifests/ --poller incident --record 9d385017c611228701d22104cc95c371
  kubectl get cinst,pollers -n helpdesk -o yaml > live.yaml
  pollen explain live.yaml --poller incident --record 9d385017c611228701d22104cc95c371 \\
    --updated 2026-01-31T09:30:00Z --version 7";

/// Says what a poller makes of one record, and why.
///
/// Asks the provider for the record as it is now, and compares it with the poller's checkpoint as
/// the next poll would: whether this version was settled, under which event id, whether the next
/// poll delivers it, or why none does. The checkpoint is the one in the state folder, or the status
/// in what kubectl printed. Nothing is delivered and nothing is stored.
///
/// With --updated and --version nothing is sent: the version that you state is looked for.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Explain {
    /// Files or folders: the manifests, or what `kubectl get -o yaml` prints of the objects.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The PollerResource's name.
    #[arg(long, value_name = "NAME")]
    poller: String,
    /// The record's id at the provider.
    #[arg(long, value_name = "ID")]
    record: String,
    /// The poller's namespace, where several have one of that name.
    #[arg(long, short, value_name = "NAME")]
    namespace: Option<String>,
    /// The state folder of `pollen local` [default: DIR/.pollen].
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// The updated date of the version asked about.
    #[arg(long, value_name = "INSTANT", requires = "version")]
    updated: Option<DateTime<Utc>>,
    /// Its version field (sys_mod_count at ServiceNow), or the digest that stands behind the / of
    /// `version` in the log.
    #[arg(long, value_name = "TEXT", requires = "updated")]
    version: Option<String>,
    /// A private address range that provider and callback may lie in, such as 127.0.0.0/8; not needed
    /// where nothing is asked. May be repeated.
    #[arg(long, value_name = "CIDR[:PORT][@NAMESPACE]")]
    allow_address: Vec<AddressRule>,
}

impl Explain {
    pub(super) fn run(mut self) -> ExitCode {
        let allowed = std::mem::take(&mut self.allow_address);
        let environment = if self.updated.is_some() {
            offline()
        } else {
            environment(allowed, STEADY)
        };
        match environment {
            Ok(environment) => block_on(explain(self.question(environment))),
            Err(error) => output::complain(error),
        }
    }

    fn question(self, environment: Environment) -> Question {
        let version = self.updated.zip(self.version);
        Question {
            paths: self.paths,
            state: self.state,
            namespace: self.namespace,
            poller: self.poller,
            record: self.record,
            version: version.map(|(updated, text)| Version { updated, text }),
            environment,
        }
    }
}

async fn explain(question: Question) -> ExitCode {
    match local::explain(&question).await {
        Ok(explained) => output::print(words::of(&question, &explained)),
        Err(ExplainError::Invalid(problems)) => {
            problems
                .iter()
                .for_each(|problem| output::note("error", problem));
            output::invalid()
        }
        Err(error @ ExplainError::Argument(_)) => {
            output::note("error", error);
            output::invalid()
        }
        Err(error) => output::complain(error),
    }
}
