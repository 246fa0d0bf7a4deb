//! Credentials: changed by their user, rotated by the provider.

use std::time::{Duration, Instant};

use k8s_openapi::api::{core::v1::Secret, rbac::v1::Role};
use kube::{
    Api,
    api::{ListParams, Patch, PatchParams},
};
use pollen::api::PollerResource;
use serde_json::json;

use super::{
    PATIENCE, eventually,
    release::Release,
    stage::{Conditioned as _, Stage, message_of, poller, secret},
};
use crate::control_plane::ControlPlane;

#[tokio::test]
async fn a_changed_secret_is_taken_without_a_restart() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let release = Release::install(stage.plane, &stage.namespace, &stage.namespace).await;
    let _operator = release.start("pollen-0").await;
    let wrong = json!({"clientId": "demo-client", "clientSecret": "not-this-one"});
    let [oauth, signing] = stage.secrets();
    stage
        .apply(&[
            secret("oauth", wrong),
            signing,
            stage.instance(),
            poller("incident", "prod"),
        ])
        .await;
    let refused = stage
        .instance_is("prod", "False AuthenticationFailed stalled")
        .await;
    assert!(!message_of(&refused).contains("not-this-one"));
    stage
        .poller_is("incident", "False AuthenticationFailed")
        .await;

    stage.apply(&[oauth]).await;
    stage.instance_is("prod", "True Succeeded").await;
    stage.poller_is("incident", "True Succeeded").await;
    // And the key of signatures, whose deliveries go on with the next one.
    stage
        .apply(&[secret("signing", json!({"key": "another-key"}))])
        .await;
    let wrongly_signed = || {
        stage.provider.create("incident", &[]);
        let notifications = stage.callback.notifications();
        notifications
            .iter()
            .any(|each| each.signature == simulator::receiver::Signature::Wrong)
    };
    eventually("a signature by the other key", async || {
        wrongly_signed().then_some(())
    })
    .await;
}

/// An instance that lives on a refresh token, which the provider may rotate at each use.
async fn on_a_refresh_token(stage: &Stage<'_>, rotates: bool) {
    stage
        .provider
        .configure(|settings| settings.rotate_refresh_tokens = rotates);
    let settings = stage.provider.settings();
    let [_, signing] = stage.secrets();
    let oauth = json!({
        "clientId": settings.client_id,
        "clientSecret": settings.client_secret,
        "refreshToken": stage.provider.issue_refresh_token(),
    });
    let mut instance = stage.instance();
    instance["spec"]["authentication"]["type"] = json!("RefreshToken");
    stage
        .apply(&[
            secret("oauth", oauth),
            signing,
            instance,
            poller("incident", "prod"),
        ])
        .await;
}

async fn token_secrets(stage: &Stage<'_>, namespace: &str) -> Vec<Secret> {
    let secrets: Api<Secret> = Api::namespaced(stage.client.clone(), namespace);
    let ours = ListParams::default().labels("app.kubernetes.io/component=token");
    secrets.list(&ours).await.unwrap().items
}

#[tokio::test]
async fn a_rotated_refresh_token_stands_in_the_operators_namespace_and_survives_a_kill() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let own = stage.plane.namespace().await;
    let release = Release::install(stage.plane, &own, &stage.namespace).await;
    let operator = release.start("pollen-0").await;
    on_a_refresh_token(&stage, true).await;
    stage.poller_is("incident", "True Succeeded").await;
    let kept = token_secrets(&stage, &own).await;
    assert_eq!(kept.len(), 1);
    assert!(token_secrets(&stage, &stage.namespace).await.is_empty());
    let metadata = &kept[0].metadata;
    let name = metadata.name.clone().unwrap();
    assert!(
        name.starts_with("pollen-token-") && !name.contains("prod"),
        "{name}"
    );
    assert_eq!(metadata.owner_references, None);

    operator.kill().await;
    let used = stage.provider.token_requests().len();
    let _operator = release.start("pollen-0").await;
    stage.provider.create("incident", &[]);
    stage.callback.await_events(1, PATIENCE).await.unwrap();
    let requests = stage.provider.token_requests();
    assert!(
        requests.len() > used,
        "the access token was in memory alone"
    );
    assert!(
        requests.iter().all(|request| request.granted),
        "{requests:?}"
    );
    let data = |secret: &Secret| secret.data.clone().unwrap()["refreshToken"].clone();
    assert_ne!(data(&token_secrets(&stage, &own).await[0]), data(&kept[0]));
}

#[tokio::test]
async fn nothing_is_asked_of_the_provider_with_a_token_whose_successor_is_not_stored() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let own = stage.plane.namespace().await;
    let release = Release::install(stage.plane, &own, &stage.namespace).await;
    let roles: Api<Role> = Api::namespaced(stage.client.clone(), &own);
    let rules = roles.get("pollen").await.unwrap().rules.unwrap();
    let grant = async |rules| {
        let change = Patch::Merge(json!({"rules": rules}));
        roles
            .patch("pollen", &PatchParams::default(), &change)
            .await
            .unwrap();
    };
    let mut without_secrets = rules.clone();
    without_secrets.retain(|rule| rule.resources != Some(vec!["secrets".to_owned()]));
    assert!(without_secrets.len() < rules.len());
    grant(without_secrets).await;
    let _operator = release.start("pollen-0").await;
    on_a_refresh_token(&stage, true).await;
    let names_the_secret = |poller: &PollerResource| {
        let mut conditions = poller.conditions().into_iter();
        conditions.any(|condition| condition.message.contains("token Secret"))
    };
    stage.until("incident", names_the_secret).await;
    assert!(stage.provider.table_requests().is_empty());
    assert!(
        stage.provider.token_requests().is_empty(),
        "nor is a token used up"
    );

    grant(rules).await;
    stage.poller_is("incident", "True Succeeded").await;
}

/// A refresh is marked in the token's Secret, and no mark is to outlast it where nothing is stored behind it.
#[tokio::test]
async fn whoever_takes_over_right_behind_a_refresh_polls_within_ten_seconds() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let own = stage.plane.namespace().await;
    let release = Release::install(stage.plane, &own, &stage.namespace).await;
    let first = release.start("pollen-0").await;
    on_a_refresh_token(&stage, false).await;
    stage.poller_is("incident", "True Succeeded").await;

    let begun = Instant::now();
    first.terminate().await;
    let _second = release.start("pollen-1").await;
    stage.provider.create("incident", &[]);
    stage.callback.await_events(1, PATIENCE).await.unwrap();
    let resumed = begun.elapsed();
    assert!(resumed < Duration::from_secs(10), "{resumed:?}");
}
