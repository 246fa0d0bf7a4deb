//! `pollen operator`: the controllers.

use std::{
    io::{Write as _, stderr},
    net::SocketAddr,
    num::NonZeroU32,
    process::ExitCode,
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::signals::stop_on_signals;
use crate::{
    network::{AddressPolicy, AddressRule},
    operator::{self, Settings},
    telemetry::{self, LogFormat},
};

const EXAMPLES: &str = r#"Exit codes:
  0  it was asked to end (SIGTERM, SIGINT), has stored its work and given up its Lease
  1  it could not begin or go on, as the log says
  2  the arguments are invalid

Examples:
  pollen operator --identity "$HOSTNAME" --own-namespace pollen-system
  pollen operator --identity "$HOSTNAME" --watch-namespace helpdesk --watch-namespace finance
  pollen operator --identity "$HOSTNAME" --allow-address 10.0.0.0/8:443@helpdesk --log info,pollen=debug"#;

/// Runs the controllers in a cluster.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct OperatorArgs {
    /// Namespace to watch; repeat it for several. All namespaces without it.
    #[arg(
        long = "watch-namespace",
        env = "POLLEN_WATCH_NAMESPACES",
        value_name = "NAMESPACE",
        value_delimiter = ','
    )]
    watch_namespaces: Vec<String>,

    /// The operator's own namespace, for its Lease and its token Secrets.
    #[arg(
        long,
        env = "POD_NAMESPACE",
        value_name = "NAMESPACE",
        default_value = "pollen-system"
    )]
    own_namespace: String,

    /// What tells this replica from the others: the pod's name.
    #[arg(long, env = "POD_NAME", value_name = "NAME")]
    identity: String,

    /// The name of this release, as Kubernetes events and its token Secrets show it.
    #[arg(
        long,
        env = "POLLEN_CONTROLLER_NAME",
        value_name = "NAME",
        default_value = "pollen"
    )]
    controller_name: String,

    /// Name of the Lease that decides which replica polls.
    #[arg(
        long,
        env = "POLLEN_LEASE_NAME",
        value_name = "NAME",
        default_value = "pollen"
    )]
    lease_name: String,

    /// Seconds after which a replica that is silent loses the Lease.
    #[arg(
        long,
        env = "POLLEN_LEASE_SECONDS",
        value_name = "SECONDS",
        default_value_t = 15,
        value_parser = clap::value_parser!(u64).range(6..=3600)
    )]
    lease_seconds: u64,

    /// Writes to the API server per second, all kinds together.
    #[arg(
        long,
        env = "POLLEN_API_WRITES_PER_SECOND",
        value_name = "COUNT",
        default_value = "50"
    )]
    api_writes_per_second: NonZeroU32,

    /// Where /livez, /readyz, /metrics and /debug/pollers are served.
    #[arg(
        long,
        env = "POLLEN_HTTP_ADDRESS",
        value_name = "ADDRESS",
        default_value = "0.0.0.0:8080"
    )]
    http_address: SocketAddr,

    /// Addresses that callbacks and providers may have although they are not globally routable:
    /// CIDR[:PORT][@NAMESPACE]; repeat it for several.
    #[arg(
        long = "allow-address",
        env = "POLLEN_ALLOW_ADDRESSES",
        value_name = "RANGE",
        value_delimiter = ','
    )]
    allow_addresses: Vec<AddressRule>,

    /// Addresses that are refused beside those that are not globally routable; repeat it for several.
    #[arg(
        long = "deny-address",
        env = "POLLEN_DENY_ADDRESSES",
        value_name = "RANGE",
        value_delimiter = ','
    )]
    deny_addresses: Vec<AddressRule>,

    /// Log filter: a level, or target=level pairs joined by commas.
    #[arg(
        long,
        env = "POLLEN_LOG",
        value_name = "FILTER",
        default_value = "info"
    )]
    log: String,

    /// Form of the log lines.
    #[arg(
        long,
        env = "POLLEN_LOG_FORMAT",
        value_enum,
        value_name = "FORMAT",
        default_value_t
    )]
    log_format: LogFormat,
}

/// Runs the operator until SIGTERM or SIGINT.
pub(super) async fn run(args: OperatorArgs) -> ExitCode {
    if let Err(error) = telemetry::init(&args.log, args.log_format) {
        return fail(&error);
    }
    let stop = CancellationToken::new();
    if let Err(error) = stop_on_signals(stop.clone(), tell_stopping, tell_end) {
        return fail(&error);
    }
    match operator::run(args.into(), stop).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the operator ends");
            ExitCode::FAILURE
        }
    }
}

fn tell_stopping() {
    tracing::info!("stopping: polls store their checkpoints first");
}

fn tell_end() {
    tracing::warn!(
        "ended at once: what was delivered since the last stored checkpoints is delivered again, under the same ids"
    );
}

/// Tells what is wrong before there is a log.
fn fail(error: &dyn std::error::Error) -> ExitCode {
    let _ = writeln!(stderr(), "error: {error}");
    ExitCode::FAILURE
}

impl From<OperatorArgs> for Settings {
    fn from(args: OperatorArgs) -> Self {
        Self {
            namespaces: args.watch_namespaces,
            own_namespace: args.own_namespace,
            identity: args.identity,
            lease_name: args.lease_name,
            lease_duration: Duration::from_secs(args.lease_seconds),
            api_writes_per_second: args.api_writes_per_second,
            http_address: args.http_address,
            addresses: AddressPolicy::new(args.allow_addresses, args.deny_addresses),
            controller_name: args.controller_name,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        operator: OperatorArgs,
    }

    fn parse(arguments: &[&str]) -> Result<Settings, clap::Error> {
        let arguments = ["pollen", "--identity", "pollen-0"].iter().chain(arguments);
        Command::try_parse_from(arguments).map(|command| command.operator.into())
    }

    #[test]
    fn the_examples_of_the_help_are_complete_outside_a_pod() {
        let examples: Vec<_> = EXAMPLES
            .lines()
            .filter(|line| line.contains("pollen operator"))
            .collect();
        assert_eq!(examples.len(), 3);
        for example in examples {
            let arguments = example.split_whitespace().skip(1);
            let parsed = Command::try_parse_from(arguments);
            assert!(parsed.is_ok_and(|command| command.operator.identity == r#""$HOSTNAME""#));
        }
    }

    #[test]
    fn without_arguments_all_namespaces_are_watched_and_the_lease_lasts_fifteen_seconds() {
        let settings = parse(&[]).unwrap();
        assert!(settings.namespaces.is_empty());
        assert_eq!(settings.lease_duration, Duration::from_secs(15));
        assert_eq!(settings.api_writes_per_second.get(), 50);
    }

    #[test]
    fn several_namespaces_are_a_list_or_a_repeated_flag() {
        let settings = parse(&["--watch-namespace", "a,b", "--watch-namespace", "c"]).unwrap();
        assert_eq!(settings.namespaces, ["a", "b", "c"]);
    }

    #[test]
    fn a_lease_too_short_to_renew_and_a_range_that_is_none_are_refused() {
        assert!(parse(&["--lease-seconds", "5"]).is_err());
        assert!(parse(&["--api-writes-per-second", "0"]).is_err());
        assert!(parse(&["--allow-address", "10.0.0.0/40"]).is_err());
    }
}
