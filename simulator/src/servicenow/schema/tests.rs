use super::*;

fn names(tables: Vec<Arc<str>>) -> Vec<String> {
    let mut names: Vec<_> = tables.iter().map(ToString::to_string).collect();
    names.sort();
    names
}

#[test]
fn a_table_is_listed_with_all_that_it_extends_and_all_that_extend_it() {
    let mut schema = Schema::new();
    schema.add_table("u_major_incident", Some("incident"));
    assert_eq!(
        schema.lineage("u_major_incident")[..],
        ["u_major_incident".into(), "incident".into(), "task".into()]
    );
    assert_eq!(
        names(schema.heirs("incident")),
        ["incident", "u_major_incident"]
    );
}

#[test]
fn columns_are_inherited_and_not_bequeathed_to_parents() {
    let mut schema = Schema::new();
    schema.column_name("customer_account", "u_tier");
    schema.column_name("core_company", "u_region");
    let has = |table: &str, column: &str| schema.table(table).unwrap().column(column).is_some();
    assert!(has("customer_account", "u_region") && has("customer_account", "name"));
    assert!(has("customer_account", "u_tier") && !has("core_company", "u_tier"));
}

#[test]
fn only_tables_of_a_hierarchy_have_a_class() {
    let mut schema = Schema::new();
    schema.add_table("u_machine", None);
    let classed =
        |schema: &Schema, table: &str| schema.table(table).unwrap().column(CLASS).is_some();
    assert!(classed(&schema, "core_company") && classed(&schema, "customer_account"));
    assert!(!classed(&schema, "u_machine") && !classed(&schema, "sys_choice"));
    schema.add_table("u_press", Some("u_machine"));
    assert!(classed(&schema, "u_machine"));
}

#[test]
fn a_reference_names_the_table_of_its_values() {
    let schema = Schema::new();
    let incident = schema.table("incident").unwrap();
    let references = |column: &str| incident.column(column).unwrap().references.as_deref();
    assert_eq!(references("caller_id"), Some("sys_user"));
    assert_eq!(references("assignment_group"), Some("sys_user_group"));
    assert_eq!(references("number"), None);
}
