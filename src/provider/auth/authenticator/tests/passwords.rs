//! A password that is wrong is never sent so often that its user is locked out. A common rule locks out
//! who fails five times within a quarter of an hour, and starts over whenever he fails again.

use rstest::rstest;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

/// How often the password has been sent.
async fn sent(server: &MockServer) -> usize {
    forms(server).await.len()
}

fn store() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(None))
}

/// A process that crashes and starts again sends what it has at each start.
#[tokio::test(start_paused = true)]
async fn a_password_that_was_refused_is_left_alone_by_the_next_process_too() {
    let server = service(vec![refused("access_denied")]).await;
    let (store, mut starts) = (store(), Vec::new());
    let begun = settings(&server, password(), &store);
    for minute in 0..120 {
        let before = sent(&server).await;
        failure(&Authenticator::new(begun.clone_for_a_new_process())).await;
        if sent(&server).await > before {
            starts.push(minute);
        }
        tokio::time::advance(MINUTE).await;
    }
    assert_eq!(starts, [0, 15, 45, 105]);
}

/// Express, Spring and many gateways write no error of OAuth.
#[rstest]
#[case::empty(ResponseTemplate::new(401))]
#[case::page(ResponseTemplate::new(401).set_body_string("<html>Login failed</html>"))]
#[case::error_of_its_own(answer(400, json!({"error": "invalid_credentials"})))]
#[case::in_success(answer(200, json!({"ok": false, "error": "invalid_auth"})))]
#[tokio::test(start_paused = true)]
async fn a_refusal_without_an_error_of_oauth_is_one(#[case] refusal: ResponseTemplate) {
    let server = service(vec![refusal]).await;
    let authenticator = authenticator(&server, password(), &store());
    for _ in 0..15 {
        failure(&authenticator).await;
        tokio::time::advance(MINUTE).await;
    }
    assert_eq!(sent(&server).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_on_a_schedule_sends_a_refused_password_not_much_more_often() {
    let server = service(vec![refused("access_denied")]).await;
    let (store, mut sent_at) = (store(), Vec::new());
    let begun = settings(&server, password(), &store);
    for minute in 0..120 {
        let before = sent(&server).await;
        let authenticator = Authenticator::new(begun.clone_for_a_new_process());
        assert!(authenticator.ask_anew());
        failure(&authenticator).await;
        if sent(&server).await > before {
            sent_at.push(minute);
        }
        tokio::time::advance(MINUTE).await;
    }
    assert_eq!(sent_at, [0, 4, 12, 27, 57, 117]);
}

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
