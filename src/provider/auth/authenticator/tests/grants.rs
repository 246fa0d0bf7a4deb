use super::*;

#[tokio::test(start_paused = true)]
async fn a_code_is_exchanged_once_and_the_refresh_token_lives_on() {
    let server = service(vec![issued("a1", "r1"), issued("a2", "r1")]).await;
    let store = Arc::new(MemoryStore::new(None));
    let first = authenticator(&server, code(), &store);
    assert_eq!(token(&first).await, "Bearer a1");
    assert_eq!(token(&first).await, "Bearer a1");
    // After a restart the Secret still holds the code.
    let second = authenticator(&server, code(), &store);
    assert_eq!(token(&second).await, "Bearer a2");
    assert_eq!(
        received(&server, "grant_type").await,
        ["authorization_code", "refresh_token"]
    );
    assert_eq!(received(&server, "code").await, ["c0de-s3cr3t", "-"]);
    assert_eq!(
        received(&server, "redirect_uri").await,
        ["https://example.com/oauth", "-"]
    );
    assert_eq!(received(&server, "refresh_token").await, ["-", "r1"]);
    assert_eq!(
        received(&server, "client_id").await,
        ["client-1", "client-1"]
    );
    assert_eq!(
        received(&server, "client_secret").await,
        ["client-s3cr3t", "client-s3cr3t"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_code_is_not_sent_again() {
    let server = service(vec![refused("access_denied")]).await;
    let store = Arc::new(MemoryStore::new(None));
    let first = failure(&authenticator(&server, code(), &store)).await;
    assert_eq!(first.category, Category::Authentication);
    assert!(
        first
            .message
            .contains("refused the authorization code (401"),
        "{first}"
    );
    assert!(first.message.contains("put the new code into"), "{first}");
    assert!(first.message.contains("\"servicenow-oauth\""), "{first}");
    let second = failure(&authenticator(&server, code(), &store)).await;
    assert_eq!(second.category, Category::Authentication);
    assert!(second.message.contains("has been used"), "{second}");
    assert_eq!(forms(&server).await.len(), 1);
}

/// The mistake is the manifest's, and the code may serve once it is mended.
#[tokio::test(start_paused = true)]
async fn a_code_whose_redirect_uri_was_refused_is_not_given_up() {
    let refusal = answer(400, json!({"error": "redirect_uri_mismatch"}));
    let server = service(vec![refusal, issued("a1", "r1")]).await;
    let store = Arc::new(MemoryStore::new(None));
    let error = failure(&authenticator(&server, code(), &store)).await;
    assert_eq!(error.category, Category::Authentication);
    let advice = "write spec.authentication.redirectUri as it is registered there";
    assert!(error.message.contains(advice), "{error}");
    let mended = authenticator(&server, code(), &store);
    assert_eq!(token(&mended).await, "Bearer a1");
}

/// A hibernating instance answers so, and has not looked at the code.
#[tokio::test(start_paused = true)]
async fn a_code_whose_answer_makes_no_sense_is_sent_again_while_it_may_live() {
    let html = || ResponseTemplate::new(200).set_body_string("<html>Sign in</html>");
    let server = service(vec![html(), html(), issued("a1", "r1")]).await;
    let store = Arc::new(MemoryStore::new(None));
    let first = failure(&authenticator(&server, code(), &store)).await;
    assert_eq!(first.category, Category::Provider);
    let restarted = authenticator(&server, code(), &store);
    failure(&restarted).await;
    tokio::time::advance(Duration::from_secs(6)).await;
    assert_eq!(token(&restarted).await, "Bearer a1");
}

#[tokio::test(start_paused = true)]
async fn a_code_whose_fate_stays_unknown_is_given_up_when_no_code_lives_any_more() {
    let server = service(vec![ResponseTemplate::new(200)]).await;
    let store = Arc::new(MemoryStore::new(None));
    let authenticator = authenticator(&server, code(), &store);
    failure(&authenticator).await;
    tokio::time::advance(Duration::from_secs(601)).await;
    let error = failure(&authenticator).await;
    assert_eq!(error.category, Category::Authentication);
    assert!(error.message.contains("put the new code into"), "{error}");
    let cause = "never accepted it, and no code lives longer than ten minutes (at last: 127.0.0.1 issued no token";
    assert!(error.message.contains(cause), "{error}");
    assert_eq!(forms(&server).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_code_that_the_service_could_not_look_at_is_sent_again() {
    let busy = ResponseTemplate::new(503).insert_header("retry-after", "30");
    let server = service(vec![busy, issued("a1", "r1")]).await;
    let store = Arc::new(MemoryStore::new(None));
    let authenticator = authenticator(&server, code(), &store);
    let error = failure(&authenticator).await;
    assert_eq!(error.category, Category::Provider);
    assert_eq!(error.retry_after, Some(Duration::from_secs(30)));
    tokio::time::advance(Duration::from_secs(31)).await;
    assert_eq!(token(&authenticator).await, "Bearer a1");
}

#[tokio::test(start_paused = true)]
async fn a_code_that_brings_no_refresh_token_is_used_up_with_its_access_token() {
    let body = json!({"access_token": "a1", "expires_in": 600});
    let server = service(vec![answer(200, body)]).await;
    let store = Arc::new(MemoryStore::new(None));
    let authenticator = authenticator(&server, code(), &store);
    assert_eq!(token(&authenticator).await, "Bearer a1");
    tokio::time::advance(Duration::from_secs(600)).await;
    assert!(
        failure(&authenticator)
            .await
            .message
            .contains("no refresh token came of it")
    );
    assert_eq!(forms(&server).await.len(), 1);
}

fn another_code(code: &str) -> Grant {
    Grant::AuthorizationCode {
        code: code.into(),
        redirect_uri: None,
        verifier: None,
    }
}

/// A code that is stale or mistyped says nothing against the token before it.
#[tokio::test(start_paused = true)]
async fn a_code_that_is_refused_leaves_the_stored_token_to_whoever_puts_the_secret_back() {
    let html = ResponseTemplate::new(200).set_body_string("<html>Sign in</html>");
    let answers = vec![
        issued("a1", "r1"),
        refused("invalid_grant"),
        html,
        issued("a2", "r2"),
    ];
    let server = service(answers).await;
    let store = Arc::new(MemoryStore::new(None));
    token(&authenticator(&server, code(), &store)).await;
    // One is refused, and another's fate stays unknown.
    for wrong in ["stale", "mistyped"] {
        failure(&authenticator(&server, another_code(wrong), &store)).await;
    }
    let back = authenticator(&server, code(), &store);
    assert_eq!(token(&back).await, "Bearer a2");
    assert_eq!(
        received(&server, "refresh_token").await,
        ["-", "-", "-", "r1"]
    );
    assert_eq!(store.refresh_token().as_deref(), Some("r2"));
}

#[tokio::test(start_paused = true)]
async fn what_comes_of_a_code_takes_the_place_of_the_token_before() {
    let server = service(vec![issued("a1", "r1"), issued("a2", "r2")]).await;
    let store = Arc::new(MemoryStore::new(None));
    token(&authenticator(&server, code(), &store)).await;
    token(&authenticator(&server, another_code("newer"), &store)).await;
    let stored = store.stored().unwrap();
    assert!(stored.refresh_token.is_some() && stored.earlier.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_new_code_of_the_user_wins_over_the_stored_token() {
    let server = service(vec![issued("a1", "r1"), issued("a2", "r2")]).await;
    let store = Arc::new(MemoryStore::new(None));
    token(&authenticator(&server, code(), &store)).await;
    let newer = Grant::AuthorizationCode {
        code: "newer".into(),
        redirect_uri: None,
        verifier: None,
    };
    assert_eq!(
        token(&authenticator(&server, newer, &store)).await,
        "Bearer a2"
    );
    assert_eq!(received(&server, "code").await, ["c0de-s3cr3t", "newer"]);
    assert_eq!(store.refresh_token().as_deref(), Some("r2"));
}

#[tokio::test(start_paused = true)]
async fn another_client_does_not_use_the_stored_token() {
    let server = service(vec![issued("a1", "r1")]).await;
    let store = Arc::new(MemoryStore::new(None));
    token(&authenticator(&server, refresh_token("r0"), &store)).await;
    let mut other = settings(&server, refresh_token("r0"), &store);
    other.credentials.id = "client-2".into();
    token(&Authenticator::new(other)).await;
    assert_eq!(received(&server, "refresh_token").await, ["r0", "r0"]);
}

#[tokio::test(start_paused = true)]
async fn client_credentials_and_password_are_asked_for_anew_and_store_nothing() {
    let grants = [
        (Grant::ClientCredentials, "client_credentials"),
        (password(), "password"),
    ];
    for (grant, name) in grants {
        let server = service(vec![issued("a1", "r1"), issued("a2", "r1")]).await;
        let store = Arc::new(MemoryStore::new(None));
        let authenticator = authenticator(&server, grant, &store);
        token(&authenticator).await;
        tokio::time::advance(Duration::from_secs(1_799)).await;
        assert_eq!(token(&authenticator).await, "Bearer a2");
        assert_eq!(received(&server, "grant_type").await, [name, name]);
        assert!(store.stored().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn scopes_are_asked_for_where_no_code_or_token_carries_them() {
    for (grant, expected) in [(Grant::ClientCredentials, "read write"), (code(), "-")] {
        let server = service(vec![issued("a1", "r1")]).await;
        let store = Arc::new(MemoryStore::new(None));
        let mut settings = settings(&server, grant, &store);
        settings.scopes = vec!["read".to_owned(), "write".to_owned()];
        token(&Authenticator::new(settings)).await;
        assert_eq!(received(&server, "scope").await, [expected]);
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_go_into_the_header_where_the_service_wants_them_there() {
    let server = service(vec![issued("a1", "r1")]).await;
    let store = Arc::new(MemoryStore::new(None));
    let mut settings = settings(&server, Grant::ClientCredentials, &store);
    settings.credentials.proof = ClientProof::Header("a:b c-d".into());
    token(&Authenticator::new(settings)).await;
    let requests = server.received_requests().await.unwrap();
    // client-1:a%3Ab%20c-d
    assert_eq!(
        requests[0].headers["authorization"],
        "Basic Y2xpZW50LTE6YSUzQWIlMjBjLWQ="
    );
    assert_eq!(received(&server, "client_secret").await, ["-"]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_wants_json_gets_the_same_names_in_json() {
    let server = service(vec![issued("a1", "r1")]).await;
    let mut settings = settings(&server, password(), &Arc::new(MemoryStore::new(None)));
    settings.token_body = TokenBody::Json;
    token(&Authenticator::new(settings)).await;
    let request = &server.received_requests().await.unwrap()[0];
    assert_eq!(request.headers["content-type"], "application/json");
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["grant_type"], "password");
    assert_eq!(body["client_secret"], "client-s3cr3t");
}

#[tokio::test(start_paused = true)]
async fn the_definitions_parameters_go_with_every_request() {
    let server = service(vec![issued("a1", "r1"), issued("a2", "r1")]).await;
    let mut settings = settings(&server, code(), &Arc::new(MemoryStore::new(None)));
    let audience = ("audience".to_owned(), "api.example.com".to_owned());
    settings.parameters = BTreeMap::from([audience]);
    let authenticator = Authenticator::new(settings);
    token(&authenticator).await;
    tokio::time::advance(Duration::from_secs(1_800)).await;
    token(&authenticator).await;
    assert_eq!(
        received(&server, "audience").await,
        ["api.example.com", "api.example.com"]
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_code_a_person_is_asked_and_nobody_else() {
    let server = service(vec![issued("a1", "r1")]).await;
    let store = Arc::new(MemoryStore::new(None));
    let error = failure(&authenticator(&server, Grant::Authorized, &store)).await;
    assert_eq!(error.category, Category::Authentication);
    assert!(error.message.contains("run `pollen authorize`"), "{error}");
    assert!(forms(&server).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_that_was_refused_as_a_code_serves_once_it_stands_in_its_own_entry() {
    let server = service(vec![refused("invalid_grant"), issued("a1", "r1")]).await;
    let store = Arc::new(MemoryStore::new(None));
    failure(&authenticator(&server, another_code("r0"), &store)).await;
    let moved = authenticator(&server, refresh_token("r0"), &store);
    assert_eq!(token(&moved).await, "Bearer a1");
    assert_eq!(
        received(&server, "grant_type").await,
        ["authorization_code", "refresh_token"]
    );
}
