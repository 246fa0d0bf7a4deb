use futures::future::join_all;
use rstest::rstest;

use super::*;

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

/// A common rule locks a user out who fails five times within a quarter of an hour, and starts over
/// whenever he fails again.
#[tokio::test(start_paused = true)]
async fn a_password_that_was_refused_is_sent_again_ever_more_seldom() {
    let server = service(vec![refused("access_denied")]).await;
    let store = Arc::new(MemoryStore::new(None));
    let authenticator = authenticator(&server, password(), &store);
    let mut sent = Vec::new();
    for minute in 0..24 * 60 {
        failure(&authenticator).await;
        if forms(&server).await.len() > sent.len() {
            sent.push(minute);
        }
        tokio::time::advance(Duration::from_secs(60)).await;
    }
    assert_eq!(sent, [0, 15, 45, 105, 225, 465, 705, 945, 1_185, 1_425]);
}

#[tokio::test(start_paused = true)]
async fn whoever_takes_over_leaves_a_password_alone_that_was_refused_and_tries_another() {
    let server = service(vec![refused("access_denied"), issued("a1", "-")]).await;
    let store = Arc::new(MemoryStore::new(None));
    let renewals = Renewals::default();
    let of = |grant| {
        let settings = settings(&server, grant, &store);
        Authenticator::new(AuthenticatorSettings {
            renewals: renewals.clone(),
            ..settings
        })
    };
    let first = failure(&of(password())).await;
    assert_eq!(failure(&of(password())).await.message, first.message);
    assert!(
        first.message.contains("at once when the Secret changes"),
        "{first}"
    );
    assert_eq!(forms(&server).await.len(), 1);
    let mended = Grant::Password {
        username: "ann".into(),
        password: "another".into(),
    };
    assert_eq!(token(&of(mended)).await, "Bearer a1");
}

/// A mistyped subdomain leads to another customer's service, which knows nobody of that name.
#[rstest]
#[case::place(|settings: &mut AuthenticatorSettings| settings.token_url.set_path("/elsewhere"))]
#[case::parameters(|settings: &mut AuthenticatorSettings| {
    settings.parameters.insert("audience".to_owned(), "api".to_owned());
})]
#[case::scopes(|settings: &mut AuthenticatorSettings| settings.scopes.push("read".to_owned()))]
#[tokio::test(start_paused = true)]
async fn whoever_takes_over_tries_a_password_that_was_refused_in_other_circumstances(
    #[case] mend: fn(&mut AuthenticatorSettings),
) {
    let server = service(vec![refused("access_denied"), issued("a1", "-")]).await;
    let mut settings = settings(&server, password(), &Arc::new(MemoryStore::new(None)));
    failure(&Authenticator::new(settings.clone())).await;
    mend(&mut settings);
    assert_eq!(token(&Authenticator::new(settings)).await, "Bearer a1");
}

#[tokio::test(start_paused = true)]
async fn a_password_that_was_refused_is_sent_at_once_where_somebody_asks_and_then_more_seldom() {
    let server = service(vec![refused("access_denied")]).await;
    let authenticator = authenticator(&server, password(), &Arc::new(MemoryStore::new(None)));
    let pauses = [15, 30].map(|minutes| Some(Duration::from_secs(minutes * 60)));
    for (sent, pause) in (1..).zip(pauses) {
        assert_eq!(failure(&authenticator).await.retry_after, pause);
        assert_eq!(forms(&server).await.len(), sent);
        assert!(authenticator.ask_anew());
    }
}

/// It says nothing of the password.
#[rstest]
#[case::page(ResponseTemplate::new(403).set_body_string("<html>Maintenance</html>"))]
#[case::error_of_its_own(answer(403, json!({"error": "Forbidden"})))]
#[tokio::test(start_paused = true)]
async fn a_gateways_refusal_lengthens_no_outage_of_a_password(#[case] page: ResponseTemplate) {
    let server = service(vec![page, issued("a1", "-")]).await;
    let authenticator = authenticator(&server, password(), &Arc::new(MemoryStore::new(None)));
    let error = failure(&authenticator).await;
    assert_eq!(error.category, Category::Authentication);
    assert_eq!(error.retry_after, None);
    tokio::time::advance(REFUSED).await;
    assert_eq!(token(&authenticator).await, "Bearer a1");
}
