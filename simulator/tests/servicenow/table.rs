use serde_json::{Value, json};

use crate::client::{Reply, World};

const AT: (&str, &str) = ("sys_updated_on", "2026-01-02 03:04:05");

#[tokio::test]
async fn all_values_are_texts_and_what_was_never_set_is_empty() {
    let world = World::new().await;
    let fields = [
        ("number", "INC1"),
        ("u_note", "a\"b\nc"),
        ("active", "true"),
    ];
    let sys_id = world.instance.create("incident", &fields);
    let reply = world.list("incident", &[]).await;
    assert_eq!(
        reply.header("content-type"),
        Some("application/json;charset=UTF-8")
    );
    let row = reply.json()["result"][0].clone();
    assert!(row.as_object().unwrap().values().all(Value::is_string));
    assert_eq!(row["u_note"], "a\"b\nc");
    assert_eq!(
        (&row["sys_mod_count"], &row["caller_id"]),
        (&json!("0"), &json!(""))
    );
    let record = world.instance.record(&sys_id).unwrap();
    assert_eq!(json!(record), row);
}

#[tokio::test]
async fn fields_come_in_the_order_in_which_they_were_given() {
    let world = World::new().await;
    let fields = [("state", "2"), ("number", "INC1"), ("sys_id", "a")];
    world.instance.create("incident", &fields);
    let reply = world.list("incident", &[]).await;
    let start =
        r#"{"result":[{"state":"2","number":"INC1","sys_id":"a","sys_class_name":"incident","#;
    assert!(reply.text().starts_with(start), "{}", reply.text());
}

#[tokio::test]
async fn a_row_is_listed_in_the_table_that_its_own_extends() {
    let world = World::new().await;
    let account = [("name", "Acme"), ("account_code", "17"), ("sys_id", "a")];
    world.instance.create("customer_account", &account);
    world.instance.create("core_company", &[("sys_id", "b")]);
    let companies = world.list("core_company", &[]).await;
    assert_eq!(companies.ids(), "ab");
    let row = &companies.json()["result"][0];
    assert_eq!(
        (&row["sys_class_name"], &row["name"]),
        (&json!("customer_account"), &json!("Acme"))
    );
    // A listing has the columns of its table alone.
    assert_eq!(row.get("account_code"), None);
    let accounts = world.list("customer_account", &[]).await;
    assert_eq!(accounts.ids(), "a");
    assert_eq!(accounts.json()["result"][0]["account_code"], "17");
    let query = [("sysparm_query", "sys_class_name=core_company")];
    assert_eq!(world.list("core_company", &query).await.ids(), "b");
}

#[tokio::test]
async fn a_reference_is_shown_as_it_is_asked_for() {
    let world = World::new().await;
    let abel = [("sys_id", "u1"), ("name", "Abel Tuter")];
    world.instance.create("sys_user", &abel);
    let fields = [("sys_id", "i1"), ("caller_id", "u1"), AT];
    world.instance.create("incident", &fields);
    let link = world.url("/api/now/table/sys_user/u1");
    let exclude = ("sysparm_exclude_reference_link", "true");
    for (parameters, caller, updated) in [
        (vec![], json!({"link": link, "value": "u1"}), json!(AT.1)),
        (vec![exclude], json!("u1"), json!(AT.1)),
        (
            vec![("sysparm_display_value", "true")],
            json!({"display_value": "Abel Tuter", "link": link}),
            json!("2026-01-02 05:04:05"),
        ),
        (
            vec![("sysparm_display_value", "true"), exclude],
            json!("Abel Tuter"),
            json!("2026-01-02 05:04:05"),
        ),
        (
            vec![("sysparm_display_value", "all")],
            json!({"display_value": "Abel Tuter", "link": link, "value": "u1"}),
            json!({"display_value": "2026-01-02 05:04:05", "value": AT.1}),
        ),
    ] {
        let zone = 7200;
        world
            .instance
            .configure(|it| it.literal_offset_seconds = zone);
        let row = world.list("incident", &parameters).await.json()["result"][0].clone();
        assert_eq!(
            (&row["caller_id"], &row["sys_updated_on"]),
            (&caller, &updated),
            "{parameters:?}"
        );
    }
}

#[tokio::test]
async fn only_the_fields_that_are_asked_for_and_exist_are_shown() {
    let world = World::new().await;
    world
        .instance
        .create("incident", &[("sys_id", "a"), ("number", "INC1")]);
    let query = [(
        "sysparm_fields",
        "number, sys_id,u_typo,state,caller_id.name",
    )];
    let reply = world.list("incident", &query).await;
    let expected = r#"{"result":[{"number":"INC1","sys_id":"a","state":""}]}"#;
    assert_eq!(reply.text(), expected);
}

#[tokio::test]
async fn a_record_is_found_by_its_id_in_every_table_that_lists_it() {
    let world = World::new().await;
    world
        .instance
        .create("incident", &[("sys_id", "a"), ("number", "INC1")]);
    for table in ["incident", "task"] {
        let reply = world.get(&format!("/api/now/table/{table}/a"), &[]).await;
        assert_eq!(reply.json()["result"]["number"], "INC1");
    }
    let missing = |reply: Reply| {
        let expected = r#"{"error":{"detail":"Record doesn't exist or ACL restricts the record retrieval","message":"No Record found"},"status":"failure"}"#;
        (reply.status.as_u16(), reply.text() == expected) == (404, true)
    };
    assert!(missing(world.get("/api/now/table/problem/a", &[]).await));
    assert!(missing(world.get("/api/now/table/incident/b", &[]).await));
    world.instance.hide("a");
    assert!(missing(world.get("/api/now/table/incident/a", &[]).await));
}

#[tokio::test]
async fn version_1_answers_404_where_nothing_is_found() {
    let world = World::new().await;
    for (version, status) in [("", 200), ("v2/", 200), ("v1/", 404)] {
        let path = format!("/api/now/{version}table/incident");
        let reply = world.get(&path, &[]).await;
        assert_eq!(reply.status, status, "{path}");
        if status == 200 {
            assert_eq!(reply.text(), r#"{"result":[]}"#);
        }
    }
    world.instance.create("incident", &[("caller_id", "u")]);
    let reply = world.get("/api/now/v1/table/incident", &[]).await;
    let link = &reply.json()["result"][0]["caller_id"]["link"];
    assert_eq!(link, &world.url("/api/now/v1/table/sys_user/u"));
}

#[tokio::test]
async fn errors_are_spelt_as_an_instance_spells_them() {
    let world = World::new().await;
    let relative = [("sysparm_query", "opened_atRELATIVEGT@hour@ago@3")];
    for (path, query, status, message, detail) in [
        (
            "/api/now/table/nope",
            &[][..],
            400,
            "Invalid table nope",
            json!(null),
        ),
        (
            "/api/now/stats/nope",
            &[],
            400,
            "Invalid table nope",
            json!(null),
        ),
        (
            "/api/now/tables",
            &[],
            400,
            "Requested URI does not represent any resource",
            json!(null),
        ),
        (
            "/api/now/table/incident",
            &relative,
            501,
            "the simulator cannot carry out opened_atRELATIVEGT@hour@ago@3 of sysparm_query",
            json!(null),
        ),
    ] {
        let reply = world.get(path, query).await;
        let expected =
            json!({"error": {"message": message, "detail": detail}, "status": "failure"});
        assert_eq!((reply.status.as_u16(), reply.json()), (status, expected));
    }
}

#[tokio::test]
async fn who_is_not_known_is_told_to_authenticate() {
    let world = World::new().await;
    let url = world.url("/api/now/table/incident");
    let expected = json!({
        "error": {"message": "User Not Authenticated", "detail": "Required to provide Auth information"},
        "status": "failure",
    });
    for request in [
        world.http.get(&url),
        world.http.get(&url).bearer_auth("guessed"),
        world
            .http
            .get(&url)
            .basic_auth("integration", Some("guessed")),
    ] {
        let reply = Reply::of(request).await;
        assert_eq!(
            (reply.status.as_u16(), reply.json()),
            (401, expected.clone())
        );
    }
}

#[tokio::test]
async fn rows_are_counted_without_being_listed() {
    let world = World::new().await;
    for state in ["1", "1", "2"] {
        world.instance.create("incident", &[("state", state)]);
    }
    let query = [("sysparm_count", "true"), ("sysparm_query", "state=1")];
    let reply = world.get("/api/now/stats/task", &query).await;
    assert_eq!(reply.json(), json!({"result": {"stats": {"count": "2"}}}));
}

#[tokio::test]
async fn the_date_of_an_answer_is_the_instances() {
    let world = World::new().await;
    world
        .instance
        .freeze_at("2031-01-02T03:04:05Z".parse().unwrap());
    let reply = world.list("incident", &[]).await;
    assert_eq!(reply.header("date"), Some("Thu, 02 Jan 2031 03:04:05 GMT"));
}
