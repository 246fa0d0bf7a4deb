//! What must stay secret stands in Secrets alone, whatever goes wrong: not in a log, not in what the API
//! server shows, not in what the operator serves.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use pollen::api::PollerResource;
use serde_json::{Value, json};
use simulator::{
    receiver::Answer,
    servicenow::{Fault, TokenFault},
};

use super::{
    PATIENCE, eventually,
    process::Operator,
    release::Release,
    stage::{Stage, poller, secret},
};
use crate::control_plane::ControlPlane;

/// Every secret of this test contains it.
const MARKER: &str = "S3CR3T";

fn marked(name: &str) -> String {
    format!("{name}-{MARKER}")
}

/// Everything that the operator writes or shows, but for Secrets.
async fn shown(
    stage: &Stage<'_>,
    release: &Release<'_>,
    operator: &Operator,
) -> Vec<(String, String)> {
    let mut all = vec![("the log".to_owned(), operator.log())];
    for path in ["/metrics", "/debug/pollers", "/readyz", "/livez"] {
        all.push((path.to_owned(), operator.get(path).await.1));
    }
    let kinds =
        "connectorinstances,pollerresources,pollerwindows,events.events.k8s.io,leases,configmaps";
    for namespace in [&stage.namespace, &release.namespace] {
        let arguments = ["get", kinds, "-n", namespace, "-o", "json"];
        let objects = stage.plane.kubectl(&arguments).await.unwrap();
        all.push((format!("the objects in {namespace}"), objects));
    }
    all
}

/// Where one of `shown` has one of `forms`.
fn found(shown: &[(String, String)], forms: &[String]) -> Vec<String> {
    let has_one = |text: &str| forms.iter().any(|form| text.contains(form.as_str()));
    let lines = shown.iter().flat_map(|(place, text)| {
        let told = text.lines().filter(|line| has_one(line));
        told.map(move |line| format!("{place}: {}", line.trim()))
    });
    lines.collect()
}

fn oauth(client_secret: &str, token: &str) -> Value {
    json!({
        "clientId": marked("client-id"),
        "clientSecret": marked(client_secret),
        "refreshToken": token,
    })
}

/// An instance that lives on a rotated refresh token and authenticates at its callback, all of whose
/// secrets are marked; and the forms in which these might show.
async fn set_marked(stage: &Stage<'_>) -> Vec<String> {
    stage.provider.configure(|settings| {
        settings.client_id = marked("client-id");
        settings.client_secret = marked("client-secret");
        settings.rotate_refresh_tokens = true;
    });
    let token = stage.provider.issue_refresh_token();
    let mut instance = stage.instance();
    instance["spec"]["authentication"]["type"] = json!("RefreshToken");
    instance["spec"]["events"]["callback"]["authentication"] =
        json!({"type": "Basic", "secretRef": {"name": "callback"}});
    let oauth = oauth("client-secret", &token);
    let (username, password) = (marked("callback-user"), marked("callback-password"));
    let signing = stage.secrets()[1].clone();
    let key = signing["stringData"]["key"].as_str().unwrap().to_owned();
    stage
        .apply(&[
            secret("oauth", oauth),
            signing,
            secret(
                "callback",
                json!({"username": username, "password": password}),
            ),
            instance,
            poller("incident", "prod"),
        ])
        .await;
    let basic = STANDARD.encode(format!("{username}:{password}"));
    vec![MARKER.to_owned(), basic, token, key]
}

#[tokio::test]
async fn a_fleet_full_of_faults_shows_no_secret() {
    let stage = Stage::on(ControlPlane::shared().await).await;
    let watched = format!("watchNamespaces={{{}}},logLevel=trace", stage.namespace);
    let options = ["--set", watched.as_str()];
    let release = Release::install_with(stage.plane, &stage.namespace, &options).await;
    let operator = release.start("pollen-0").await;
    stage.provider.fail_next_token(TokenFault::Html);
    let mut forms = set_marked(&stage).await;
    stage.provider.fail_next(Fault::Unauthorized);
    stage.provider.fail_next(Fault::Truncated);
    stage.poller_is("incident", "True Succeeded").await;
    stage.callback.answer_next(Answer::Status(500));
    stage.callback.answer_next(Answer::Status(422));
    stage.provider.create("incident", &[]);
    stage.callback.await_events(1, PATIENCE).await.unwrap();
    stage
        .until("incident", |poller: &PollerResource| {
            poller.status.as_ref().and_then(|status| status.events) == Some(1)
        })
        .await;
    // Refused for good, in the words of an answer that is no failure by its status.
    stage.provider.fail_next_token(TokenFault::ErrorWith200);
    let token = forms[2].clone();
    stage
        .apply(&[secret("oauth", oauth("another-secret", &token))])
        .await;
    stage
        .instance_is("prod", "False AuthenticationFailed stalled")
        .await;
    forms.extend(rotated_tokens(&stage, &release).await);

    let told = shown(&stage, &release, &operator).await;
    assert!(told[0].1.contains(" TRACE "), "{}", told[0].1);
    assert_eq!(found(&told, &forms), [""; 0]);

    // And the search finds each of them where it is planted.
    for form in &forms {
        stage
            .edit::<PollerResource>(
                "incident",
                json!({"metadata": {"annotations": {"note": format!("x{form}x")}}}),
            )
            .await;
        eventually("the planted secret is found", async || {
            let told = shown(&stage, &release, &operator).await;
            let found = found(&told, std::slice::from_ref(form));
            (!found.is_empty()).then_some(())
        })
        .await;
    }
}

/// The tokens that the operator keeps.
async fn rotated_tokens(stage: &Stage<'_>, release: &Release<'_>) -> Vec<String> {
    let arguments = ["get", "secrets", "-n", &release.namespace, "-o", "json"];
    let list: Value =
        serde_json::from_str(&stage.plane.kubectl(&arguments).await.unwrap()).unwrap();
    let data = list["items"].as_array().unwrap().iter();
    let tokens: Vec<_> = data
        .filter_map(|secret| secret["data"]["refreshToken"].as_str())
        .map(|token| String::from_utf8(STANDARD.decode(token).unwrap()).unwrap())
        .collect();
    assert!(!tokens.is_empty(), "the provider rotates them");
    tokens
}
