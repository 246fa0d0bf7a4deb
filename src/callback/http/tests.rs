mod asking;
mod outages;
mod pauses;
mod receivers;
mod refusals;
mod versions;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use rstest::rstest;
use secrecy::SecretString;
use serde_json::json;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, header},
};

use super::*;
use crate::{
    event::{Event, Identity, Kind},
    network::{AddressPolicy, ClientOptions},
};

const NO_RETRY: RetryPolicy = RetryPolicy {
    first: Duration::ZERO,
    max: Duration::ZERO,
    give_up_after: Duration::ZERO,
};
/// Repeats at once.
const RETRY: RetryPolicy = RetryPolicy {
    give_up_after: Duration::from_secs(60),
    ..NO_RETRY
};

fn callback(
    spec: serde_json::Value,
    retry: RetryPolicy,
) -> Result<HttpCallback, ConfigurationError> {
    HttpCallback::new(CallbackSettings {
        spec: &serde_json::from_value(spec).unwrap(),
        secrets: &secrets(),
        client: client(&ClientOptions::default()),
        dead_letter_client: client(&ClientOptions::default()),
        clock: Clock::system(),
        retry,
    })
}

/// A client that may reach this machine.
fn client(options: &ClientOptions) -> GuardedClient {
    let allowed = vec!["127.0.0.0/8".parse().unwrap()];
    let policy = Arc::new(AddressPolicy::new(allowed, Vec::new()));
    GuardedClient::new(policy, "helpdesk", options).unwrap()
}

fn secrets() -> Secrets {
    let mut secrets = Secrets::default();
    let entries = [
        ("key", "s1gning-k3y"),
        ("token", "b34rer-t0ken"),
        ("username", "ann"),
        ("password", "p4ssw0rd"),
    ];
    let entries = entries.map(|(k, v)| (k.to_owned(), SecretString::from(v)));
    secrets.insert("callback".to_owned(), BTreeMap::from(entries));
    secrets
}

fn full_spec(url: &str) -> serde_json::Value {
    json!({
        "url": url,
        "signing": {"secretRef": {"name": "callback"}},
        "authentication": {"type": "Bearer", "secretRef": {"name": "callback"}},
        "headers": {"X-Region": "eu"},
    })
}

fn origin() -> Origin {
    Origin {
        namespace: "helpdesk".to_owned(),
        instance: "servicenow".to_owned(),
        resource: "accounts".to_owned(),
        connector: "servicenowoauth".to_owned(),
        hub: "helpdesk".to_owned(),
        tags: Vec::new(),
        identity: Identity::new("helpdesk", "servicenow", None),
    }
}

fn notification() -> Notification {
    let event = Event {
        id: origin().event_id("1", "a"),
        kind: Kind::Created,
        object_id: "1".to_owned(),
        changed_at: "2024-01-01T00:00:00Z".parse().unwrap(),
        record: Bytes::from_static(b"{\"sys_id\":\"1\"}"),
    };
    Notification {
        events: vec![event],
        polled_at: "2024-01-01T00:01:00Z".parse().unwrap(),
    }
}

async fn deliver(server: &MockServer, retry: RetryPolicy) -> Delivery {
    let callback = callback(full_spec(&server.uri()), retry).unwrap();
    callback.deliver(&origin(), &notification()).await
}

async fn server(answers: Vec<ResponseTemplate>) -> MockServer {
    let server = MockServer::start().await;
    let last = answers.len() - 1;
    for (index, answer) in answers.into_iter().enumerate() {
        let mock = Mock::given(any()).respond_with(answer);
        let mock = if index < last {
            mock.up_to_n_times(1)
        } else {
            mock
        };
        mock.mount(&server).await;
    }
    server
}

#[tokio::test]
async fn a_notification_is_posted_with_all_its_headers_and_acknowledged() {
    let server = MockServer::start().await;
    Mock::given(header("content-type", "application/json"))
        .and(header("authorization", "Bearer b34rer-t0ken"))
        .and(header("x-region", "eu"))
        .respond_with(ResponseTemplate::new(204))
        .mount(&server)
        .await;
    assert_eq!(deliver(&server, NO_RETRY).await, Delivery::Acknowledged);
    let request = &server.received_requests().await.unwrap()[0];
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        request.headers["elements-webhook-id"],
        body["id"].as_str().unwrap()
    );
    assert_eq!(body["message"]["raw"]["accounts"], json!([{"sys_id": "1"}]));
    let signature = request.headers["elements-webhook-signature"]
        .to_str()
        .unwrap();
    assert!(signature.starts_with("sha256="));
}

#[tokio::test]
async fn a_failed_attempt_is_repeated_unchanged() {
    let server = server(
        [500, 429, 409, 408, 200]
            .map(ResponseTemplate::new)
            .into_iter()
            .collect(),
    )
    .await;
    assert_eq!(deliver(&server, RETRY).await, Delivery::Acknowledged);
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 5);
    assert!(
        requests
            .iter()
            .all(|request| request.body == requests[0].body)
    );
}

#[rstest]
#[case::gone(410, None, Delivery::Gone)]
#[case::gone_for_good(410, Some("abort-message"), Delivery::Gone)]
#[case::last(200, Some("disable"), Delivery::AcknowledgedLast)]
#[case::failed_for_good(503, Some("disable"), Delivery::Gone)]
#[case::refused_for_good(422, Some("disable"), Delivery::Gone)]
#[case::another_wish(200, Some("abort-message"), Delivery::Acknowledged)]
#[tokio::test]
async fn a_callback_can_ask_that_nothing_more_be_sent(
    #[case] status: u16,
    #[case] header: Option<&str>,
    #[case] expected: Delivery,
) {
    let answer = ResponseTemplate::new(status);
    let answer = header.map_or_else(
        || answer.clone(),
        |value| answer.clone().insert_header("webhook-delivery", value),
    );
    let server = server(vec![answer]).await;
    assert_eq!(deliver(&server, RETRY).await, expected);
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

fn rejection() -> Rejection {
    Rejection {
        status: 422,
        message: "the callback 127.0.0.1 answered 422".to_owned(),
        made_at: "2024-01-01T00:01:01Z".parse().unwrap(),
        at: "2024-01-01T00:01:02Z".parse().unwrap(),
        ..Rejection::default()
    }
}

/// A callback at one server whose dead letters go to a path of another.
fn with_dead_letters(callback_at: &MockServer, letters: &MockServer) -> HttpCallback {
    let mut spec = full_spec(&callback_at.uri());
    spec["onRejected"] = json!("DeadLetter");
    spec["deadLetter"] = json!({"url": format!("{}/d34d-l3tters", letters.uri())});
    callback(spec, RETRY).unwrap()
}

#[tokio::test]
async fn a_dead_letter_is_retried_signed_and_carries_the_notification_as_it_was_refused() {
    let refusing = server(vec![ResponseTemplate::new(422)]).await;
    let letters = server([503, 429, 200].map(ResponseTemplate::new).to_vec()).await;
    let callback = with_dead_letters(&refusing, &letters);
    let Delivery::Rejected(rejection) = callback.deliver(&origin(), &notification()).await else {
        panic!("not refused")
    };
    let (origin, notification) = (origin(), notification());
    let taken = callback.dead_letter(&origin, &notification, &rejection);
    assert_eq!(taken.await, Delivery::Acknowledged);
    let refused = &refusing.received_requests().await.unwrap()[0];
    let posted = letters.received_requests().await.unwrap();
    assert_eq!(posted.len(), 3);
    let letter = &posted[2];
    assert_eq!(letter.body, posted[0].body);
    let text = String::from_utf8(letter.body.clone()).unwrap();
    assert!(
        text.contains(std::str::from_utf8(&refused.body).unwrap()),
        "{text}"
    );
    let expected = Signer::new(
        serde_json::from_value(json!({"secretRef": {"name": "callback"}}))
            .as_ref()
            .ok(),
        &secrets(),
    );
    let payload = Payload {
        elements_id: None,
        message_id: String::new(),
        content_type: "",
        body: letter.body.clone().into(),
    };
    let (_, signatures) = expected
        .unwrap()
        .sign(&payload, Clock::system().now())
        .into_parts();
    let header = "elements-webhook-signature";
    assert_eq!(letter.headers[header], signatures[header]);
    assert_ne!(
        letter.headers["elements-webhook-id"],
        refused.headers["elements-webhook-id"]
    );
}

#[tokio::test]
async fn credentials_of_the_callback_go_to_no_other_host_with_its_dead_letters() {
    let (one, other) = (
        server(vec![ResponseTemplate::new(200)]).await,
        MockServer::start().await,
    );
    for (letters, goes) in [(&one, true), (&other, false)] {
        let callback = with_dead_letters(&one, letters);
        callback
            .dead_letter(&origin(), &notification(), &rejection())
            .await;
        let posted = letters.received_requests().await.unwrap();
        let headers = &posted.last().unwrap().headers;
        for name in ["authorization", "x-region"] {
            assert_eq!(headers.contains_key(name), goes, "{name}");
        }
    }
}

#[tokio::test]
async fn what_the_receiver_of_dead_letters_says_is_told_without_its_path() {
    let letters = server(vec![
        ResponseTemplate::new(404).set_body_string("no d34d-l3tters"),
    ])
    .await;
    let callback = with_dead_letters(&letters, &letters);
    let refused = callback
        .dead_letter(&origin(), &notification(), &rejection())
        .await;
    let Delivery::Rejected(Rejection { message, .. }) = refused else {
        panic!("{refused:?}")
    };
    let expected = "the receiver of dead letters 127.0.0.1 answered 404 Not Found: no [redacted]; check \
                    spec.events.callback.deadLetter.url of the instance";
    assert_eq!(message, expected);
}

#[test]
fn a_dead_letter_url_with_a_refused_address_is_refused() {
    let spec =
        json!({"url": "http://127.0.0.1/", "deadLetter": {"url": "http://169.254.169.254/x"}});
    let error = callback(spec, NO_RETRY).unwrap_err();
    assert_eq!(error.field, "spec.events.callback.deadLetter.url");
    assert_eq!(error.subject, crate::category::Subject::Address);
}

#[tokio::test]
async fn the_wait_that_a_callback_asks_for_is_passed_on() {
    let answer = ResponseTemplate::new(503).insert_header("retry-after", "99999");
    let server = server(vec![answer]).await;
    let Delivery::Unavailable(unavailable) = deliver(&server, RETRY).await else {
        panic!()
    };
    assert_eq!(unavailable.retry_after, Some(Duration::from_secs(3600)));
    assert_eq!(
        unavailable.message,
        "the callback 127.0.0.1 answered 503 Service Unavailable"
    );
}

#[rstest]
#[case::knows_no_options(501, "write spec.events.callback.handshake.mode: Skip")]
#[case::out_of_order(503, "answer OPTIONS with WebHook-Allowed-Origin: pollen.dev")]
#[case::throttles(429, "it is asked again")]
#[tokio::test]
async fn a_question_that_is_not_heard_is_told_as_the_question(
    #[case] status: u16,
    #[case] way_out: &str,
) {
    let server = server(vec![ResponseTemplate::new(status)]).await;
    let spec = json!({"url": server.uri(), "format": "CloudEvents"});
    let callback = callback(spec, NO_RETRY).unwrap();
    let delivery = callback.deliver(&origin(), &notification()).await;
    let Delivery::Unavailable(Unavailable { message, .. }) = delivery else {
        panic!("{delivery:?}")
    };
    let begins = format!("the callback 127.0.0.1 answered {status} ");
    assert!(message.starts_with(&begins), "{message}");
    assert!(message.contains(" to OPTIONS, the question"), "{message}");
    assert!(message.contains(way_out), "{message}");
    let asked = &server.received_requests().await.unwrap()[0];
    assert_eq!(asked.method.as_str(), "OPTIONS");
}

#[tokio::test]
async fn a_callback_that_is_not_there_is_unavailable() {
    let spec = json!({"url": "http://127.0.0.1:1/hooks/s3cr3t?code=s3cr3t"});
    let callback = callback(spec, NO_RETRY).unwrap();
    let delivery = callback.deliver(&origin(), &notification()).await;
    let Delivery::Unavailable(unavailable) = delivery else {
        panic!("{delivery:?}")
    };
    assert!(
        unavailable.message.contains("no connection could be made"),
        "{unavailable:?}"
    );
    assert!(!unavailable.message.contains("s3cr3t"), "{unavailable:?}");
}

#[tokio::test]
async fn a_callback_that_does_not_answer_in_time_is_unavailable() {
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(3600));
    let server = server(vec![slow]).await;
    let mut callback = callback(json!({"url": server.uri()}), NO_RETRY).unwrap();
    callback.timeout = Duration::from_millis(50);
    let delivery = callback.deliver(&origin(), &notification()).await;
    let Delivery::Unavailable(unavailable) = delivery else {
        panic!("{delivery:?}")
    };
    assert!(
        unavailable.message.contains("did not answer in time"),
        "{unavailable:?}"
    );
}

#[tokio::test]
async fn a_host_that_resolves_to_a_refused_address_is_unavailable_with_the_flag_to_set() {
    let mut callback = callback(json!({"url": "http://localhost:1/"}), NO_RETRY).unwrap();
    let policy = Arc::new(AddressPolicy::default());
    callback.endpoint.client = GuardedClient::new(policy, "a", &ClientOptions::default()).unwrap();
    let delivery = callback.deliver(&origin(), &notification()).await;
    let Delivery::Unavailable(unavailable) = delivery else {
        panic!("{delivery:?}")
    };
    assert!(
        unavailable.message.contains("--allow-address"),
        "{unavailable:?}"
    );
}

#[rstest]
#[case("not a url", "this is no URL")]
#[case("ftp://example.com/", "begins with https://")]
#[case("https://ann:s3cr3t@example.com/", "without a user and password")]
#[case("https://169.254.169.254/", "a cloud metadata address")]
#[case("https://[::ffff:10.0.0.1]/", "a private address")]
fn a_url_that_cannot_be_used_is_refused(#[case] url: &str, #[case] expected: &str) {
    let error = callback(json!({"url": url}), NO_RETRY).unwrap_err();
    assert_eq!(error.field, "spec.events.callback.url");
    assert!(
        error.message.contains(expected) && !error.message.contains("s3cr3t"),
        "{error}"
    );
}

#[test]
fn nothing_secret_is_shown() {
    let callback = callback(full_spec("https://example.com/hooks/s3cr3t"), NO_RETRY).unwrap();
    let shown = format!("{callback:?} {:?}", callback.endpoint);
    for secret in ["s3cr3t", "s1gning-k3y", "b34rer-t0ken"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[rstest]
#[case::whole("Cannot POST /hooks/s3cr3t-path?code=s3cr3t%20code")]
#[case::decoded("no hook at /hooks/s3cr3t-path with code 's3cr3t code'")]
#[case::in_parts("s3cr3t-path does not know s3cr3t+code, nor s3cr3t%20code")]
#[case::credentials("bad authorization: YW5uOnA0c3N3MHJk, not Basic YW5uOnA0c3N3MHJk")]
#[tokio::test]
async fn what_a_callback_repeats_of_the_request_is_not_shown(#[case] said: &str) {
    let answer = ResponseTemplate::new(404).set_body_string(said);
    let server = server(vec![answer]).await;
    let spec = json!({
        "url": format!("{}/hooks/s3cr3t-path?code=s3cr3t%20code&other=s3cr3t+code", server.uri()),
        "authentication": {"type": "Basic", "secretRef": {"name": "callback"}},
    });
    let callback = callback(spec, NO_RETRY).unwrap();
    let Delivery::Rejected(rejection) = callback.deliver(&origin(), &notification()).await else {
        panic!()
    };
    let message = rejection.message;
    assert!(message.contains("[redacted]"), "{message}");
    for secret in ["s3cr3t", "YW5uOnA0c3N3MHJk"] {
        assert!(!message.contains(secret), "{message}");
    }
}
