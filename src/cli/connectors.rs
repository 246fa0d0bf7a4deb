//! `pollen connectors`: shows the catalog.

use std::{fmt::Write as _, process::ExitCode};

use clap::Args;

use super::output;
use crate::catalog::{Catalog, Connector};

const EXAMPLES: &str = "\
Examples:
  pollen connectors                    all connectors
  pollen connectors servicenowoauth    what an instance of this one configures and can poll";

/// Shows the connectors that come with Pollen, or one of them.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Connectors {
    /// A connector's key, as in `spec.connector`.
    key: Option<String>,
}

impl Connectors {
    pub(super) fn run(self) -> ExitCode {
        let catalog = match Catalog::builtin() {
            Ok(catalog) => catalog,
            Err(error) => return output::complain(error),
        };
        let Some(key) = self.key else {
            return output::print(table(&catalog).trim_end());
        };
        match catalog.get(&key) {
            Some(connector) => output::print(description(&connector).trim_end()),
            None => {
                let keys: Vec<_> = catalog.keys().collect();
                output::note(
                    "error",
                    format!("no connector {key:?}: name one of {}", keys.join(", ")),
                );
                output::invalid()
            }
        }
    }
}

fn table(catalog: &Catalog) -> String {
    let mut text = format!("{:<24} {:<16} {:<12} RESOURCES\n", "KEY", "PROVIDER", "HUB");
    for connector in catalog.keys().filter_map(|key| catalog.get(key)) {
        let Connector {
            key,
            name,
            hub,
            resources,
            ..
        } = &*connector;
        let hub = hub.as_deref().unwrap_or("-");
        _ = writeln!(text, "{key:<24} {name:<16} {hub:<12} {}", resources.len());
    }
    text
}

fn description(connector: &Connector) -> String {
    let mut text = format!(
        "{} ({})\n\nbase URL: {}\n",
        connector.name, connector.key, connector.base_url
    );
    let parameters = connector
        .parameters
        .iter()
        .map(|(key, parameter)| (key, &parameter.description));
    section(&mut text, "spec.configuration", parameters);
    let resources = connector
        .resources
        .iter()
        .map(|(name, resource)| (name, &resource.table));
    section(
        &mut text,
        "Resources (others by the provider's own name)",
        resources,
    );
    text
}

fn section<'a>(
    text: &mut String,
    title: &str,
    entries: impl Iterator<Item = (&'a String, &'a String)>,
) {
    _ = writeln!(text, "\n{title}:");
    for (name, value) in entries {
        _ = writeln!(text, "  {name:<22} {value}");
    }
}
