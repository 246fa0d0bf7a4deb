//! Credentials go to the host that the instance names, whatever its provider says of others.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, Uri, header::HeaderMap},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use simulator::Served;

use crate::harness::World;

/// A host that nobody named; it takes whatever comes.
#[derive(Clone, Default)]
struct Stranger(Arc<Mutex<Vec<String>>>);

impl Stranger {
    async fn listen(&self) -> Served {
        let seen = Arc::clone(&self.0);
        let router = Router::new().fallback(async move |uri: Uri| {
            seen.lock().unwrap().push(uri.to_string());
            Json(json!({"result": [], "access_token": "stranger"}))
        });
        Served::start("127.0.0.1:0", router).await.unwrap()
    }

    fn requests(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// How a provider sends its callers to somebody else.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lure {
    NextLink,
    PageRedirect,
    TokenRedirect,
}

/// A provider that answers with a lure to `elsewhere`.
async fn luring(lure: Lure, elsewhere: String) -> Served {
    let router = Router::new().fallback(answer).with_state((lure, elsewhere));
    Served::start("127.0.0.1:0", router).await.unwrap()
}

async fn answer(
    State((lure, elsewhere)): State<(Lure, String)>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let target = format!("{elsewhere}{uri}");
    let is_token = uri.path() == "/oauth_token.do";
    let redirects = if is_token {
        lure == Lure::TokenRedirect
    } else {
        lure == Lure::PageRedirect
    };
    if redirects {
        // 307 asks for the same method and body once more.
        return (StatusCode::TEMPORARY_REDIRECT, [("location", target)]).into_response();
    }
    if is_token {
        return Json(json!({"access_token": "access-1", "expires_in": 1799})).into_response();
    }
    assert_eq!(headers["authorization"], "Bearer access-1");
    let link = format!("<{target}>;rel=\"next\"");
    (
        [("link", link), ("x-total-count", "2000".to_owned())],
        Json(page()),
    )
        .into_response()
}

fn page() -> Value {
    let record = |number: u32| {
        json!({
            "sys_id": format!("{number:032}"), "sys_mod_count": "0", "sys_class_name": "incident",
            "sys_created_on": "2024-01-01 00:00:00", "sys_updated_on": "2024-01-01 00:00:00",
        })
    };
    let records: Vec<_> = (0..1_000).map(record).collect();
    json!({ "result": records })
}

/// Polls once through a provider with a lure; what was said, and what the stranger got.
async fn polled(lure: Lure) -> (String, Vec<String>) {
    let world = World::with_incidents().await;
    let stranger = Stranger::default();
    let elsewhere = stranger.listen().await;
    let provider = luring(lure, elsewhere.url()).await;
    world
        .manifests
        .set("servicenow", "/spec/baseUrl", json!(provider.url()));
    if lure == Lure::NextLink {
        let unfiltered = "/spec/filterByUpdatedDate";
        world.manifests.set("incident", unfiltered, json!(false));
    }
    let ended = world.poll_once().await;
    (ended.errors, stranger.requests())
}

#[tokio::test]
async fn a_next_link_to_another_host_is_not_followed() {
    // Pages are asked for by the last record where that is possible, and by the link where it is not.
    let (said, requests) = polled(Lure::NextLink).await;
    assert_eq!(requests, [""; 0], "{said}");
    assert!(said.contains("must not be sent"), "{said}");
}

#[tokio::test]
async fn a_redirect_to_another_host_gets_no_access_token() {
    let (said, requests) = polled(Lure::PageRedirect).await;
    assert_eq!(requests, [""; 0], "{said}");
    assert!(said.contains("307"), "{said}");
}

#[tokio::test]
async fn a_redirect_of_the_token_service_gets_no_client_secret() {
    let (said, requests) = polled(Lure::TokenRedirect).await;
    assert_eq!(requests, [""; 0], "{said}");
    assert!(
        said.contains("307 Temporary Redirect") && said.contains("the host first"),
        "{said}"
    );
}
