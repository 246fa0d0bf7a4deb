//! The fields of a Secret that fewer instances have, each marked: none shows in a run at trace level at
//! whose other end somebody repeats whatever he is sent.

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode, Uri},
    routing::any,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rstest::rstest;
use serde_json::{Value, json};
use simulator::Served;

use crate::{
    credentials::{manifests, poll},
    harness::{Authority, World},
    secrets::{
        MARKER, assert_kept, careless_provider, contains_one, files_with, odd_secret, repeated,
        secret,
    },
};

/// A server that answers with `status`, and in words with all that it was sent.
async fn careless(status: StatusCode) -> Served {
    let repeat = move |uri: Uri, headers: HeaderMap, body: Bytes| async move {
        (status, format!("{uri} {}", repeated(&headers, &body)))
    };
    let router = Router::new().fallback(any(repeat));
    Served::start("127.0.0.1:0", router).await.unwrap()
}

/// Of a key in PEM, what stands between its first and last line.
fn lines_of(pem: &str) -> Vec<String> {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    lines
        .filter(|line| line.len() > 8)
        .map(str::to_owned)
        .collect()
}

fn signing_key(name: &str) -> String {
    format!("whsec_{}", STANDARD.encode(secret(name)))
}

#[rstest]
#[case::bearer(json!({"type": "Bearer"}), "token")]
#[case::header(json!({"type": "Header", "header": "X-Api-Key"}), "value")]
#[tokio::test]
async fn what_a_callback_trusts_is_shown_by_none_of_its_answers(
    #[case] authentication: Value,
    #[case] entry: &str,
    #[values(302, 422, 500)] status: u16,
) {
    let world = World::with_incidents().await;
    world.instance.create("incident", &[]);
    let callback = careless(StatusCode::from_u16(status).unwrap()).await;
    let url = format!(
        "{}/hooks/{}?code={}",
        callback.url(),
        secret("path"),
        secret("query")
    );
    let identity = Authority::new("clients").identity(|_| {});
    let (new, old) = ("signing-key-of-the-test", "previous-key-of-the-test");
    let mut entries = json!({"key": signing_key(new), "previousKey": signing_key(old)});
    entries[entry] = json!(odd_secret("callback"));
    entries["tls.crt"] = identity["tls.crt"].clone();
    entries["tls.key"] = identity["tls.key"].clone();
    world.manifests.put_secret("callback", entries);
    let named = json!({"name": "callback"});
    let mut authentication = authentication;
    authentication["secretRef"] = named.clone();
    world.set_callback("url", json!(url));
    world.set_callback("authentication", authentication);
    world.set_callback(
        "signing",
        json!({"schemes": ["StandardWebhooks"], "secretRef": named}),
    );
    world.set_callback("tls", json!({"secretRef": named}));

    let mut forms = lines_of(identity["tls.key"].as_str().unwrap());
    forms.extend([
        MARKER.to_owned(),
        STANDARD.encode(secret(new)),
        STANDARD.encode(secret(old)),
    ]);
    let ended = world
        .run(&["--once", "--retry-for", "0s", "--log", "trace"])
        .await;
    ended.assert_said(1, &[&status.to_string(), " TRACE "]);
    assert_kept(&world, &ended, &forms);
}

#[rstest]
#[case::of_a_person("code")]
#[case::of_an_earlier_authorization("refreshToken")]
#[tokio::test]
async fn what_a_person_got_from_the_provider_is_shown_by_none_of_its_answers(#[case] entry: &str) {
    let world = World::with_incidents().await;
    world.manifests.edit("servicenow", |instance| {
        let authentication = &mut instance["spec"]["authentication"];
        authentication["type"] = json!("AuthorizationCode");
        authentication["redirectUri"] = json!("https://mycoolapp.com/oauth");
    });
    let verifier = format!("{}-{}", secret("verifier"), "x".repeat(43));
    let mut entries = json!({
        "clientId": secret("client-id"), "clientSecret": odd_secret("client-secret"), "codeVerifier": verifier,
    });
    entries[entry] = json!(odd_secret(entry));
    world.manifests.put_secret("oauth", entries);
    let provider = careless_provider(false).await;
    world
        .manifests
        .set("servicenow", "/spec/baseUrl", json!(provider.url()));
    let ended = world
        .run(&["--once", "--retry-for", "0s", "--log", "trace"])
        .await;
    ended.assert_said(1, &["[redacted]", " TRACE "]);
    assert_kept(&world, &ended, &[MARKER.to_owned()]);
}

#[rstest]
#[case::of_the_client("ClientCredentials", json!({"oauth": {
    "clientAuthentication": "PrivateKeyJwt", "assertion": {"algorithm": "RS256"},
}}))]
#[case::about_a_user("JwtBearer", json!({"oauth": {
    "grants": ["JwtBearer"], "assertion": {"algorithm": "RS256"},
}}))]
#[tokio::test]
async fn neither_a_private_key_nor_what_it_signed_is_shown(
    #[case] kind: &str,
    #[case] definition: Value,
) {
    let key = include_str!("../vectors/keys/rsa-pkcs8.pem");
    let entries = json!({
        "clientId": secret("client-id"), "clientSecret": odd_secret("client-secret"),
        "privateKey": key, "subject": "integration",
    });
    let provider = careless_provider(false).await;
    let manifests = manifests(&provider, kind, &entries);
    let (_, said) = poll(manifests.path(), &definition).await;
    assert!(said.contains("[redacted]"), "{said}");
    let mut forms = lines_of(key);
    // How every signed assertion begins.
    forms.extend([odd_secret("client-secret"), "eyJ".to_owned()]);
    assert!(!contains_one(&said, &forms), "{said}");
    assert_eq!(files_with(&manifests.state(), &forms), [""; 0]);
}
