//! A folder of manifests, and the binary run on it.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// The connection, with a provider that nothing listens at.
pub(crate) const INSTANCE: &str = r#"apiVersion: pollen.dev/v1alpha1
kind: ConnectorInstance
metadata: {name: prod, namespace: helpdesk}
spec:
  connector: servicenowoauth
  baseUrl: http://127.0.0.1:9
  configuration: {servicenow.subdomain: acme}
  authentication:
    type: ClientCredentials
    secretRef: {name: oauth}
  events:
    enabled: true
    refreshInterval: 1s
    callback: {url: "http://127.0.0.1:9/events"}
"#;

pub(crate) const POLLER: &str = r#"apiVersion: pollen.dev/v1alpha1
kind: PollerResource
metadata: {name: incident, namespace: helpdesk}
spec:
  instanceRef: {name: prod}
"#;

pub(crate) const SECRET: &str = r#"apiVersion: v1
kind: Secret
metadata: {name: oauth, namespace: helpdesk}
stringData: {clientId: client, clientSecret: hunter2}
"#;

/// A folder with the three manifests above, each in a file of its own.
pub(crate) struct Folder(TempDir);

/// How a run ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Folder {
    pub(crate) fn valid() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("instance.yaml", INSTANCE);
        folder.write("poller.yaml", POLLER);
        folder.write("secret.yaml", SECRET);
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.path().join(".pollen")
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path().join(name), content).unwrap();
    }

    /// Replaces `from`, which must be there, in the file `name`.
    pub(crate) fn replace(&self, name: &str, from: &str, to: &str) {
        let content = std::fs::read_to_string(self.path().join(name)).unwrap();
        assert!(content.contains(from), "{from} is not in {name}");
        self.write(name, &content.replace(from, to));
    }

    /// `pollen COMMAND FOLDER --allow-address 127.0.0.0/8 ARGUMENTS`, not yet started.
    pub(crate) fn pollen(&self, command: &str, arguments: &[&str]) -> Command {
        let mut pollen = Command::new(env!("CARGO_BIN_EXE_pollen"));
        pollen
            .arg(command)
            .arg(self.path())
            .args(["--allow-address", "127.0.0.0/8"])
            .args(arguments);
        pollen
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        pollen
    }

    pub(crate) fn run(&self, command: &str, arguments: &[&str]) -> Ended {
        let output = self.pollen(command, arguments).output().unwrap();
        Ended {
            code: output.status.code(),
            output: String::from_utf8(output.stdout).unwrap(),
            errors: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// One poll of each poller without a retry.
    pub(crate) fn poll_once(&self) -> Ended {
        self.run("local", &["--once", "--retry-for", "0s"])
    }
}
