//! What the table of rules (`tests/contract`) does not hold: messages, names, Secrets.

use proptest::prelude::*;
use rstest::rstest;
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::*;

fn poller(spec: Value) -> Value {
    json!({
        "apiVersion": API_VERSION, "kind": "PollerResource",
        "metadata": {"name": "accounts", "namespace": "helpdesk"}, "spec": spec,
    })
}

fn secret(fields: Value) -> Value {
    let mut secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "oauth"}});
    for (name, value) in fields.as_object().unwrap() {
        secret[name] = value.clone();
    }
    secret
}

fn errors(value: Value) -> Vec<String> {
    read(value)
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn an_error_names_object_field_and_what_to_write() {
    let spec = json!({"instanceRef": {"name": "prod"}, "refreshInterval": "5"});
    assert_eq!(
        errors(poller(spec)),
        [
            "PollerResource helpdesk/accounts: spec.refreshInterval: is of another form: write numbers with their units ms, s, m or h, such as 30s, 15m or 1h30m",
        ]
    );
}

#[rstest]
#[case(json!({"filterByUpdateDate": true}), "spec.filterByUpdateDate: is not a field: write filterByUpdatedDate")]
#[case(
    json!({"datesConfiguration": {"createdCheckTolerance": 5}}),
    "spec.datesConfiguration.createdCheckTolerance: is not a field here: write spec.createdCheckTolerance"
)]
#[case(json!({"deletes": {"xyz": 1}}), "the fields here are maxSharePercent, mode, reconcileInterval")]
fn an_unknown_field_is_refused_with_the_name_meant(#[case] spec: Value, #[case] expected: &str) {
    let mut spec = spec;
    spec["instanceRef"] = json!({"name": "prod"});
    let errors = errors(poller(spec));
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains(expected), "{errors:?}");
}

#[rstest]
#[case(json!("text"), "document without kind")]
#[case(json!({}), "apiVersion: is missing")]
#[case(json!({"apiVersion": "pollen.dev/v1", "kind": "PollerResource"}), "write pollen.dev/v1alpha1")]
#[case(json!({"apiVersion": API_VERSION, "kind": "Poller"}), "write ConnectorInstance or PollerResource")]
#[case(json!({"apiVersion": API_VERSION, "kind": "PollerResource"}), "metadata: is missing")]
#[case(json!({"apiVersion": API_VERSION, "kind": "PollerResource", "metadata": {"name": "A"}}), "metadata.name: is no name")]
#[case(
    json!({"apiVersion": API_VERSION, "kind": "PollerResource", "metadata": {"name": "a", "lables": {}}}),
    "metadata.lables: is not a field: write labels"
)]
#[case(
    json!({"apiVersion": API_VERSION, "kind": "PollerResource", "metadata": {"name": "a"}, "speck": {}}),
    "speck: is not a field: write spec"
)]
fn a_malformed_document_is_refused(#[case] value: Value, #[case] expected: &str) {
    let errors = errors(value);
    assert!(
        errors.iter().any(|error| error.contains(expected)),
        "{errors:?}"
    );
}

#[test]
fn nulls_and_the_status_are_dropped_as_the_server_drops_them() {
    let mut value = poller(
        json!({"instanceRef": {"name": "prod"}, "resource": null, "deletes": {"mode": null}}),
    );
    value["status"] = json!({"anything": 1});
    let Manifest::PollerResource(poller) = read(value).unwrap() else {
        panic!("a poller was written")
    };
    assert_eq!((poller.spec.resource, poller.status), (None, None));
}

#[test]
fn what_is_not_ours_is_named_and_left_alone() {
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "helpdesk"}});
    assert_eq!(read(namespace).unwrap().to_string(), "Namespace helpdesk");
}

#[test]
fn a_secret_is_read_from_both_its_sections() {
    let value = secret(json!({
        "data": {"clientId": "YWJj\n", "clientSecret": "b2xk"}, "stringData": {"clientSecret": "s3cret"},
    }));
    let Manifest::Secret(secret) = read(value).unwrap() else {
        panic!("a Secret was written")
    };
    assert_eq!(secret.entries["clientId"].expose_secret(), "abc");
    assert_eq!(secret.entries["clientSecret"].expose_secret(), "s3cret");
    assert!(!format!("{secret:?}").contains("s3cret"));
}

#[rstest]
#[case(json!({"data": {"key": "s3cret!"}}), "data.key: is not base64")]
#[case(json!({"data": {"key": "//79"}}), "data.key: is not UTF-8 text")]
#[case(json!({"stringData": {"key": 1234}}), "stringData.key: is not text: write it in quotes")]
#[case(json!({"stringdata": {"key": "s3cret!"}}), "stringdata: is not a field: write stringData")]
#[case(json!({"data": "s3cret!"}), "data: is no map")]
fn a_broken_secret_is_refused_without_showing_it(#[case] fields: Value, #[case] expected: &str) {
    let errors = errors(secret(fields));
    assert!(errors[0].contains(expected), "{errors:?}");
    assert!(
        !errors.concat().contains("s3cret!") && !errors.concat().contains("1234"),
        "{errors:?}"
    );
}

#[test]
fn a_changed_connector_is_refused_on_the_object_that_changed() {
    let instance = |connector: &str| {
        read(json!({
            "apiVersion": API_VERSION, "kind": "ConnectorInstance", "metadata": {"name": "prod"},
            "spec": {"connector": connector, "authentication": {"type": "Basic", "secretRef": {"name": "oauth"}}},
        }))
    };
    let (old, new) = (
        instance("servicenow").unwrap(),
        instance("servicenowoauth").unwrap(),
    );
    assert_eq!(validate_update(&old, &old), Ok(()));
    let errors = validate_update(&old, &new).unwrap_err();
    assert!(
        errors[0]
            .to_string()
            .starts_with("ConnectorInstance prod: spec.connector: cannot change"),
        "{errors:?}"
    );
}

/// Any JSON, made of the contract's own words so that it gets past the first check.
fn documents() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("spec"),
        Just("metadata"),
        Just("name"),
        Just("instanceRef"),
        Just("url"),
        Just("refreshInterval"),
        Just("replay"),
        Just("from"),
        Just("to"),
        Just("deletes"),
        Just("startFrom"),
        Just("excludeClasses"),
        Just("x"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "[0-9a-zA-Z:.'=-]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(word.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_document_panics_and_none_is_refused_without_a_word(mut value in documents()) {
        if let Value::Object(document) = &mut value {
            document.insert("apiVersion".to_owned(), API_VERSION.into());
            document.insert("kind".to_owned(), "PollerResource".into());
        }
        if let Err(errors) = read(value) {
            prop_assert!(!errors.is_empty());
        }
    }
}
