//! `pollen crds`: prints the custom resource definitions.

use std::process::ExitCode;

use clap::Args;

use super::output;

const EXAMPLES: &str = "\
Examples:
  pollen crds | kubectl apply --server-side -f -
  pollen crds > crds.yaml";

/// Prints the custom resource definitions of all kinds.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Crds {}

impl Crds {
    pub(super) fn run(self) -> ExitCode {
        output::print(crate::api::crds_manifest().trim_end())
    }
}
