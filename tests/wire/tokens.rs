//! Living on tokens: grants, renewal, rotation.

use std::{os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};
use simulator::servicenow::{Instance, TokenFault};

use crate::harness::World;

const CLIENT: [(&str, &str); 2] = [("clientId", "demo-client"), ("clientSecret", "demo-secret")];

/// An instance that authenticates with `grant`, its Secret the client's entries and these.
async fn authenticating(grant: &str, entries: &[(&str, &str)]) -> World {
    let world = World::with_incidents().await;
    world.manifests.edit("servicenow", |instance| {
        let authentication = &mut instance["spec"]["authentication"];
        authentication["type"] = json!(grant);
        authentication["redirectUri"] = json!("https://mycoolapp.com/oauth");
    });
    let entries: serde_json::Map<_, _> = CLIENT
        .iter()
        .chain(entries)
        .map(|(key, value)| ((*key).to_owned(), Value::from(*value)))
        .collect();
    world.manifests.put_secret("oauth", entries.into());
    world
}

fn grants(instance: &Instance) -> Vec<String> {
    let requests = instance.token_requests();
    requests.into_iter().map(|request| request.grant).collect()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[rstest]
#[case("AuthorizationCode", &[("code", "demo-code")], "authorization_code", "refresh_token")]
#[case("ClientCredentials", &[], "client_credentials", "client_credentials")]
#[case("Password", &[("username", "integration"), ("password", "demo-password")], "password", "password")]
#[tokio::test]
async fn each_grant_brings_a_token_and_so_does_the_next_run(
    #[case] grant: &str,
    #[case] entries: &[(&str, &str)],
    #[case] first: &str,
    #[case] next: &str,
) {
    let world = authenticating(grant, entries).await;
    for _ in 0..2 {
        world.instance.create("incident", &[]);
        assert_eq!(world.poll_well().await.len(), 1);
    }
    assert_eq!(grants(&world.instance), [first, next]);
}

#[tokio::test]
async fn a_refresh_token_of_the_users_serves_as_long_as_it_lives() {
    let world = authenticating("RefreshToken", &[]).await;
    let token = world.instance.issue_refresh_token();
    world
        .manifests
        .set("oauth", "/stringData/refreshToken", json!(token));
    world.instance.create("incident", &[]);
    assert_eq!(world.poll_well().await.len(), 1);
    world.instance.revoke_refresh_tokens();
    let ended = world.poll_once().await;
    ended.assert_said(1, &["authorize again", "\"oauth\""]);
}

#[tokio::test]
async fn a_token_that_expires_in_mid_run_is_renewed_without_a_word() {
    let world = World::with_incidents().await;
    let pollen = world.start();
    world.instance.create("incident", &[]);
    world.events(1).await;
    world.instance.shift(TimeDelta::hours(1));
    world.instance.create("incident", &[]);
    world.events(2).await;
    let ended = pollen.terminate().await;
    assert_eq!(
        (ended.code, ended.errors.lines().count()),
        (Some(0), 1),
        "{ended:?}"
    );
    assert_eq!(grants(&world.instance).len(), 2);
}

/// The token that the user gave is dead at the provider, so only the stored one can serve.
#[tokio::test]
async fn a_rotated_refresh_token_survives_a_kill() {
    let world = authenticating("AuthorizationCode", &[("code", "demo-code")]).await;
    world
        .instance
        .configure(|settings| settings.rotate_refresh_tokens = true);
    for _ in 0..3 {
        let pollen = world.start();
        let incident = world.instance.create("incident", &[]);
        world.arrived(&incident).await;
        pollen.kill().await;
        let token = world
            .manifests
            .state()
            .join("tokens/helpdesk/servicenow.json");
        assert_eq!(mode(&token), 0o600);
        assert_eq!(mode(token.parent().unwrap()), 0o700);
    }
    assert_eq!(
        grants(&world.instance),
        ["authorization_code", "refresh_token", "refresh_token"]
    );
}

/// The provider has forgotten the old token, and nobody has the new one.
#[tokio::test]
async fn a_rotated_token_whose_answer_was_lost_asks_for_a_person() {
    let world = authenticating("AuthorizationCode", &[("code", "demo-code")]).await;
    world
        .instance
        .configure(|settings| settings.rotate_refresh_tokens = true);
    assert_eq!(world.poll_well().await, []);
    world.instance.fail_next_token(TokenFault::LostAnswer);
    let ended = world.poll_once().await;
    ended.assert_said(1, &["issued no token: the connection broke"]);
    let ended = world.poll_once().await;
    ended.assert_said(
        1,
        &["refused the refresh token", "authorize again", "\"oauth\""],
    );
}

/// The provider refuses what it has granted before, and no restart tries it a third time.
#[tokio::test]
async fn a_code_whose_answer_was_lost_is_granted_once_and_settled_by_its_refusal() {
    let world = authenticating("AuthorizationCode", &[("code", "demo-code")]).await;
    world.instance.fail_next_token(TokenFault::LostAnswer);
    let ended = world.poll_once().await;
    ended.assert_said(1, &["issued no token: the connection broke"]);
    for words in ["refused the authorization code", "has been used"] {
        world
            .poll_once()
            .await
            .assert_said(1, &[words, "\"oauth\""]);
    }
    let granted: Vec<_> = world.instance.token_requests();
    let granted = granted.iter().map(|request| request.granted);
    assert_eq!(granted.collect::<Vec<_>>(), [true, false]);
}

/// Nobody knows then whether the provider has looked at it.
#[tokio::test]
async fn a_code_whose_exchange_was_killed_is_exchanged_by_the_next_process_and_by_no_other() {
    let world = authenticating("AuthorizationCode", &[("code", "demo-code")]).await;
    world.instance.fail_next_token(TokenFault::Hang);
    let pollen = world.start();
    world
        .until(|world| !grants(&world.instance).is_empty())
        .await;
    pollen.kill().await;
    for _ in 0..2 {
        world.instance.create("incident", &[]);
        assert_eq!(world.poll_well().await.len(), 1);
    }
    let requests = world.instance.token_requests();
    let requests = requests
        .iter()
        .map(|request| (request.grant.as_str(), request.granted));
    let code = "authorization_code";
    assert_eq!(
        requests.collect::<Vec<_>>(),
        [(code, false), (code, true), ("refresh_token", true)]
    );
}

#[rstest]
#[case::asleep(TokenFault::Html)]
#[case::empty(TokenFault::Empty)]
#[case::closed(TokenFault::CloseConnection)]
#[tokio::test]
async fn a_code_that_was_not_looked_at_is_not_lost(#[case] fault: TokenFault) {
    let world = authenticating("AuthorizationCode", &[("code", "demo-code")]).await;
    world.instance.create("incident", &[]);
    world.instance.fail_next_token(fault);
    assert_ne!(world.poll_once().await.code, Some(0));
    assert_eq!(world.poll_well().await.len(), 1);
}

#[tokio::test]
async fn the_pollers_of_an_instance_share_one_request_for_a_token() {
    let world = World::new().await;
    let tables = [
        "accounts", "contacts", "incident", "problem", "groups", "changes",
    ];
    for table in tables {
        world.poller(table, json!({}));
    }
    world.instance.create("problem", &[]);
    assert_eq!(world.poll_well().await.len(), 1);
    assert_eq!(grants(&world.instance).len(), 1);
}

#[rstest]
#[case::down(TokenFault::Status(503), "issued no token: 503 Service Unavailable")]
#[case::asleep(TokenFault::Html, "issued no token: 200 OK: <!DOCTYPE html>")]
#[case::empty(TokenFault::Empty, "issued no token: 200 OK, and no more")]
#[case::closed(TokenFault::CloseConnection, "issued no token: the connection broke")]
#[tokio::test]
async fn a_token_service_that_fails_is_named(#[case] fault: TokenFault, #[case] words: &str) {
    let world = World::with_incidents().await;
    world.instance.create("incident", &[]);
    world.instance.fail_next_token(fault);
    world.poll_once().await.assert_said(1, &[words]);
    assert_eq!(world.poll_well().await.len(), 1);
}

#[rstest]
#[case::client("clientSecret", "check clientId and clientSecret in Secret \"oauth\"")]
#[case::user("password", "check username and password in Secret \"oauth\"")]
#[tokio::test]
async fn wrong_credentials_are_sent_once_and_named(#[case] entry: &str, #[case] words: &str) {
    let entries = [("username", "integration"), ("password", "demo-password")];
    let world = authenticating("Password", &entries).await;
    let field = format!("/stringData/{entry}");
    world.manifests.set("oauth", &field, json!("wr0ng-s3cret"));
    let ended = world.poll_once_retrying("20s").await;
    ended.assert_said(1, &[words]);
    assert!(!ended.errors.contains("wr0ng-s3cret"), "{ended:?}");
    assert_eq!(world.instance.token_requests().len(), 1);
}

/// Cron starts a process every few minutes.
#[tokio::test]
async fn a_password_that_was_refused_is_not_sent_by_the_next_run_and_another_one_is() {
    let entries = [("username", "integration"), ("password", "wr0ng-s3cret")];
    let world = authenticating("Password", &entries).await;
    let words = "check username and password in Secret \"oauth\"";
    for _ in 0..2 {
        let ended = world.poll_once().await;
        ended.assert_said(1, &[words, "sent again at once when the Secret changes"]);
    }
    assert_eq!(world.instance.token_requests().len(), 1);
    world
        .manifests
        .set("oauth", "/stringData/password", json!("demo-password"));
    for _ in 0..2 {
        world.instance.create("incident", &[]);
        assert_eq!(world.poll_well().await.len(), 1);
    }
}

#[tokio::test]
async fn a_new_client_secret_is_taken_within_seconds() {
    let world = World::with_incidents().await;
    world
        .manifests
        .set("oauth", "/stringData/clientSecret", json!("old"));
    let mut pollen = world.start();
    pollen.has_said("check clientId and clientSecret").await;
    let incident = world.instance.create("incident", &[]);
    let begun = tokio::time::Instant::now();
    world
        .manifests
        .set("oauth", "/stringData/clientSecret", json!("demo-secret"));
    world.arrived(&incident).await;
    // Five seconds, and as much again for a machine that is busy.
    assert!(begun.elapsed() < Duration::from_secs(10));
    let ended = pollen.terminate().await;
    assert!(
        ended
            .output
            .contains("Secret helpdesk/oauth has changed, and is used from now on"),
        "{ended:?}"
    );
}

/// The signing was given its key when the instance was built.
#[tokio::test]
async fn what_of_a_shared_secret_wants_a_restart_is_told() {
    let world = World::with_incidents().await;
    world
        .manifests
        .set("oauth", "/stringData/key", json!("key-1"));
    world.set_callback("signing", json!({"secretRef": {"name": "oauth"}}));
    let mut pollen = world.start();
    world
        .until(|world| !world.instance.token_requests().is_empty())
        .await;
    world
        .manifests
        .set("oauth", "/stringData/key", json!("key-2"));
    pollen
        .has_said(
            "is used by spec.events.callback.signing of ConnectorInstance helpdesk/servicenow too",
        )
        .await;
    pollen.terminate().await;
}

#[tokio::test]
async fn a_new_code_of_the_users_wins_over_the_stored_token_without_a_restart() {
    let world = authenticating("AuthorizationCode", &[("code", "demo-code")]).await;
    let pollen = world.start();
    world
        .until(|world| !grants(&world.instance).is_empty())
        .await;
    world
        .instance
        .configure(|settings| settings.code = "second-code".to_owned());
    world
        .manifests
        .set("oauth", "/stringData/code", json!("second-code"));
    world.until(|world| grants(&world.instance).len() > 1).await;
    let incident = world.instance.create("incident", &[]);
    world.arrived(&incident).await;
    assert_eq!(pollen.terminate().await.code, Some(0));
    let granted = ["authorization_code", "authorization_code"];
    assert_eq!(grants(&world.instance), granted);
}

/// ServiceNow says nothing of the end: the connector knows its hundred days.
#[tokio::test]
async fn an_authorization_that_ends_soon_is_spoken_of() {
    let world = authenticating("AuthorizationCode", &[("code", "demo-code")]).await;
    world.poll_well().await;
    let file = world
        .manifests
        .state()
        .join("tokens/helpdesk/servicenow.json");
    let mut stored: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let end = stored["expiresAt"].as_str().unwrap().to_owned();
    assert!(
        !world.poll_once().await.errors.contains("authorize"),
        "not yet"
    );
    let day = |instant: &str, days| {
        let instant: chrono::DateTime<chrono::Utc> = instant.parse().unwrap();
        json!((instant - TimeDelta::days(days)).to_rfc3339())
    };
    let issued = stored["issuedAt"].as_str().unwrap().to_owned();
    stored["issuedAt"] = day(&issued, 94);
    stored["expiresAt"] = day(&end, 94);
    std::fs::write(&file, stored.to_string()).unwrap();
    let ended = world.poll_once().await;
    ended.assert_said(
        0,
        &[
            "the authorization of ConnectorInstance helpdesk/servicenow ends at",
            "pollen authorize",
        ],
    );
}

#[tokio::test]
async fn a_secret_that_vanishes_is_told_and_stops_nothing() {
    let world = World::with_incidents().await;
    let secret = world.manifests.path().join("oauth.json");
    let content = std::fs::read(&secret).unwrap();
    let mut pollen = world.start();
    world
        .until(|world| !grants(&world.instance).is_empty())
        .await;
    std::fs::remove_file(&secret).unwrap();
    pollen.has_said("Secret helpdesk/oauth is not in").await;
    let incident = world.instance.create("incident", &[]);
    world.arrived(&incident).await;
    std::fs::write(&secret, content).unwrap();
    assert_eq!(pollen.terminate().await.code, Some(0));
}

#[tokio::test]
async fn a_token_service_that_never_answers_does_not_keep_the_process_from_ending() {
    let world = World::with_incidents().await;
    world.instance.fail_next_token(TokenFault::Hang);
    let pollen = world.start();
    world
        .until(|world| !world.instance.token_requests().is_empty())
        .await;
    let begun = tokio::time::Instant::now();
    assert_eq!(pollen.terminate().await.code, Some(0));
    assert!(begun.elapsed() < Duration::from_secs(10));
}
