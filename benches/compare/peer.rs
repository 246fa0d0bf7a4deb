//! Those who poll, and how each is started.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::{Result, world::World};

const MANIFESTS: &str = include_str!("peers/pollen.yaml");
const REQUIREMENTS: &str = include_str!("peers/requirements.txt");
const PEERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/compare/peers");

pub(crate) struct Peer {
    pub(crate) name: String,
    kind: Kind,
}

enum Kind {
    Pollen,
    /// A script that polls once: `SCRIPT PROVIDER STATE LOOKBACK ARGUMENTS`.
    Python {
        python: PathBuf,
        script: &'static str,
        arguments: &'static [&'static str],
    },
}

impl Peer {
    /// All of them; `python` has the packages of the others.
    pub(crate) fn all(python: &Path) -> Vec<Self> {
        let pollen = Self {
            name: concat!("Pollen ", env!("CARGO_PKG_VERSION")).to_owned(),
            kind: Kind::Pollen,
        };
        let script = |name, script, arguments| Self {
            name,
            kind: Kind::Python {
                python: python.to_owned(),
                script,
                arguments,
            },
        };
        let dlt = |key| format!("dlt {}, key {key}", version("dlt"));
        vec![
            pollen,
            script(
                format!("airbyte-cdk {}", version("airbyte-cdk")),
                "airbyte.py",
                &[],
            ),
            script(dlt("id"), "dlt_rest_api.py", &["sys_id"]),
            script(
                dlt("id + version"),
                "dlt_rest_api.py",
                &["sys_id", "sys_mod_count"],
            ),
        ]
    }

    /// What polls once, with its state in the world's folder.
    pub(crate) fn command(&self, world: &World<'_>) -> Result<Command> {
        match &self.kind {
            Kind::Pollen => pollen(world),
            Kind::Python {
                python,
                script,
                arguments,
            } => {
                let seconds = world.lookback.unwrap_or_default().as_secs();
                let mut command = Command::new(python);
                command
                    .arg(Path::new(PEERS).join(script))
                    .arg(world.provider.url())
                    .arg(world.folder.path())
                    .arg(seconds.to_string())
                    .args(*arguments)
                    .env("RUNTIME__DLTHUB_TELEMETRY", "false");
                Ok(command)
            }
        }
    }
}

fn pollen(world: &World<'_>) -> Result<Command> {
    let overlap = world.lookback.map_or("null".to_owned(), |lookback| {
        format!("{}s", lookback.as_secs())
    });
    let manifests = MANIFESTS
        .replace("PROVIDER", &world.provider.url())
        .replace("CALLBACK", &world.callback.url())
        .replace("OVERLAP", &overlap);
    let folder = world.folder.path();
    std::fs::write(folder.join("pollen.yaml"), manifests)?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_pollen"));
    command
        .arg("local")
        .arg(folder)
        .args(["--once", "--allow-address", "127.0.0.0/8"]);
    Ok(command)
}

/// The version that is asked for of a package.
fn version(package: &str) -> &'static str {
    let pin = REQUIREMENTS
        .lines()
        .filter_map(|line| line.split_once("=="));
    let mut pinned = pin.filter(|(name, _)| *name == package);
    pinned.next().map_or("", |(_, version)| version)
}
