use crate::client::World;

#[tokio::test]
async fn a_deletion_leaves_a_row_that_names_the_class_and_the_id() {
    let world = World::new().await;
    world
        .instance
        .freeze_at("2026-01-01T00:00:00Z".parse().unwrap());
    let account = [("sys_id", "a"), ("name", "Acme & Sons")];
    world.instance.create("customer_account", &account);
    world.instance.create("core_company", &[("sys_id", "b")]);
    world.instance.shift(chrono::TimeDelta::seconds(5));
    world.instance.delete("a");
    assert_eq!(world.list("core_company", &[]).await.ids(), "b");
    assert_eq!(world.list("customer_account", &[]).await.ids(), "");
    let query = "tablenameINcore_company,customer_account^sys_created_on>=2026-01-01 00:00:05";
    let reply = world
        .list("sys_audit_delete", &[("sysparm_query", query)])
        .await;
    let row = reply.json()["result"][0].clone();
    for (field, expected) in [
        ("tablename", "customer_account"),
        ("documentkey", "a"),
        ("display_value", "Acme & Sons"),
        ("sys_created_on", "2026-01-01 00:00:05"),
    ] {
        assert_eq!(row[field], expected, "{field}");
    }
    let payload = row["payload"].as_str().unwrap();
    assert!(
        payload.contains("<name>Acme &amp; Sons</name>"),
        "{payload}"
    );
}

#[tokio::test]
async fn a_restored_record_is_as_it_was() {
    let world = World::new().await;
    let id = world.instance.create("incident", &[("state", "2")]);
    let before = world.instance.record(&id);
    world.instance.delete(&id);
    assert_eq!(world.instance.record(&id), None);
    world.instance.restore(&id);
    assert_eq!(world.instance.record(&id), before);
    assert!(!world.list("sys_audit_delete", &[]).await.ids().is_empty());
}

#[tokio::test]
async fn a_table_without_the_right_to_it_is_refused() {
    let world = World::new().await;
    world
        .instance
        .configure(|settings| settings.withheld_tables = vec!["sys_audit_delete".to_owned()]);
    let reply = world.list("sys_audit_delete", &[]).await;
    assert_eq!(reply.status, 403);
    assert_eq!(world.list("incident", &[]).await.status, 200);
}
