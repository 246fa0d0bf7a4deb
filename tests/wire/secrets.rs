//! What must stay secret is in no line and no file, whatever goes wrong.

use std::{fs, path::Path};

use axum::{
    Json, Router,
    body::Bytes,
    http::{HeaderMap, StatusCode, Uri},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use simulator::{
    Served,
    receiver::Answer,
    servicenow::{Fault, TokenFault},
};

use crate::{
    credentials::{manifests, poll},
    harness::{Ended, Manifests, World},
};

/// Every secret of these tests contains it.
pub(crate) const MARKER: &str = "S3CR3T";

/// `name` as a secret.
pub(crate) fn secret(name: &str) -> String {
    format!("{name}-{MARKER}")
}

/// `name` as a secret of letters that forms, JSON and pages write in other ways.
pub(crate) fn odd_secret(name: &str) -> String {
    format!("{name}+/=&\"-{MARKER}")
}

/// A world all of whose secrets are marked.
async fn world() -> World {
    let world = World::with_incidents().await;
    world.manifests.put_secret(
        "oauth",
        json!({
            "clientId": secret("client-id"), "clientSecret": odd_secret("client-secret"),
            "username": secret("username"), "password": odd_secret("password"),
        }),
    );
    world.instance.configure(|settings| {
        settings.client_id = secret("client-id");
        settings.client_secret = odd_secret("client-secret");
        settings.username = secret("username");
        settings.password = odd_secret("password");
    });
    let key = format!(
        "whsec_{}",
        STANDARD.encode(secret("signing-key-of-the-test"))
    );
    world.manifests.put_secret(
        "signing",
        json!({"key": key, "username": secret("callback-user"), "password": odd_secret("callback-password")}),
    );
    world.set_callback(
        "authentication",
        json!({"type": "Basic", "secretRef": {"name": "signing"}}),
    );
    world
        .manifests
        .set("servicenow", "/spec/authentication/type", json!("Password"));
    world
}

/// The forms in which the secrets of [`world`] might show.
fn forms() -> Vec<String> {
    let basic = format!(
        "{}:{}",
        secret("callback-user"),
        odd_secret("callback-password")
    );
    let key = STANDARD.encode(secret("signing-key-of-the-test"));
    vec![MARKER.to_owned(), STANDARD.encode(basic), key]
}

/// Where `folder` has a file that contains one of `forms`.
pub(crate) fn files_with(folder: &Path, forms: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, forms));
        } else if contains_one(&String::from_utf8_lossy(&fs::read(&path).unwrap()), forms) {
            found.push(path.display().to_string());
        }
    }
    found
}

pub(crate) fn contains_one(text: &str, forms: &[String]) -> bool {
    forms.iter().any(|form| text.contains(form))
}

/// Fails where the run said, or left in its state, what contains one of `forms`.
#[track_caller]
pub(crate) fn assert_kept(world: &World, ended: &Ended, forms: &[String]) {
    for text in [&ended.output, &ended.errors] {
        let told = text.lines().find(|line| contains_one(line, forms));
        assert_eq!(told, None);
    }
    let state = world.manifests.state();
    let tokens = state.join("tokens").display().to_string();
    let mut found = files_with(&state, forms);
    found.retain(|path| !path.starts_with(&tokens));
    assert_eq!(found, [""; 0]);
}

#[tokio::test]
async fn a_run_full_of_faults_logs_and_keeps_no_secret() {
    let world = world().await;
    for _ in 0..5 {
        world.instance.create("incident", &[]);
    }
    for fault in [TokenFault::ErrorWith200, TokenFault::Html] {
        world.instance.fail_next_token(fault);
        let ended = world
            .run(&["--once", "--retry-for", "0s", "--log", "trace"])
            .await;
        assert!(ended.errors.contains(" TRACE "), "{ended:?}");
        assert_kept(&world, &ended, &forms());
        // Whoever knows better than to leave the password alone.
        fs::remove_dir_all(world.manifests.state().join("passwords")).unwrap();
    }
    for fault in [Fault::Unauthorized, Fault::Truncated] {
        world.instance.fail_next(fault);
        let ended = world
            .run(&["--once", "--retry-for", "0s", "--log", "trace"])
            .await;
        assert_kept(&world, &ended, &forms());
    }
    world.receiver.answer_next(Answer::Status(500));
    world.receiver.answer_next(Answer::Status(422));
    let ended = world
        .run(&["--once", "--retry-for", "9s", "--log", "trace"])
        .await;
    assert_kept(&world, &ended, &forms());
}

/// The tokens that the provider issued are as secret as what they were issued for.
#[tokio::test]
async fn a_refresh_token_stands_in_its_own_file_alone() {
    let world = World::with_incidents().await;
    world.manifests.edit("servicenow", |instance| {
        instance["spec"]["authentication"] = json!({
            "type": "AuthorizationCode", "redirectUri": "https://mycoolapp.com/oauth",
            "secretRef": {"name": "oauth"},
        });
    });
    let ended = world.run(&["--once", "--log", "trace"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let file = world
        .manifests
        .state()
        .join("tokens/helpdesk/servicenow.json");
    let stored: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let token = stored["refreshToken"].as_str().unwrap().to_owned();
    let forms = [token];
    assert_kept(&world, &ended, &forms);
    let found = files_with(&world.manifests.state(), &forms);
    assert_eq!(
        found,
        [file.display().to_string()],
        "the search finds what is there"
    );
}

/// Everything that a request carried, as a careless server might repeat it.
pub(crate) fn repeated(headers: &HeaderMap, body: &[u8]) -> String {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or_default()))
        .collect();
    // What identifies the caller first: only the beginning of an answer is shown.
    let (own, other): (Vec<_>, Vec<_>) = headers
        .into_iter()
        .partition(|header| header.starts_with("authorization"));
    let body = String::from_utf8_lossy(body).into_owned();
    [own, vec![body], other].concat().join(" ")
}

/// A provider that issues a token, or refuses one, and repeats whatever it is sent.
pub(crate) async fn careless_provider(issues: bool) -> Served {
    let token = move |headers: HeaderMap, body: Bytes| async move {
        if issues {
            let token = json!({"access_token": secret("access"), "expires_in": 1799});
            return (StatusCode::OK, Json(token));
        }
        let refusal =
            json!({"error": "invalid_request", "error_description": repeated(&headers, &body)});
        (StatusCode::BAD_REQUEST, Json(refusal))
    };
    let page = |headers: HeaderMap| async move {
        let error = json!({"error": {"message": repeated(&headers, b"")}, "status": "failure"});
        (StatusCode::INTERNAL_SERVER_ERROR, Json(error))
    };
    let router = Router::new()
        .route("/oauth_token.do", post(token))
        .route("/api/now/table/{table}", get(page));
    Served::start("127.0.0.1:0", router).await.unwrap()
}

#[tokio::test]
async fn a_provider_that_repeats_what_it_was_sent_is_quoted_without_it() {
    for issues in [true, false] {
        let world = world().await;
        let provider = careless_provider(issues).await;
        let url = json!(provider.url());
        world.manifests.set("servicenow", "/spec/baseUrl", url);
        let ended = world
            .run(&["--once", "--retry-for", "0s", "--log", "trace"])
            .await;
        ended.assert_said(1, &["[redacted]"]);
        assert_kept(&world, &ended, &forms());
    }
}

#[tokio::test]
async fn a_callback_that_repeats_what_it_was_sent_is_quoted_without_it() {
    let world = world().await;
    world.instance.create("incident", &[]);
    let repeat = |headers: HeaderMap, body: Bytes| async move {
        let own = format!(
            "{} {}",
            odd_secret("callback-password"),
            repeated(&headers, &body)
        );
        (StatusCode::UNPROCESSABLE_ENTITY, own)
    };
    let router = Router::new().route("/events", post(repeat));
    let callback = Served::start("127.0.0.1:0", router).await.unwrap();
    world.set_callback("url", json!(format!("{}/events", callback.url())));
    let ended = world
        .run(&["--once", "--retry-for", "0s", "--log", "trace"])
        .await;
    ended.assert_said(1, &["422", "[redacted]"]);
    assert_kept(&world, &ended, &forms());
}

/// A key that the query must encode, and the forms in which it might show.
const KEY: &str = "S3&CR3T/key";
const KEY_FORMS: [&str; 2] = [KEY, "S3%26CR3T%2Fkey"];

/// A poller of `provider` that shows its key in the query and reads a listing in no order.
fn manifests_with_a_key_in_the_query(provider: &Served) -> Manifests {
    let manifests = manifests(provider, "ApiKey", &json!({ "apiKey": KEY }));
    let poller = json!({
        "instanceRef": {"name": "prod"}, "resource": "incident", "filterByUpdatedDate": false,
        "url": "/api/now/table/incident?sysparm_fields=number",
    });
    manifests.put("PollerResource", "incident", poller);
    manifests
}

/// Polls once; what was said, in which no form of the key is.
async fn poll_with_a_key_in_the_query(provider: &Served) -> String {
    let manifests = manifests_with_a_key_in_the_query(provider);
    let definition = json!({"apiKey": {"in": "Query", "name": "api_key"}});
    let (_, said) = poll(manifests.path(), &definition).await;
    let forms = KEY_FORMS.map(str::to_owned);
    assert!(!contains_one(&said, &forms), "{said}");
    assert_eq!(files_with(&manifests.state(), &forms), [""; 0]);
    said
}

#[tokio::test]
async fn a_key_in_the_query_is_quoted_in_no_form() {
    let page = |uri: Uri| async move {
        let sent = uri.query().and_then(|query| query.split_once("&api_key="));
        let sent = sent.map(|(_, key)| format!("&api_key={key}"));
        let error = json!({"error": {"message": format!("no such key: {KEY}, of {sent:?}")}});
        (StatusCode::INTERNAL_SERVER_ERROR, Json(error))
    };
    let router = Router::new().route("/api/now/table/{table}", get(page));
    let provider = Served::start("127.0.0.1:0", router).await.unwrap();
    let said = poll_with_a_key_in_the_query(&provider).await;
    assert!(said.contains("api_key=[redacted]"), "{said}");
    assert!(said.contains("no such key: [redacted]"), "{said}");
}

#[tokio::test]
async fn the_search_finds_a_secret_that_is_planted() {
    let world = world().await;
    let state = world.manifests.state();
    fs::create_dir_all(state.join("checkpoints")).unwrap();
    for form in forms() {
        let planted = state.join("checkpoints/planted.json");
        fs::write(&planted, format!("{{\"text\": \"x{form}x\"}}")).unwrap();
        assert_eq!(
            files_with(&state, &forms()),
            [planted.display().to_string()]
        );
        assert!(contains_one(&format!("x{form}x"), &forms()));
    }
}
