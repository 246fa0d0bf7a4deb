//! Mistakes of people: each is named with object, field and remedy, ends the run as designed, and
//! keeps no other poller from its work.

use rstest::rstest;
use serde_json::{Value, json};

use crate::harness::{Manifests, World};

/// A sound poller of incidents with one to deliver, and another instance with a poller of problems,
/// which are to be spoilt.
async fn world() -> World {
    let world = World::with_incidents().await;
    world.add_another_instance();
    world.manifests.put_secret(
        "other-oauth",
        json!({"clientId": "demo-client", "clientSecret": "demo-secret"}),
    );
    let secret = json!("other-oauth");
    world
        .manifests
        .set("other", "/spec/authentication/secretRef/name", secret);
    world.instance.create("incident", &[]);
    world.instance.create("problem", &[]);
    world
}

fn delivered(world: &World) -> Vec<String> {
    let events = world.receiver.acknowledged();
    events.into_iter().map(|event| event.object_type).collect()
}

#[tokio::test]
async fn without_a_mistake_both_pollers_deliver() {
    let world = world().await;
    world.poll_well().await;
    let mut delivered = delivered(&world);
    delivered.sort_unstable();
    assert_eq!(delivered, ["incident", "problem"]);
}

/// Sets one field of one object.
fn set(object: &str, pointer: &str, value: Value) -> impl FnOnce(&Manifests) {
    move |manifests| manifests.set(object, pointer, value)
}

const INSTANCE: &str = "ConnectorInstance helpdesk/other: ";
const POLLER: &str = "PollerResource helpdesk/problem: ";

#[rstest]
#[case::unknown_connector(
    set("other", "/spec/connector", json!("servicenowauth")),
    &[INSTANCE, "spec.connector: \"servicenowauth\" is no connector", "write one of servicenowoauth"],
)]
#[case::resource_that_is_no_table(
    set("problem", "/spec/resource", json!("a/../b")),
    &[POLLER, "spec.resource: "],
)]
#[case::missing_entry_of_a_secret(
    set("other-oauth", "/stringData", json!({"clientId": "demo-client"})),
    &[INSTANCE, "spec.authentication.secretRef: Secret \"other-oauth\" has no entry \"clientSecret\": add it"],
)]
#[case::clause_without_translation(
    set("problem", "/spec/url", json!("/hubs/helpdesk/problems?where=a=1 or (b=2 and c=3)")),
    &[POLLER, "spec.url: ", "conditions joined with and cannot be an alternative"],
)]
#[case::format_that_java_refuses(
    set("problem", "/spec/datesConfiguration", json!({"updatedDateField": "u", "updatedDateFormat": "yyyy-bb"})),
    &[POLLER, "spec.datesConfiguration.updatedDateFormat: "],
)]
#[case::interval_below_a_second(
    set("problem", "/spec/refreshInterval", json!("500ms")),
    &[POLLER, "spec.refreshInterval: ", "1s"],
)]
#[case::callback_with_credentials(
    set("other", "/spec/events/callback/url", json!("https://me:hunter2@127.0.0.1/events")),
    &[INSTANCE, "spec.events.callback.url: ", "without"],
)]
#[case::address_that_is_not_allowed(
    set("other", "/spec/baseUrl", json!("https://10.1.2.3")),
    &[INSTANCE, "spec.baseUrl: 10.1.2.3 is a private address", "--allow-address 10.1.2.3/32"],
)]
#[case::field_that_is_none(
    set("problem", "/spec/refreshIntervall", json!("5m")),
    &[POLLER, "refreshIntervall", "refreshInterval"],
)]
#[case::instance_that_is_not_there(
    set("problem", "/spec/instanceRef/name", json!("another")),
    &[POLLER, "spec.instanceRef.name: no ConnectorInstance \"another\"", "add it, or name one that is there"],
)]
#[tokio::test]
async fn a_manifest_that_is_wrong_is_named_and_the_others_are_run(
    #[case] spoil: impl FnOnce(&Manifests),
    #[case] words: &[&str],
) {
    let world = world().await;
    spoil(&world.manifests);
    for ended in [world.check().await, world.poll_once().await] {
        ended.assert_said(2, words);
        let object = words[0];
        assert!(
            ended.errors.lines().all(|line| line.contains(object)),
            "{ended:?}"
        );
        assert!(!ended.errors.contains("hunter2"), "{ended:?}");
    }
    assert_eq!(delivered(&world), ["incident"]);
}

/// To `pollen check` it may be in the cluster.
#[tokio::test]
async fn a_secret_that_is_not_there_is_named_and_the_others_are_run() {
    let world = world().await;
    world.manifests.remove("other-oauth");
    assert_eq!(world.check().await.code, Some(0));
    let field = "spec.authentication.secretRef: Secret \"other-oauth\" does not exist in the instance's namespace";
    world.poll_once().await.assert_said(2, &[INSTANCE, field]);
    assert_eq!(delivered(&world), ["incident"]);
}

#[rstest]
#[case::nobody_listens(
    set("other", "/spec/baseUrl", json!("http://127.0.0.1:1")),
    &["nothing listens there", "check spec.baseUrl or spec.configuration"],
)]
#[case::no_such_host(
    set("other", "/spec/baseUrl", json!("https://nowhere.invalid")),
    &["nowhere.invalid", "no such host", "check spec.baseUrl or spec.configuration"],
)]
#[case::no_such_table(
    set("problem", "/spec/resource", json!("no_such_table")),
    &["/api/now/table/no_such_table", "name an existing table as the poller's resource"],
)]
#[case::wrong_secret(
    set("other-oauth", "/stringData/clientSecret", json!("wr0ng-s3cret")),
    &["check clientId and clientSecret in Secret \"other-oauth\""],
)]
#[case::no_receiver(
    set("other", "/spec/events/callback/url", json!("http://127.0.0.1:1/events")),
    &["nothing listens there", "check spec.events.callback.url"],
)]
#[tokio::test]
async fn what_is_wrong_at_the_other_end_is_named_and_the_others_deliver(
    #[case] spoil: impl FnOnce(&Manifests),
    #[case] words: &[&str],
) {
    let world = world().await;
    spoil(&world.manifests);
    let ended = world.poll_once().await;
    ended.assert_said(1, words);
    ended.assert_said(1, &["problem   error: "]);
    assert_eq!(ended.errors.lines().count(), 1, "{ended:?}");
    assert_eq!(delivered(&world), ["incident"]);
}

#[tokio::test]
async fn what_stands_in_two_files_is_run_from_neither() {
    let world = world().await;
    world.manifests.edit_copy("problem", "copy", |poller| {
        poller["metadata"]["name"] = json!("problem")
    });
    let ended = world.poll_once().await;
    ended.assert_said(2, &[POLLER, "this object is also at"]);
    assert_eq!(delivered(&world), ["incident"]);
}

#[tokio::test]
async fn a_damaged_checkpoint_keeps_no_other_poller_from_running() {
    let world = world().await;
    world.poll_well().await;
    let damaged = world
        .manifests
        .state()
        .join("checkpoints/helpdesk/problem.json");
    std::fs::write(&damaged, "{").unwrap();
    world.instance.create("incident", &[]);
    let ended = world.poll_once().await;
    ended.assert_said(
        1,
        &[
            "problem.json: damaged at line 1",
            "restore the file from a backup",
        ],
    );
    assert_eq!(delivered(&world).len(), 3);
    assert_eq!(std::fs::read(&damaged).unwrap(), b"{");
}

/// What is a child's does not come from its parent while the child's manifest is wrong.
#[tokio::test]
async fn the_records_of_a_poller_that_cannot_be_read_are_kept_for_it() {
    let world = World::new().await;
    world.poller("contacts", json!({}));
    world.poller("customers", json!({"resource": "customer_contact"}));
    assert_eq!(world.poll_well().await, []);
    world
        .manifests
        .set("customers", "/spec/pageSize", json!("many"));
    world.instance.create("customer_contact", &[]);
    world.instance.create("sys_user", &[]);
    world.poll_once().await.assert_said(2, &["spec.pageSize"]);
    assert_eq!(delivered(&world), ["contacts"]);
    world
        .manifests
        .set("customers", "/spec/pageSize", json!(10));
    world.poll_well().await;
    assert_eq!(delivered(&world), ["contacts", "customer_contact"]);
}

#[tokio::test]
async fn a_record_that_makes_no_event_is_counted_and_named_and_the_others_go_on() {
    let world = World::new().await;
    let dates =
        json!({"updatedDateField": "u_changed", "updatedDateFormat": "yyyy-MM-dd HH:mm:ss"});
    let spec = json!({"idField": "number", "datesConfiguration": dates});
    world.poller("incident", spec);
    for (number, changed) in [
        ("INC1", "2026-01-02 03:04:05"),
        ("INC2", "2026-01-02 at noon"),
        ("", "2026-01-03 03:04:05"),
        ("INC4", "2026-01-04 03:04:05"),
    ] {
        world
            .instance
            .create("incident", &[("number", number), ("u_changed", changed)]);
    }
    let ended = world.poll_once().await;
    ended.assert_said(
        0,
        &[
            "incident  warning: 2 records have no event",
            "has no id",
            "its date \"2026-01-02 at noon\" cannot be read",
            "look at spec.idField and spec.datesConfiguration",
        ],
    );
    let got = world.receiver.acknowledged();
    let ids: Vec<_> = got.iter().map(|event| event.object_id.as_str()).collect();
    assert_eq!(ids, ["INC1", "INC4"], "{ended:?}");
    assert_eq!(world.poll_well().await, []);
}
