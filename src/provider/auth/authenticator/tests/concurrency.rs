use super::*;
use futures::future::join_all;

#[tokio::test(start_paused = true)]
async fn fifty_callers_share_one_refresh() {
    let server = service(vec![issued("a1", "r1"), refused("access_denied")]).await;
    let store = Arc::new(MemoryStore::new(None));
    let authenticator = authenticator(&server, refresh_token("r0"), &store);
    let tokens = join_all((0..50).map(|_| token(&authenticator))).await;
    assert!(tokens.iter().all(|token| token == "Bearer a1"));
    assert_eq!(forms(&server).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn fifty_callers_that_were_refused_share_one_refresh() {
    let server = service(vec![
        issued("a1", "r1"),
        issued("a2", "r2"),
        refused("access_denied"),
    ])
    .await;
    let store = Arc::new(MemoryStore::new(None));
    let authenticator = authenticator(&server, refresh_token("r0"), &store);
    let used = authenticator.authorization().await.unwrap();
    let outcomes = join_all((0..50).map(|_| authenticator.refused(&used))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    // One who was slow to hear of its 401.
    authenticator.refused(&used).await.unwrap();
    assert_eq!(token(&authenticator).await, "Bearer a2");
    assert_eq!(forms(&server).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn fifty_callers_share_one_failure() {
    let server = service(vec![ResponseTemplate::new(500)]).await;
    let store = Arc::new(MemoryStore::new(None));
    let authenticator = authenticator(&server, refresh_token("r0"), &store);
    let failures = join_all((0..50).map(|_| failure(&authenticator))).await;
    assert!(
        failures
            .iter()
            .all(|error| error.category == Category::Provider)
    );
    assert_eq!(forms(&server).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_not_sent_again_for_a_minute() {
    let server = service(vec![refused("access_denied")]).await;
    let store = Arc::new(MemoryStore::new(None));
    let authenticator = authenticator(&server, Grant::ClientCredentials, &store);
    for _ in 0..59 {
        failure(&authenticator).await;
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert_eq!(forms(&server).await.len(), 1);
    tokio::time::advance(Duration::from_secs(1)).await;
    failure(&authenticator).await;
    assert_eq!(forms(&server).await.len(), 2);
}
