use rstest::rstest;

use super::*;

#[rstest]
#[case::half_an_hour(1_799, 1_738, 1_740)]
#[case::five_minutes(300, 269, 271)]
#[case::ten_seconds(10, 8, 10)]
#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_ahead_of_its_end_by_a_margin_that_fits_its_life(
    #[case] lifetime: u64,
    #[case] still_used_after: u64,
    #[case] renewed_after: u64,
) {
    let body = |token| json!({"access_token": token, "expires_in": lifetime});
    let server = service(vec![answer(200, body("a1")), answer(200, body("a2"))]).await;
    let store = Arc::new(MemoryStore::new(None));
    let authenticator = authenticator(&server, password(), &store);
    token(&authenticator).await;
    tokio::time::advance(Duration::from_secs(still_used_after)).await;
    assert_eq!(token(&authenticator).await, "Bearer a1");
    tokio::time::advance(Duration::from_secs(renewed_after - still_used_after)).await;
    assert_eq!(token(&authenticator).await, "Bearer a2");
}

#[tokio::test(start_paused = true)]
async fn a_token_of_unknown_life_serves_until_it_is_refused() {
    let body = |token| json!({"access_token": token});
    let server = service(vec![answer(200, body("a1")), answer(200, body("a2"))]).await;
    let store = Arc::new(MemoryStore::new(None));
    let authenticator = authenticator(&server, password(), &store);
    let used = authenticator.authorization().await.unwrap();
    tokio::time::advance(Duration::from_secs(1_000_000)).await;
    assert_eq!(token(&authenticator).await, "Bearer a1");
    authenticator.refused(&used).await.unwrap();
    assert_eq!(token(&authenticator).await, "Bearer a2");
}

#[tokio::test(start_paused = true)]
async fn the_connectors_word_counts_where_the_service_is_silent() {
    let body = |token| json!({"access_token": token});
    let server = service(vec![answer(200, body("a1")), answer(200, body("a2"))]).await;
    let store = Arc::new(MemoryStore::new(None));
    let mut settings = settings(&server, password(), &store);
    settings.lifetimes.access = Some(Duration::from_secs(100));
    let authenticator = Authenticator::new(settings);
    token(&authenticator).await;
    tokio::time::advance(Duration::from_secs(91)).await;
    assert_eq!(token(&authenticator).await, "Bearer a2");
}

#[tokio::test(start_paused = true)]
async fn a_token_near_its_end_serves_while_the_service_fails() {
    let server = service(vec![issued("a1", "r1"), ResponseTemplate::new(500)]).await;
    let store = Arc::new(MemoryStore::new(None));
    let authenticator = authenticator(&server, password(), &store);
    token(&authenticator).await;
    tokio::time::advance(Duration::from_secs(1_750)).await;
    assert_eq!(token(&authenticator).await, "Bearer a1");
    assert_eq!(token(&authenticator).await, "Bearer a1");
    assert_eq!(forms(&server).await.len(), 2);
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(failure(&authenticator).await.category, Category::Provider);
}

/// ServiceNow returns the same refresh token, its life not extended, and says nothing of it.
#[tokio::test(start_paused = true)]
async fn a_person_is_asked_to_authorize_seven_days_before_the_refresh_token_ends() {
    let server = service(vec![issued("a1", "r1"), issued("a2", "r1")]).await;
    let store = Arc::new(MemoryStore::new(None));
    let mut settings = settings(&server, code(), &store);
    settings.lifetimes.refresh = Some(Duration::from_secs(8_640_000));
    let authenticator = Authenticator::new(settings);
    token(&authenticator).await;
    let day = Duration::from_secs(86_400);
    tokio::time::advance(day * 92).await;
    token(&authenticator).await;
    assert_eq!(authenticator.reauthorization_due(), None);
    tokio::time::advance(day).await;
    let due = authenticator.reauthorization_due().unwrap();
    assert_eq!(due.date_naive().to_string(), "2024-04-10");
}

#[tokio::test(start_paused = true)]
async fn a_life_that_is_restated_at_each_refresh_is_still_the_first_one() {
    let days = |left: u64| {
        let body = json!({"access_token": "a", "expires_in": 300, "refresh_token": "r1",
            "refresh_token_expires_in": left * 86_400});
        answer(200, body)
    };
    let server = service(vec![days(10), days(1), days(10)]).await;
    let store = Arc::new(MemoryStore::new(None));
    let authenticator = authenticator(&server, refresh_token("r1"), &store);
    token(&authenticator).await;
    assert_eq!(authenticator.reauthorization_due(), None);
    tokio::time::advance(Duration::from_secs(86_400 * 9)).await;
    token(&authenticator).await;
    assert!(authenticator.reauthorization_due().is_some());
    tokio::time::advance(Duration::from_secs(43_200)).await;
    token(&authenticator).await;
    assert_eq!(
        authenticator.reauthorization_due(),
        None,
        "its end has moved"
    );
}

#[tokio::test(start_paused = true)]
async fn a_rotated_refresh_token_begins_a_new_life() {
    let body = |refresh| {
        json!({"access_token": "a", "expires_in": 300, "refresh_token": refresh,
            "refresh_token_expires_in": 864_000})
    };
    let server = service(vec![answer(200, body("r1")), answer(200, body("r2"))]).await;
    let store = Arc::new(MemoryStore::new(None));
    let authenticator = authenticator(&server, refresh_token("r0"), &store);
    let end = || store.stored().unwrap().expires_at.unwrap();
    token(&authenticator).await;
    let first_end = end();
    // A tenth of ten days is less than seven.
    tokio::time::advance(Duration::from_secs(86_400 * 9)).await;
    assert_eq!(authenticator.reauthorization_due(), Some(first_end));
    token(&authenticator).await;
    assert_eq!(authenticator.reauthorization_due(), None);
    assert_eq!(end() - first_end, TimeDelta::days(9));
}

#[tokio::test(start_paused = true)]
async fn tokens_in_hand_are_the_present_one_and_the_one_before() {
    let server = service(vec![
        issued("a1", "r0"),
        issued("a2", "r0"),
        issued("a3", "r0"),
    ])
    .await;
    let store = Arc::new(MemoryStore::new(None));
    let authenticator = authenticator(&server, refresh_token("r0"), &store);
    let in_hand = || {
        let tokens = authenticator.access_tokens();
        let texts = tokens
            .iter()
            .map(|token| secrecy::ExposeSecret::expose_secret(token).to_owned());
        texts.collect::<Vec<_>>()
    };
    let used = authenticator.authorization().await.unwrap();
    assert_eq!(in_hand(), ["a1"]);
    authenticator.refused(&used).await.unwrap();
    assert_eq!(in_hand(), ["a2", "a1"]);
    tokio::time::advance(Duration::from_secs(1_800)).await;
    token(&authenticator).await;
    assert_eq!(in_hand(), ["a3", "a2"]);
}
