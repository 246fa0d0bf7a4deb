//! The CustomResourceDefinitions, generated from the types.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt as _;
use serde_json::Value;

use super::{ConnectorInstance, PollerResource, PollerWindow};

const HEADER: &str = "# Generated from src/api by `UPDATE_GENERATED=1 cargo test --test contract`; edits are lost.\n";

/// The definitions of all kinds, as they are installed.
///
/// They differ from `CustomResource::crd` in that no field is nullable: the API server then drops
/// a null before a rule can see it, and so does [`manifest`](super::manifest).
#[must_use]
pub fn crds() -> Vec<CustomResourceDefinition> {
    let mut crds = vec![
        ConnectorInstance::crd(),
        PollerResource::crd(),
        PollerWindow::crd(),
    ];
    let versions = crds.iter_mut().flat_map(|crd| &mut crd.spec.versions);
    for schema in
        versions.filter_map(|version| version.schema.as_mut()?.open_api_v3_schema.as_mut())
    {
        tidy(schema);
    }
    crds
}

/// The definitions as YAML, each under its file's name in `crds/`.
#[must_use]
pub fn crds_yaml() -> Vec<(String, String)> {
    crds()
        .iter()
        .map(|crd| (file_name(crd), format!("{HEADER}---\n{}", yaml(crd))))
        .collect()
}

/// The definitions in one YAML stream, as `pollen crds` prints them for `kubectl apply -f -`.
#[must_use]
pub fn crds_manifest() -> String {
    crds()
        .iter()
        .map(|crd| format!("---\n{}", yaml(crd)))
        .collect()
}

fn file_name(crd: &CustomResourceDefinition) -> String {
    format!("{}_{}.yaml", crd.spec.group, crd.spec.names.plural)
}

/// Forbids null, and lays each paragraph of a description on one line, as `kubectl explain` wraps
/// lines itself.
fn tidy(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    if let Some(words) = &mut schema.enum_ {
        words.retain(|word| !word.0.is_null());
    }
    if let Some(description) = &mut schema.description {
        let paragraphs: Vec<String> = description
            .split("\n\n")
            .map(|lines| lines.replace('\n', " "))
            .collect();
        *description = paragraphs.join("\n\n");
    }
    schema
        .properties
        .iter_mut()
        .flat_map(|properties| properties.values_mut())
        .for_each(tidy);
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        tidy(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        tidy(values);
    }
}

fn yaml(crd: &CustomResourceDefinition) -> String {
    let mut value = serde_json::to_value(crd).unwrap_or_default();
    write_integers(&mut value);
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(&value, options).unwrap_or_default()
}

/// JSON schema bounds are floats in Kubernetes' types; ours are whole, and are written so.
fn write_integers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "only whole numbers below 2^53 are converted"
            )]
            if let Some(whole) = number
                .as_f64()
                .filter(|f| f.fract() == 0.0 && f.abs() < 9_007_199_254_740_992.0)
            {
                *value = Value::from(whole as i64);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(write_integers),
        Value::Object(entries) => entries.values_mut().for_each(write_integers),
        _ => {}
    }
}
