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
