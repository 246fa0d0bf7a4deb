use std::sync::atomic::Ordering;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_rotated_token_is_stored_before_its_access_token_is_handed_out() {
    let server = service(vec![issued("a1", "r1")]).await;
    let store = Arc::new(MemoryStore::new(None));
    store.pause();
    let authenticator = authenticator(&server, refresh_token("r0"), &store);
    let caller = tokio::spawn(async move { token(&authenticator).await });
    store.waiting.acquire().await.unwrap().forget();
    assert!(!caller.is_finished());
    assert_eq!(store.begun.load(Ordering::Relaxed), 1);
    store.resume();
    assert_eq!(caller.await.unwrap(), "Bearer a1");
    assert_eq!(store.refresh_token().as_deref(), Some("r1"));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_does_not_lose_a_rotated_token() {
    let server = service(vec![issued("a1", "r1")]).await;
    let store = Arc::new(MemoryStore::new(None));
    store.pause();
    let authenticator = authenticator(&server, refresh_token("r0"), &store);
    let shared = Arc::clone(&authenticator);
    let caller = tokio::spawn(async move { token(&shared).await });
    store.waiting.acquire().await.unwrap().forget();
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    store.resume();
    assert_eq!(token(&authenticator).await, "Bearer a1");
    assert_eq!(store.refresh_token().as_deref(), Some("r1"));
    assert_eq!(forms(&server).await.len(), 1);
}

/// The end of the process would otherwise fall between the provider's answer and the store.
#[tokio::test(start_paused = true)]
async fn whoever_ends_the_process_can_wait_until_a_rotated_token_is_stored() {
    let server = service(vec![issued("a1", "r1")]).await;
    let store = Arc::new(MemoryStore::new(None));
    store.pause();
    let authenticator = authenticator(&server, refresh_token("r0"), &store);
    authenticator.rest().await;
    let shared = Arc::clone(&authenticator);
    let caller = tokio::spawn(async move { token(&shared).await });
    store.waiting.acquire().await.unwrap().forget();
    caller.abort();
    let rest = authenticator.rest();
    tokio::pin!(rest);
    assert!(futures::poll!(&mut rest).is_pending());
    store.resume();
    rest.await;
    assert_eq!(store.refresh_token().as_deref(), Some("r1"));
}

/// The provider has forgotten the old one, and the next try of the store is seconds away.
#[tokio::test(start_paused = true)]
async fn whoever_ends_the_process_has_the_store_take_at_once_what_it_would_not_take_before() {
    let server = service(vec![issued("a1", "r1")]).await;
    let store = Arc::new(MemoryStore::new(None));
    store.fail(Some(TokenStoreError::Unavailable("disk full".to_owned())));
    let authenticator = authenticator(&server, refresh_token("r0"), &store);
    failure(&authenticator).await;
    let began = Instant::now();
    let rest = authenticator.rest();
    tokio::pin!(rest);
    assert!(futures::poll!(&mut rest).is_pending());
    store.fail(None);
    rest.await;
    assert_eq!(store.refresh_token().as_deref(), Some("r1"));
    assert!(began.elapsed() < FAILED, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_stays_is_not_written_again() {
    let server = service(vec![issued("a", "r0")]).await;
    let store = Arc::new(MemoryStore::new(None));
    let authenticator = authenticator(&server, refresh_token("r0"), &store);
    for _ in 0..3 {
        token(&authenticator).await;
        tokio::time::advance(Duration::from_secs(1_800)).await;
    }
    assert_eq!(received(&server, "refresh_token").await, ["r0", "r0", "r0"]);
    assert_eq!(store.written.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_the_store_would_not_take_is_stored_before_anything_else() {
    let server = service(vec![issued("a1", "r1")]).await;
    let store = Arc::new(MemoryStore::new(None));
    store.fail(Some(TokenStoreError::Unavailable("disk full".to_owned())));
    let authenticator = authenticator(&server, refresh_token("r0"), &store);
    let error = failure(&authenticator).await;
    assert_eq!(error.category, Category::Internal);
    assert!(error.message.contains("disk full"), "{error}");
    store.fail(None);
    tokio::time::advance(Duration::from_secs(6)).await;
    assert_eq!(token(&authenticator).await, "Bearer a1");
    assert_eq!(store.refresh_token().as_deref(), Some("r1"));
    assert_eq!(forms(&server).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_the_store_would_not_take_yields_to_one_issued_later() {
    let server = service(vec![issued("a1", "r1"), issued("a2", "newer")]).await;
    let store = Arc::new(MemoryStore::new(None));
    store.fail(Some(TokenStoreError::Busy));
    let settings = settings(&server, refresh_token("r0"), &store);
    let grown_from = settings.credentials.grown_from(&"r0".into());
    let authenticator = Authenticator::new(settings);
    let error = failure(&authenticator).await;
    assert_eq!(error.retry_after, Some(Duration::from_secs(5)));
    store.put(StoredToken {
        refresh_token: Some("newer".into()),
        grown_from,
        issued_at: "2024-01-02T00:00:00Z".parse().unwrap(),
        expires_at: None,
        earlier: None,
    });
    tokio::time::advance(Duration::from_secs(6)).await;
    assert_eq!(token(&authenticator).await, "Bearer a2");
    assert_eq!(received(&server, "refresh_token").await, ["r0", "newer"]);
    assert_eq!(store.refresh_token().as_deref(), Some("newer"));
}
