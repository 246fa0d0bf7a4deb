//! `crds/` and the chart's copy are what the types say.
//!
//! `UPDATE_GENERATED=1 cargo test --test contract` rewrites both.

use std::{fs, path::Path};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use pollen::api;
use rstest::rstest;

#[rstest]
#[case::for_kubectl("crds")]
#[case::for_the_chart("charts/pollen/crds-files")]
fn the_checked_in_crds_are_those_of_the_types(#[case] directory: &str) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let generated = api::crds_yaml();
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::create_dir_all(&directory).unwrap();
        for (name, yaml) in &generated {
            fs::write(directory.join(name), yaml).unwrap();
        }
    }
    for (name, yaml) in &generated {
        let stored = fs::read_to_string(directory.join(name)).unwrap();
        assert!(
            stored == *yaml,
            "{name} is stale: run UPDATE_GENERATED=1 cargo test --test contract"
        );
    }
    let mut stored: Vec<_> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    stored.sort();
    assert_eq!(
        stored,
        generated
            .into_iter()
            .map(|(name, _)| name)
            .collect::<Vec<_>>()
    );
}

#[test]
fn the_yaml_reads_back_as_the_definitions() {
    for (crd, (name, yaml)) in api::crds().into_iter().zip(api::crds_yaml()) {
        let read: CustomResourceDefinition = serde_saphyr::from_str(&yaml).unwrap();
        assert_eq!(read, crd, "{name}");
    }
}

#[test]
fn the_printed_stream_holds_every_definition() {
    let read: Vec<CustomResourceDefinition> =
        serde_saphyr::from_multiple(&api::crds_manifest()).unwrap();
    assert_eq!(read, api::crds());
}
