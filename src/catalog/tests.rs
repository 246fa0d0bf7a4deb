use super::*;

#[test]
fn every_builtin_definition_is_read_and_found_by_its_key() {
    let catalog = Catalog::builtin().unwrap();
    assert_eq!(catalog.keys().collect::<Vec<_>>(), ["servicenowoauth"]);
    assert_eq!(catalog.get("servicenowoauth").unwrap().name, "ServiceNow");
    assert!(catalog.get("salesforce").is_none());
}

#[test]
fn a_misspelt_key_is_refused_by_name() {
    let yaml = BUILTIN[0].replace("baseUrl:", "baseURL:");
    let error = Connector::read(&yaml).unwrap_err().to_string();
    assert!(error.contains("baseURL"), "{error}");
}

#[test]
fn a_resource_that_is_not_listed_is_the_table_of_that_name() {
    let connector = Catalog::builtin().unwrap().get("servicenowoauth").unwrap();
    assert_eq!(connector.table("accounts"), "core_company");
    assert_eq!(connector.table("u_machine"), "u_machine");
}

#[test]
fn a_class_extends_its_parents_and_itself_alone() {
    let mut connector =
        Connector::clone(&Catalog::builtin().unwrap().get("servicenowoauth").unwrap());
    assert!(connector.extends("customer_account", "core_company"));
    assert!(connector.extends("core_company", "core_company"));
    assert!(!connector.extends("core_company", "customer_account"));
    connector.classes = [("a", "b"), ("b", "a")]
        .map(|(child, parent)| (child.into(), parent.into()))
        .into();
    assert!(!connector.extends("a", "c"), "a circle of classes ends");
}

#[test]
fn a_host_label_in_every_definition_leads_to_https() {
    let catalog = Catalog::builtin().unwrap();
    let keys = catalog.keys().map(str::to_owned).collect::<Vec<_>>();
    for connector in keys.iter().filter_map(|key| catalog.get(key)) {
        assert!(
            connector.base_url.starts_with("https://"),
            "{}",
            connector.key
        );
        for name in connector.parameters.keys() {
            assert!(
                connector.base_url.contains(&format!("{{{name}}}")),
                "{name} is used"
            );
        }
    }
}

/// `UPDATE_GENERATED=1` writes the schema anew.
#[test]
fn the_schema_is_the_models() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/catalog/schema.json");
    let schema = serde_json::to_string_pretty(&schemars::schema_for!(Connector)).unwrap() + "\n";
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == schema,
        "{path} is out of date: run the tests with UPDATE_GENERATED=1"
    );
}

#[test]
fn every_builtin_definition_follows_the_schema() {
    let schema = serde_json::to_value(schemars::schema_for!(Connector)).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for yaml in BUILTIN {
        let definition = serde_saphyr::from_str::<serde_json::Value>(yaml).unwrap();
        let errors = validator
            .iter_errors(&definition)
            .map(|error| error.to_string())
            .collect::<Vec<_>>();
        assert!(errors.is_empty(), "{errors:?}");
    }
}
