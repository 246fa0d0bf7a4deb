use rstest::rstest;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_refused_refresh_token_yields_to_the_one_stored_meanwhile() {
    let server = service(vec![
        issued("a1", "r1"),
        refused("invalid_grant"),
        issued("a2", "r3"),
    ])
    .await;
    let store = Arc::new(MemoryStore::new(None));
    let authenticator = authenticator(&server, refresh_token("r0"), &store);
    let used = authenticator.authorization().await.unwrap();
    let newer = StoredToken {
        refresh_token: Some("r2".into()),
        ..store.stored().unwrap()
    };
    store.replace_after_next_load(newer);
    authenticator.refused(&used).await.unwrap();
    assert_eq!(received(&server, "refresh_token").await, ["r0", "r1", "r2"]);
    assert_eq!(store.refresh_token().as_deref(), Some("r3"));
}

#[tokio::test(start_paused = true)]
async fn a_refused_refresh_token_that_is_still_the_stored_one_ends_the_authorization() {
    let server = service(vec![issued("a1", "r1"), refused("invalid_grant")]).await;
    let store = Arc::new(MemoryStore::new(None));
    let authenticator = authenticator(&server, refresh_token("r0"), &store);
    let used = authenticator.authorization().await.unwrap();
    let error = authenticator.refused(&used).await.unwrap_err();
    assert_eq!(error.category, Category::Authentication);
    assert_eq!(
        error.message,
        "127.0.0.1 refused the refresh token (401 Unauthorized: invalid_grant): it has expired or \
         was revoked; authorize again with `pollen authorize`, or put a new code or refresh token into Secret \
         \"servicenow-oauth\""
    );
    assert_eq!(received(&server, "refresh_token").await, ["r0", "r1"]);
}

#[rstest]
#[case::client(
    refused("invalid_client"),
    Category::Authentication,
    "check clientId and clientSecret"
)]
#[case::password(refused("access_denied"), Category::Authentication, "not locked out")]
#[case::grant(
    refused("unsupported_grant_type"),
    Category::Configuration,
    "the authentication's type"
)]
#[case::place(ResponseTemplate::new(404), Category::Configuration, "the host first")]
#[case::redirect(ResponseTemplate::new(302), Category::Configuration, "302 Found")]
#[case::throttled(ResponseTemplate::new(429), Category::RateLimited, "fewer requests")]
#[case::html(
    ResponseTemplate::new(200).set_body_string("<html>passw0rd-s3cr3t client-s3cr3t</html>"),
    Category::Provider,
    "200 OK: <html>[redacted] [redacted]</html>"
)]
#[case::nothing(ResponseTemplate::new(200), Category::Provider, "200 OK, and no more")]
#[case::error_in_success(
    answer(200, json!({"error": "access_denied"})),
    Category::Authentication,
    "200 OK: access_denied"
)]
#[tokio::test(start_paused = true)]
async fn a_refusal_says_whose_turn_it_is(
    #[case] answer: ResponseTemplate,
    #[case] category: Category,
    #[case] expected: &str,
) {
    let server = service(vec![answer]).await;
    let store = Arc::new(MemoryStore::new(None));
    let error = failure(&authenticator(&server, password(), &store)).await;
    assert_eq!(error.category, category);
    assert!(error.message.contains(expected), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_not_there_is_the_providers_failure() {
    let server = service(vec![ResponseTemplate::new(200)]).await;
    let store = Arc::new(MemoryStore::new(None));
    let mut settings = settings(&server, password(), &store);
    settings.token_url = "http://127.0.0.1:1/".parse().unwrap();
    let error = failure(&Authenticator::new(settings)).await;
    assert_eq!(error.category, Category::Provider);
    assert!(error.is_unreached);
    assert!(
        error.message.contains("no connection could be made"),
        "{error}"
    );
}

#[rstest]
#[case::plain_http("http://93.184.216.34/token", "over https alone")]
#[case::refused_address("https://169.254.169.254/token", "a cloud metadata address")]
#[tokio::test(start_paused = true)]
async fn credentials_are_not_sent_where_they_may_not_go(#[case] url: &str, #[case] expected: &str) {
    let server = service(vec![ResponseTemplate::new(200)]).await;
    let store = Arc::new(MemoryStore::new(None));
    let mut settings = settings(&server, password(), &store);
    settings.token_url = url.parse().unwrap();
    let error = failure(&Authenticator::new(settings)).await;
    assert_eq!(error.category, Category::Configuration);
    assert!(error.message.contains(expected), "{error}");
}

/// An assertion is good for another request until it ends, and Basic for as many as there may be.
#[tokio::test(start_paused = true)]
async fn what_a_request_was_signed_with_is_not_repeated() {
    let repeat = |request: &wiremock::Request| {
        let sent = request
            .headers
            .get("authorization")
            .map_or_else(Vec::new, |value| value.as_bytes().to_vec());
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let url: Url = format!("http://x/?{body}").parse().unwrap();
        let signed = url
            .query_pairs()
            .find(|(name, _)| name == "client_assertion");
        let signed = signed
            .map(|(_, text)| text.into_owned())
            .unwrap_or_default();
        let text = format!("{}{signed}", String::from_utf8_lossy(&sent));
        answer(
            400,
            json!({"error": "invalid_request", "error_description": text}),
        )
    };
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(repeat).mount(&server).await;
    let signing = crate::provider::auth::assertion::tests::assertions("ec-sec1");
    for proof in [
        ClientProof::Header("client-s3cr3t".into()),
        ClientProof::Assertion(signing),
    ] {
        let store = Arc::new(MemoryStore::new(None));
        let mut settings = settings(&server, Grant::ClientCredentials, &store);
        settings.credentials.proof = proof;
        let error = failure(&Authenticator::new(settings)).await;
        assert!(error.message.contains("[redacted]"), "{error}");
    }
}

/// Lives are counted by a clock that nobody sets.
#[tokio::test(start_paused = true)]
async fn a_clock_that_is_years_off_neither_ends_a_token_nor_prolongs_it() {
    let server = service(vec![issued("a1", "r1"), issued("a2", "r2")]).await;
    let mut settings = settings(&server, password(), &Arc::new(MemoryStore::new(None)));
    settings.clock = Clock::starting_at("1999-01-01T00:00:00Z".parse().unwrap());
    let authenticator = Authenticator::new(settings);
    assert_eq!(token(&authenticator).await, "Bearer a1");
    tokio::time::advance(Duration::from_secs(1_700)).await;
    assert_eq!(token(&authenticator).await, "Bearer a1");
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(token(&authenticator).await, "Bearer a2");
}

#[tokio::test(start_paused = true)]
async fn nothing_secret_is_shown() {
    let server = service(vec![issued("access-s3cr3t", "refresh-s3cr3t")]).await;
    let store = Arc::new(MemoryStore::new(None));
    let settings = settings(&server, code(), &store);
    let parts = format!("{:?} {:?}", settings.grant, settings.credentials);
    let authenticator = Authenticator::new(settings);
    let value = authenticator.authorization().await.unwrap();
    let shown = format!("{parts} {authenticator:?} {value:?} {:?}", store.stored());
    assert!(!shown.contains("s3cr3t"), "{shown}");
}
