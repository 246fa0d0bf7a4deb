//! Arguments, and a file for each command.

mod authorize;
mod check;
mod connectors;
mod core_dumps;
mod crds;
mod environment;
mod explain;
mod local;
mod operator;
mod output;
mod signals;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  pollen check manifests/              validate manifests before they are committed
  pollen authorize manifests/          have a person authorize an instance
  pollen local manifests/ --once       poll each resource once and deliver its events
  pollen explain manifests/ --poller incident --record ID    why its event was sent, or was not
  pollen crds | kubectl apply -f -     install the custom resource definitions";

/// Polls SaaS APIs for changed records and delivers each change once to a callback.
#[derive(Debug, Parser)]
#[command(name = "pollen", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Local(local::Local),
    Authorize(authorize::Authorize),
    Check(check::Check),
    Explain(explain::Explain),
    Connectors(connectors::Connectors),
    Crds(crds::Crds),
    Operator(operator::OperatorArgs),
}

/// Runs the command that the arguments name.
///
/// Exit codes: 0 all is well, 1 something failed, 2 the arguments or a manifest are invalid.
#[must_use]
pub fn run() -> ExitCode {
    core_dumps::forbid();
    match Arguments::parse().command {
        Command::Local(local) => local.run(),
        Command::Authorize(authorize) => authorize.run(),
        Command::Check(check) => check.run(),
        Command::Explain(explain) => explain.run(),
        Command::Connectors(connectors) => connectors.run(),
        Command::Crds(crds) => crds.run(),
        Command::Operator(args) => environment::block_on(operator::run(args)),
    }
}
