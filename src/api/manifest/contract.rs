//! The schema and the rules of a kind, compiled once.

use std::{collections::BTreeMap, sync::LazyLock};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps,
};
use kube::core::cel::{
    CompiledSchema, ErrorKind, ValidationError, compile_schema, validate_compiled,
};
use serde_json::Value;

use super::{Finding, structure::Structure};
use crate::api::crds;

/// What admission holds an object of one kind against.
pub(super) struct Contract {
    kind: String,
    structure: Structure,
    rules: CompiledSchema,
    /// Messages by rule, for a rule that could not be evaluated.
    messages: BTreeMap<String, String>,
}

static INSTANCES: LazyLock<Contract> = LazyLock::new(|| Contract::of("ConnectorInstance"));
static POLLERS: LazyLock<Contract> = LazyLock::new(|| Contract::of("PollerResource"));

impl Contract {
    pub(super) fn instances() -> &'static Self {
        &INSTANCES
    }

    pub(super) fn pollers() -> &'static Self {
        &POLLERS
    }

    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    fn of(kind: &str) -> Self {
        let schema = crds()
            .into_iter()
            .find(|crd| crd.spec.names.kind == kind)
            .map(root_schema)
            .unwrap_or_default();
        let json = serde_json::to_value(&schema).unwrap_or_default();
        let mut messages = BTreeMap::new();
        collect_messages(&json, &mut messages);
        Self {
            kind: kind.to_owned(),
            rules: compile_schema(&json),
            structure: Structure::new(schema),
            messages,
        }
    }

    /// Drops the nulls of `object` and says what is wrong with the rest of it, and, with `old`,
    /// with the change from that.
    pub(super) fn check(&self, object: &mut Value, old: Option<&Value>) -> Vec<Finding> {
        let mut findings = self.structure.check(object);
        if findings.iter().any(|finding| finding.blocks_rules) {
            return findings;
        }
        let broken = validate_compiled(&self.rules, object, old)
            .err()
            .map(|errors| errors.into_vec());
        for error in broken.into_iter().flatten() {
            let unevaluated = error.kind != ErrorKind::ValidationFailure;
            if unevaluated
                && findings
                    .iter()
                    .any(|finding| finding.field == error.field_path)
            {
                continue;
            }
            findings.push(self.finding(error, unevaluated));
        }
        findings
    }

    fn finding(&self, error: ValidationError, unevaluated: bool) -> Finding {
        let message = if unevaluated {
            self.messages.get(&error.rule).cloned()
        } else {
            None
        };
        Finding::new(error.field_path, message.unwrap_or(error.message))
    }
}

fn root_schema(crd: CustomResourceDefinition) -> JSONSchemaProps {
    let version = crd.spec.versions.into_iter().next();
    version
        .and_then(|version| version.schema?.open_api_v3_schema)
        .unwrap_or_default()
}

fn collect_messages(schema: &Value, messages: &mut BTreeMap<String, String>) {
    match schema {
        Value::Object(entries) => {
            if let (Some(Value::String(rule)), Some(Value::String(message))) =
                (entries.get("rule"), entries.get("message"))
            {
                messages.insert(rule.clone(), message.clone());
            }
            entries
                .values()
                .for_each(|value| collect_messages(value, messages));
        }
        Value::Array(values) => values
            .iter()
            .for_each(|value| collect_messages(value, messages)),
        _ => {}
    }
}
