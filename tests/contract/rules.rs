//! `rules.yaml`, run against the checks that `pollen check` and `pollen local` use.

use std::collections::BTreeSet;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use pollen::api::{
    self,
    manifest::{self, ManifestError},
};
use serde_json::Value;

use crate::table::{Row, Table, table};

fn verdict(table: &Table, row: &Row) -> Result<(), Vec<ManifestError>> {
    let created = manifest::read(table.object(row));
    let Some(updated) = table.updated(row) else {
        return created.map(drop);
    };
    let created = created.unwrap_or_else(|errors| {
        panic!("{}: the object to update is refused: {errors:?}", row.rule)
    });
    manifest::validate_update(&created, &manifest::read(updated)?)
}

fn complaint(table: &Table, row: &Row) -> Option<String> {
    match (verdict(table, row), row.accepted) {
        (Ok(()), true) => None,
        (Ok(()), false) => Some("is accepted".to_owned()),
        (Err(errors), true) => Some(format!("is refused: {errors:?}")),
        (Err(errors), false) => {
            let named = errors.iter().any(|error| {
                row.field
                    .as_ref()
                    .is_some_and(|field| error.field.starts_with(field))
                    && row
                        .message
                        .as_ref()
                        .is_none_or(|message| error.message == *message)
            });
            (!named).then(|| format!("is refused for another reason: {errors:?}"))
        }
    }
}

#[test]
fn every_row_gets_its_verdict() {
    let table = table();
    let complaints: Vec<String> = table
        .rows
        .iter()
        .enumerate()
        .filter_map(|(index, row)| {
            Some(format!(
                "row {index}, {}: {}",
                row.rule,
                complaint(&table, row)?
            ))
        })
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn every_rule_has_a_row_on_each_side() {
    let table = table();
    let side = |accepted| -> BTreeSet<&str> {
        table
            .rows
            .iter()
            .filter(|row| row.accepted == accepted)
            .map(|row| row.rule.as_str())
            .collect()
    };
    let one_sided: Vec<_> = side(true)
        .symmetric_difference(&side(false))
        .copied()
        .collect::<Vec<_>>();
    assert!(one_sided.is_empty(), "{one_sided:?}");
}

#[test]
fn every_cel_rule_refuses_some_row_in_its_own_words() {
    let table = table();
    let said: BTreeSet<&str> = table
        .rows
        .iter()
        .filter_map(|row| row.message.as_deref())
        .collect();
    let mut messages = BTreeSet::new();
    // Nobody writes a PollerWindow by hand: its one rule is tried in the cluster's tests.
    let written = |crd: &CustomResourceDefinition| crd.spec.names.kind != "PollerWindow";
    for crd in api::crds().into_iter().filter(written) {
        collect_messages(&serde_json::to_value(crd).unwrap(), &mut messages);
    }
    let unsaid: Vec<_> = messages
        .iter()
        .filter(|message| !said.contains(message.as_str()))
        .collect();
    assert!(unsaid.is_empty(), "{unsaid:#?}");
}

fn collect_messages(value: &Value, messages: &mut BTreeSet<String>) {
    if let (Some(_), Some(message)) = (value.get("rule"), value.get("message")) {
        messages.insert(message.as_str().unwrap().to_owned());
    }
    match value {
        Value::Object(entries) => entries
            .values()
            .for_each(|value| collect_messages(value, messages)),
        Value::Array(values) => values
            .iter()
            .for_each(|value| collect_messages(value, messages)),
        _ => {}
    }
}
