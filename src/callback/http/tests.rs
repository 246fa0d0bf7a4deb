mod receivers;
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
    let allowed = vec!["127.0.0.0/8".parse().unwrap()];
    let policy = Arc::new(AddressPolicy::new(allowed, Vec::new()));
    let client = GuardedClient::new(policy, "helpdesk", &ClientOptions::default()).unwrap();
    let mut secrets = Secrets::default();
    let entries = [
        ("key", "s1gning-k3y"),
        ("token", "b34rer-t0ken"),
        ("username", "ann"),
        ("password", "p4ssw0rd"),
    ];
    let entries = entries.map(|(k, v)| (k.to_owned(), SecretString::from(v)));
    secrets.insert("callback".to_owned(), BTreeMap::from(entries));
    HttpCallback::new(CallbackSettings {
        spec: &serde_json::from_value(spec).unwrap(),
        secrets: &secrets,
        client,
        clock: Clock::system(),
        retry,
    })
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
#[case::gone(410, Delivery::Gone)]
#[case::refused(422, Delivery::Rejected(Rejection {
    status: 422,
    message: "the callback 127.0.0.1 answered 422 Unprocessable Entity: no [redacted]".to_owned(),
}))]
#[case::redirect(307, Delivery::Rejected(Rejection {
    status: 307,
    message: "the callback 127.0.0.1 answered 307 Temporary Redirect: write the URL it redirects \
              to: no [redacted]".to_owned(),
}))]
#[tokio::test]
async fn a_final_answer_is_not_asked_for_again(#[case] status: u16, #[case] expected: Delivery) {
    let answer = ResponseTemplate::new(status)
        .insert_header("location", "http://127.0.0.1:1/")
        .set_body_string("no\r\nb34rer-t0ken");
    let server = server(vec![answer]).await;
    assert_eq!(deliver(&server, RETRY).await, expected);
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
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
    callback.client = GuardedClient::new(policy, "a", &ClientOptions::default()).unwrap();
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
    let shown = format!("{callback:?} {:?}", callback.headers);
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
