//! `pollen authorize` against a cluster, by the rights of whoever runs it.

use std::{path::Path, process::Stdio, time::Duration};

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    process::{Child, Command},
    time::{Instant, timeout},
};

use super::{
    PATIENCE,
    release::Release,
    stage::{Stage, message_of, poller, secret},
};
use crate::control_plane::ControlPlane;

/// An instance that nobody has authorized yet.
async fn unauthorized(stage: &Stage<'_>) {
    let settings = stage.provider.settings();
    let client = json!({"clientId": settings.client_id, "clientSecret": settings.client_secret});
    let [_, signing] = stage.secrets();
    let mut instance = stage.instance();
    instance["spec"]["authentication"] = json!({
        "redirectUri": "http://127.0.0.1/callback", "secretRef": {"name": "oauth"},
    });
    let objects = [
        secret("oauth", client),
        signing,
        instance,
        poller("incident", "prod"),
    ];
    stage.apply(&objects).await;
}

/// What somebody needs for the command and nothing more.
fn rights() -> [Value; 2] {
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "authorize"},
        "rules": [
            {"apiGroups": ["pollen.dev"], "resources": ["connectorinstances"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["oauth"], "verbs": ["get", "patch"]},
        ],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "authorize"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "authorize"},
        "subjects": [{"kind": "ServiceAccount", "name": "ann"}],
    });
    [role, binding]
}

fn authorize(stage: &Stage<'_>, kubeconfig: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_pollen"))
        .arg("authorize")
        .arg(format!("{}/prod", stage.namespace))
        .args(["--allow-address", "127.0.0.0/8"])
        .env("KUBECONFIG", kubeconfig)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Opens the address that the command shows, as a browser does; returns how it ended and what it said.
async fn browse(mut child: Child) -> (Option<i32>, String) {
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = String::new();
    let end = timeout(PATIENCE, async {
        while let Some(line) = output.next_line().await.unwrap() {
            if line.trim().starts_with("http") {
                reqwest::get(line.trim()).await.unwrap();
            }
            said.push_str(&line);
        }
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .await
            .unwrap();
        child.wait().await.unwrap().code()
    });
    (end.await.expect("pollen did not end"), said)
}

#[tokio::test]
async fn a_refresh_token_goes_into_the_users_secret_and_the_operator_lives_on_it() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    unauthorized(&stage).await;
    let waiting = stage
        .instance_is("prod", "False AuthenticationFailed stalled")
        .await;
    assert!(
        message_of(&waiting).contains("run `pollen authorize`"),
        "{}",
        message_of(&waiting)
    );

    stage
        .plane
        .kubectl(&["create", "serviceaccount", "ann", "-n", &stage.namespace])
        .await
        .unwrap();
    let kubeconfig = stage
        .plane
        .service_account_kubeconfig(&stage.namespace, "ann")
        .await;
    let (code, said) = browse(authorize(&stage, &kubeconfig)).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("this needs the right to get ConnectorInstances"),
        "{said}"
    );
    assert!(stage.provider.token_requests().is_empty());

    stage.apply(&rights()).await;
    let (code, said) = browse(authorize(&stage, &kubeconfig)).await;
    assert_eq!(code, Some(0), "{said}");
    let place = format!("entry refreshToken of Secret {}/oauth", stage.namespace);
    assert!(said.contains(&place), "{said}");
    let begun = Instant::now();
    stage.instance_is("prod", "True Succeeded").await;
    // Five seconds, and as much again for a machine that is busy.
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    let grants = stage
        .provider
        .token_requests()
        .into_iter()
        .map(|request| request.grant);
    assert_eq!(
        grants.collect::<Vec<_>>(),
        ["authorization_code", "refresh_token"]
    );

    let secrets: Api<Secret> = Api::namespaced(stage.client.clone(), &stage.namespace);
    let entries = secrets.get("oauth").await.unwrap().data.unwrap();
    let token = String::from_utf8(entries["refreshToken"].0.clone()).unwrap();
    assert!(entries.contains_key("clientSecret"), "the rest of it stays");
    assert!(!said.contains(&token), "it is not shown");
}

#[tokio::test]
async fn a_secret_that_vanishes_is_waited_for_and_nothing_is_lost() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    stage.set(&["incident"]).await;
    stage.poller_is("incident", "True Succeeded").await;
    stage.delete::<Secret>("oauth").await;
    stage.instance_is("prod", "False SecretNotFound").await;
    let meanwhile = stage.provider.create("incident", &[]);
    let [oauth, _] = stage.secrets();
    stage.apply(&[oauth]).await;
    let events = stage.callback.await_events(1, PATIENCE).await.unwrap();
    assert_eq!(events[0].object_id, meanwhile);
    stage.instance_is("prod", "True Succeeded").await;
}
