use std::time::Duration;

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use simulator::servicenow::TokenFault;

use crate::client::{Reply, World};

const CLIENT: [(&str, &str); 2] = [
    ("client_id", "demo-client"),
    ("client_secret", "demo-secret"),
];
const PASSWORD: [(&str, &str); 3] = [
    ("grant_type", "password"),
    ("username", "integration"),
    ("password", "demo-password"),
];

impl World {
    fn token_request(&self, parameters: &[(&str, &str)]) -> reqwest::RequestBuilder {
        let form: Vec<_> = parameters.iter().chain(&CLIENT).collect();
        self.http.post(self.url("/oauth_token.do")).form(&form)
    }

    async fn token(&self, parameters: &[(&str, &str)]) -> Reply {
        Reply::of(self.token_request(parameters)).await
    }

    /// The status that the bearer of a token gets.
    async fn status_of(&self, token: &Value) -> StatusCode {
        let request = self.http.get(self.url("/api/now/table/incident"));
        let token = token["access_token"].as_str().unwrap();
        Reply::of(request.bearer_auth(token)).await.status
    }
}

#[tokio::test]
async fn every_grant_brings_an_access_token_that_works() {
    let world = World::new().await;
    let refresh_token = world.instance.issue_refresh_token();
    for (parameters, has_refresh) in [
        (
            vec![("grant_type", "authorization_code"), ("code", "demo-code")],
            true,
        ),
        (
            vec![
                ("grant_type", "refresh_token"),
                ("refresh_token", &refresh_token),
            ],
            true,
        ),
        (PASSWORD.to_vec(), true),
        (vec![("grant_type", "client_credentials")], false),
    ] {
        let reply = world.token(&parameters).await;
        let token = reply.json();
        assert_eq!(
            (reply.status.as_u16(), &token["token_type"]),
            (200, &json!("Bearer"))
        );
        assert_eq!(
            (&token["expires_in"], &token["scope"]),
            (&json!(1799), &json!("useraccount"))
        );
        assert_eq!(token["refresh_token"].is_string(), has_refresh);
        assert_eq!(world.status_of(&token).await, 200);
    }
    let requests = world.instance.token_requests();
    let seen: Vec<_> = requests
        .iter()
        .map(|it| (it.grant.as_str(), it.granted))
        .collect();
    let expected = [
        "authorization_code",
        "refresh_token",
        "password",
        "client_credentials",
    ];
    assert_eq!(seen, expected.map(|grant| (grant, true)));
}

#[tokio::test]
async fn a_token_ends_by_the_instances_clock_or_by_being_revoked() {
    let world = World::new().await;
    world
        .instance
        .configure(|it| it.access_token_lifetime = Duration::from_secs(60));
    let token = world.token(&PASSWORD).await.json();
    assert_eq!(world.status_of(&token).await, 200);
    world.instance.shift(TimeDelta::seconds(61));
    assert_eq!(world.status_of(&token).await, 401);
    let token = world.token(&PASSWORD).await.json();
    assert_eq!(world.status_of(&token).await, 200);
    world.instance.revoke_access_tokens();
    assert_eq!(world.status_of(&token).await, 401);
}

#[tokio::test]
async fn a_refusal_says_no_more_than_an_instance_does() {
    let world = World::new().await;
    let wrong_user = [PASSWORD[0], PASSWORD[1], ("password", "guessed")];
    for (parameters, status, error) in [
        (&wrong_user[..], 401, "server_error"),
        (
            &[("grant_type", "refresh_token"), ("refresh_token", "old")],
            401,
            "server_error",
        ),
        (&[("grant_type", "implicit")], 401, "unsupported_grant_type"),
        (
            &[("grant_type", "password"), ("client_id", "other")],
            401,
            "invalid_client",
        ),
    ] {
        let reply = world.token(parameters).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json()["error"]),
            (status, &json!(error))
        );
        if error == "server_error" {
            assert_eq!(reply.json()["error_description"], "access_denied");
        }
    }
    assert!(
        world
            .instance
            .token_requests()
            .iter()
            .all(|request| !request.granted)
    );
}

#[tokio::test]
async fn parameters_must_be_a_form() {
    let world = World::new().await;
    let request = world.http.post(world.url("/oauth_token.do"));
    let request = request.header("content-type", "application/json");
    let body = json!({"grant_type": "client_credentials", "client_id": "demo-client", "client_secret": "demo-secret"});
    let reply = Reply::of(request.body(body.to_string())).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["error"]),
        (400, &json!("invalid_request"))
    );
    assert!(!world.instance.token_requests()[0].granted);
}

#[tokio::test]
async fn the_users_consent_brings_a_code_for_the_same_redirect_uri() {
    let world = World::new().await;
    let uri = "https://client.example.com/callback?x=1";
    let query = [
        ("response_type", "code"),
        ("client_id", "demo-client"),
        ("redirect_uri", uri),
        ("state", "a b&c"),
    ];
    let reply = Reply::of(world.http.get(world.url("/oauth_auth.do")).query(&query)).await;
    assert_eq!(reply.status, 302);
    let location = reply.header("location").unwrap();
    let url = reqwest::Url::parse(location).unwrap();
    let pairs: Vec<_> = url.query_pairs().collect();
    assert!(location.starts_with(uri) && pairs[2] == ("state".into(), "a b&c".into()));
    let grant = [("grant_type", "authorization_code"), ("code", &*pairs[1].1)];
    assert_eq!(world.token(&grant).await.status, 401);
    let grant = [grant[0], grant[1], ("redirect_uri", uri)];
    assert_eq!(world.token(&grant).await.status, 200);
    assert_eq!(world.token(&grant).await.status, 401);
}

#[tokio::test]
async fn consent_is_not_asked_for_what_is_not_complete() {
    let world = World::new().await;
    let complete = [
        ("response_type", "code"),
        ("client_id", "demo-client"),
        ("redirect_uri", "https://client.example.com"),
        ("state", "s"),
    ];
    for (missing, complaint) in [
        ("response_type", "Invalid response_type"),
        ("client_id", "Invalid client_id"),
        ("redirect_uri", "Invalid redirect_uri"),
        ("state", "Missing State parameter in request"),
    ] {
        let query: Vec<_> = complete
            .iter()
            .filter(|(name, _)| *name != missing)
            .collect();
        let reply = Reply::of(world.http.get(world.url("/oauth_auth.do")).query(&query)).await;
        assert_eq!((reply.status.as_u16(), reply.text()), (400, complaint));
    }
}

#[tokio::test]
async fn a_fault_of_the_token_service_uses_up_no_code() {
    let world = World::new().await;
    let grant = [("grant_type", "authorization_code"), ("code", "demo-code")];
    for (fault, status, content_type, text) in [
        (
            TokenFault::Status(503),
            503,
            Some("application/json;charset=UTF-8"),
            "server_error",
        ),
        (
            TokenFault::ErrorWith200,
            200,
            Some("application/json;charset=UTF-8"),
            "invalid_grant",
        ),
        (
            TokenFault::Html,
            200,
            Some("text/html; charset=utf-8"),
            "<!DOCTYPE html>",
        ),
        (TokenFault::Empty, 200, None, ""),
    ] {
        world.instance.fail_next_token(fault);
        let reply = world.token(&grant).await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("content-type")),
            (status, content_type)
        );
        assert!(reply.text().contains(text), "{fault:?}");
    }
    world.instance.fail_next_token(TokenFault::CloseConnection);
    assert!(world.token_request(&grant).send().await.is_err());
    assert_eq!(world.token(&grant).await.status, 200);
    let granted: Vec<_> = world
        .instance
        .token_requests()
        .iter()
        .map(|it| it.granted)
        .collect();
    assert_eq!(granted, [false, false, false, false, false, true]);
}

#[tokio::test]
async fn a_lost_answer_has_rotated_the_refresh_token() {
    let world = World::new().await;
    world
        .instance
        .configure(|settings| settings.rotate_refresh_tokens = true);
    let token = world.instance.issue_refresh_token();
    let grant = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str()),
    ];
    world.instance.fail_next_token(TokenFault::LostAnswer);
    assert!(world.token_request(&grant).send().await.is_err());
    assert!(world.instance.token_requests()[0].granted);
    assert_eq!(world.token(&grant).await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn a_token_service_may_never_answer() {
    let world = World::new().await;
    world.instance.fail_next_token(TokenFault::Hang);
    let request = world.token_request(&PASSWORD).send();
    let waited = tokio::time::timeout(Duration::from_secs(3600), request).await;
    assert!(waited.is_err());
}
