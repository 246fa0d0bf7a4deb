//! `pollen local`: runs a folder of manifests without a cluster.

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, atomic::Ordering},
};

use clap::Args;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use super::{
    environment::{STEADY, block_on, bounded, environment},
    output,
    signals::stop_on_signals,
};
use crate::{
    api::Duration,
    local::{self, Ended, LocalError, Options, Streams},
    network::AddressRule,
    telemetry::{self, LogFormat},
};

const EXAMPLES: &str = "\
Exit codes:
  0  all is well; a record without an id or a readable date is a warning that names it
  1  a poll or a delivery failed, or the state folder cannot be used
  2  a manifest is invalid; those that it does not concern were polled all the same

Examples:
  pollen local examples/servicenow --once
  pollen local manifests --state /var/lib/pollen
  pollen local examples/demo --allow-address 127.0.0.0/8";

/// The engine warns of refused events alone, of which the report has a line.
const LOG: &str = "warn,pollen::poll=error";

/// Polls the resources of a folder of manifests and delivers their events, without a cluster.
///
/// Reads every *.yaml, *.yml and *.json of the folder, in its subfolders too, but nothing hidden:
/// ConnectorInstances, PollerResources and the Secrets that they name. All are checked as by
/// `pollen check` first; what is wrong is named, and keeps no other poller from running. Manifests
/// that change while it runs are read with the next start, but a Secret that an instance authenticates
/// with is taken within seconds, unless the instance was wrong at the start.
///
/// Standard output has a line for each poll that delivered events; standard error has what needs
/// attention.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Local {
    /// The folder of manifests.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Where checkpoints and refresh tokens are kept [default: DIR/.pollen].
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Poll each resource once, deliver, and exit.
    #[arg(long)]
    once: bool,
    /// How long a failed poll or delivery is tried again with --once.
    #[arg(long, value_name = "DURATION", default_value = "20s")]
    retry_for: Duration,
    /// A private address range that providers and callbacks may lie in, such as 127.0.0.0/8; plain
    /// http to a provider is allowed there too. May be repeated.
    #[arg(long, value_name = "CIDR[:PORT][@NAMESPACE]")]
    allow_address: Vec<AddressRule>,
    /// What is logged to standard error: error, warn, info, debug, or a filter such as
    /// `pollen::provider=debug`. What the lines for people say is left out unless it is asked for.
    #[arg(long, value_name = "FILTER", default_value = LOG, env = "POLLEN_LOG", value_parser = filter)]
    log: String,
}

impl Local {
    pub(super) fn run(self) -> ExitCode {
        let once = self.once.then_some(self.retry_for.0);
        let environment = match environment(self.allow_address, once.map_or(STEADY, bounded)) {
            Ok(environment) => environment,
            Err(error) => return output::complain(error),
        };
        if let Err(error) = telemetry::init(&self.log, LogFormat::Text) {
            return output::complain(error);
        }
        let Self { folder, state, .. } = self;
        block_on(until_stopped(Options {
            folder,
            state,
            once,
            environment,
            streams: Streams::default(),
        }))
    }
}

fn filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|error| error.to_string())
}

async fn until_stopped(options: Options) -> ExitCode {
    let stop = CancellationToken::new();
    let delivered = Arc::clone(&options.streams.delivered);
    let tell_end = move || tell_end(delivered.load(Ordering::Relaxed));
    if let Err(error) = stop_on_signals(stop.clone(), tell_stopping, tell_end) {
        return output::complain(format!("signals cannot be received: {error}"));
    }
    match local::run(options, stop).await {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::Failed) => output::FAILED,
        Ok(Ended::Invalid) => output::invalid(),
        Err(LocalError::Invalid(problems)) => {
            problems
                .iter()
                .for_each(|problem| output::note("error", problem));
            output::invalid()
        }
        Err(error @ LocalError::State(_)) => output::complain(error),
    }
}

fn tell_stopping() {
    output::note(
        "stopping",
        "polls end after what is being delivered; once more ends at once",
    );
}

/// `delivered`: events of polls that came to their end.
fn tell_end(delivered: u64) {
    output::note(
        "stopped",
        format!(
            "at once: {delivered} events were delivered by polls that had ended; what the others delivered since they last \
             stored a checkpoint comes again with the next start, under the same ids"
        ),
    );
}
