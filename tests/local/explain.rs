//! `pollen explain` where nothing is asked, and where the instance is wrong.

use std::process::Command;

use crate::folder::{Ended, Folder};

/// Of a version that is stated; no address is allowed.
fn explain(folder: &Folder) -> Ended {
    let output = Command::new(env!("CARGO_BIN_EXE_pollen"))
        .arg("explain")
        .arg(folder.path())
        .args(["--poller", "incident", "--record", "1", "--version", "7"])
        .args(["--updated", "2026-01-31T09:30:00Z"])
        .output()
        .unwrap();
    Ended {
        code: output.status.code(),
        output: String::from_utf8(output.stdout).unwrap(),
        errors: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_version_that_is_stated_is_looked_for_whatever_addresses_the_manifests_name() {
    let folder = Folder::valid();
    folder.replace(
        "instance.yaml",
        "http://127.0.0.1:9\n",
        "http://a.invalid\n",
    );
    folder.replace("instance.yaml", "127.0.0.1:9/events", "169.254.169.254/");
    let ended = explain(&folder);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.output.contains("record 1 of helpdesk/incident"),
        "{ended:?}"
    );
}

#[test]
fn a_mistake_of_the_instance_is_told_as_the_instances() {
    let folder = Folder::valid();
    folder.replace("instance.yaml", "servicenowoauth", "servicenowauth");
    let ended = explain(&folder);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let told = "instance.yaml:5: ConnectorInstance helpdesk/prod: spec.connector: ";
    assert!(ended.errors.contains(told), "{ended:?}");
}
