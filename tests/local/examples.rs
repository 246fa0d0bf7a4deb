//! What people copy must be right.

use std::{path::Path, process::Command};

use rstest::rstest;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn check(path: &Path) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_pollen"))
        .arg("check")
        .arg(path)
        .args(["--allow-address", "127.0.0.0/8"])
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[rstest]
fn the_examples_are_valid_and_complete(#[values("servicenow", "demo")] name: &str) {
    let folder = Path::new(ROOT).join("examples").join(name);
    assert_eq!(check(&folder), (Some(0), String::new()));
}

/// Flux would turn the placeholders of a URL into nothing, without an error.
#[rstest]
fn no_example_loses_its_placeholders_to_flux(#[values("servicenow", "demo")] name: &str) {
    for entry in std::fs::read_dir(Path::new(ROOT).join("examples").join(name)).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let documents = text
            .split("\n---\n")
            .filter(|text| text.contains("apiVersion: pollen.dev/"));
        for document in documents {
            let annotation = "kustomize.toolkit.fluxcd.io/substitute: disabled";
            assert!(
                document.contains(annotation),
                "{}: {document}",
                path.display()
            );
        }
    }
}

#[test]
fn the_manifest_of_the_readme_is_valid() {
    let readme = std::fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let yaml = readme
        .split("```yaml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("readme.yaml"), yaml).unwrap();
    let (code, errors) = check(folder.path());
    assert_eq!(code, Some(0), "{errors}");
}
