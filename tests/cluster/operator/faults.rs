//! What a user can get wrong: each is told on the object, and nobody else suffers.

use serde_json::{Value, json};

use super::{
    PATIENCE,
    release::Release,
    stage::{Conditioned as _, Stage, message_of, poller, ready_of, secret},
};
use crate::control_plane::ControlPlane;

fn named(mut object: Value, name: &str) -> Value {
    object["metadata"]["name"] = json!(name);
    object
}

#[tokio::test]
async fn an_instance_that_cannot_run_says_why_and_the_others_go_on() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    stage.set(&["incident"]).await;
    let instance = |name: &str, pointer: &str, value: Value| {
        let mut object = named(stage.instance(), name);
        *object.pointer_mut(pointer).unwrap() = value;
        object
    };
    let secret_name = "/spec/authentication/secretRef/name";
    stage
        .apply(&[
            secret("half", json!({"clientId": "demo-client"})),
            instance("unknown", "/spec/connector", json!("nosuchconnector")),
            instance("secretless", secret_name, json!("nowhere")),
            instance("keyless", secret_name, json!("half")),
            instance(
                "inside",
                "/spec/events/callback/url",
                json!("http://169.254.169.254/events"),
            ),
            named(poller("problem", "unknown"), "of-unknown"),
            instance("unresolved", "/spec/baseUrl", json!("https://acme.invalid")),
            named(poller("problem", "unresolved"), "of-unresolved"),
        ])
        .await;
    let cases = [
        (
            "unknown",
            "False UnknownConnector stalled",
            "servicenowoauth",
        ),
        ("secretless", "False SecretNotFound", "\"nowhere\""),
        ("keyless", "False SecretNotFound", "\"clientSecret\""),
        ("inside", "False AddressRefused stalled", "169.254.169.254"),
        ("unresolved", "Unknown ProviderUnavailable", "acme.invalid"),
    ];
    for (name, ready, part) in cases {
        let told = stage.instance_is(name, ready).await;
        assert!(
            message_of(&told).contains(part),
            "{name}: {}",
            message_of(&told)
        );
        let generation = told.metadata.generation;
        assert_eq!(
            told.status.unwrap().observed_generation,
            generation,
            "{name}"
        );
    }
    stage
        .poller_is("of-unknown", "False InstanceNotReady")
        .await;

    let record = stage.provider.create("incident", &[]);
    let events = stage.callback.await_events(1, PATIENCE).await.unwrap();
    assert_eq!(events[0].object_id, record);
}

#[tokio::test]
async fn a_poller_that_cannot_run_says_why_and_the_others_go_on() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    stage.set(&["incident"]).await;
    let mut untranslatable = poller("where", "prod");
    untranslatable["spec"]["resource"] = json!("accounts");
    untranslatable["spec"]["url"] = json!("/hubs/helpdesk/accounts?where=upper(name)='X'");
    let mut pattern = poller("pattern", "prod");
    pattern["spec"]["resource"] = json!("problem");
    pattern["spec"]["url"] =
        json!("/api/now/table/problem?sysparm_query=sys_updated_on>${gmtDate:yyyy-MM-dd'T}");
    stage
        .apply(&[untranslatable, pattern, poller("nosuchtable", "prod")])
        .await;
    for (name, part) in [
        ("where", "where clause, column 6"),
        ("pattern", "yyyy-MM-dd'T"),
        ("nosuchtable", "nosuchtable"),
    ] {
        let told = stage.poller_is(name, "False InvalidSpec stalled").await;
        assert!(
            message_of(&told).contains(part),
            "{name}: {}",
            message_of(&told)
        );
    }
    stage.provider.create("incident", &[]);
    stage.callback.await_events(1, PATIENCE).await.unwrap();
    assert_eq!(
        ready_of(&stage.poller("incident").await.conditions()),
        "True Succeeded"
    );
}
