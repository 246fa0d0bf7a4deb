//! The `Dockerfile` makes the image that the chart and the README name.

use std::{fs, path::Path};

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The text between `before` and the next `after`.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).expect(before);
    rest.split_once(after).expect(after).0
}

#[test]
fn the_image_is_built_with_the_pinned_toolchain() {
    let toolchain = read("rust-toolchain.toml");
    let pinned = between(&toolchain, "channel = \"", "\"");
    assert_eq!(between(&read("Dockerfile"), "FROM rust:", "-"), pinned);
}

#[test]
fn the_readme_installs_the_image_that_it_builds_under_the_charts_version() {
    let readme = read("README.md");
    let (repository, version) = between(&readme, "docker build -t ", " ")
        .rsplit_once(':')
        .unwrap();
    assert_eq!(between(&readme, "--set image.repository=", " "), repository);
    assert_eq!(between(&readme, "--set image.tag=", "\n"), version);
    let chart = read("charts/pollen/Chart.yaml");
    assert_eq!(between(&chart, "appVersion: ", "\n"), version);
}

#[test]
fn the_dockerfile_names_the_image_that_the_chart_installs() {
    let (values, chart) = (
        read("charts/pollen/values.yaml"),
        read("charts/pollen/Chart.yaml"),
    );
    let repository = between(&values, "repository: ", "\n");
    let version = between(&chart, "appVersion: ", "\n");
    let command = format!("docker build -t {repository}:{version} .");
    assert!(read("Dockerfile").contains(&command), "{command}");
}
