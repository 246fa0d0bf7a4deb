use rstest::rstest;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use super::*;
use crate::network::GuardedClient;

fn policy(allowed: &[String]) -> Arc<AddressPolicy> {
    let allowed = allowed.iter().map(|entry| entry.parse().unwrap()).collect();
    Arc::new(AddressPolicy::new(allowed, Vec::new()))
}

async fn server(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

async fn get(url: &str, policy: Arc<AddressPolicy>) -> Result<Response, SendError> {
    let client = client(Arc::clone(&policy), "a", &ClientOptions::default()).unwrap();
    let request = client.get(url).build().unwrap();
    GuardedClient::from_parts(Arc::new(client), policy, "a")
        .execute(request)
        .await
}

#[rstest]
#[case("http://127.0.0.1/")]
#[case("http://127.1/")]
#[case("http://2130706433/")]
#[case("http://0x7f000001/")]
#[case("http://[::1]/")]
#[case("http://[::ffff:127.0.0.1]/")]
#[case("https://169.254.169.254/latest/meta-data")]
fn an_address_in_the_url_is_checked(#[case] url: &str) {
    let url = Url::parse(url).unwrap();
    assert!(check_url(&url, &AddressPolicy::default(), "a").is_err());
}

#[tokio::test]
async fn a_request_to_a_literal_address_is_refused_before_it_is_sent() {
    let server = server(ResponseTemplate::new(200)).await;
    let error = get(&server.uri(), policy(&[])).await.unwrap_err();
    assert!(matches!(error, SendError::Refused(_)), "{error}");
    assert!(error.is_unsent());
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_name_that_resolves_to_a_refused_address_is_refused_with_the_flag_to_set() {
    let port = server(ResponseTemplate::new(200)).await.address().port();
    let error = get(&format!("http://localhost:{port}/"), policy(&[]))
        .await
        .unwrap_err();
    let shown = error.to_string();
    assert!(
        shown.contains("localhost resolves to ") && shown.contains("--allow-address"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_name_is_reached_at_the_port_that_is_allowed_and_at_no_other() {
    let server = server(ResponseTemplate::new(204)).await;
    let port = server.address().port();
    let url = format!("http://localhost:{port}/");
    let allowed = policy(&[format!("127.0.0.1/32:{port}")]);
    assert_eq!(get(&url, allowed).await.unwrap().status(), 204);
    let other = policy(&["127.0.0.1/32:1".to_owned(), "::1/128:1".to_owned()]);
    assert!(get(&url, other).await.is_err());
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let answer = ResponseTemplate::new(302).insert_header("location", "http://169.254.169.254/");
    let server = server(answer).await;
    let answer = get(&server.uri(), policy(&["127.0.0.0/8".to_owned()]))
        .await
        .unwrap();
    assert_eq!(answer.status(), 302);
}

#[tokio::test]
async fn a_body_is_read_to_the_limit() {
    let server = server(ResponseTemplate::new(200).set_body_bytes(vec![b'x'; 5_000])).await;
    for (limit, expected) in [(10, 10), (5_000, 5_000), (9_000, 5_000)] {
        let answer = get(&server.uri(), policy(&["127.0.0.0/8".to_owned()]))
            .await
            .unwrap();
        assert_eq!(read_limited(answer, limit).await.unwrap().len(), expected);
    }
}

#[tokio::test]
async fn plain_http_is_for_hosts_on_the_allow_list() {
    let allowed = policy(&["127.0.0.0/8".to_owned(), "::1/128".to_owned()]);
    for (url, expected) in [
        ("http://127.0.0.1:8080/", true),
        ("http://localhost:8080/", true),
        ("http://93.184.216.34/", false),
        ("http://no-such-host.invalid/", false),
    ] {
        let url = Url::parse(url).unwrap();
        assert_eq!(
            is_allowed_host(&url, &allowed, "a").await,
            expected,
            "{url}"
        );
    }
}

#[tokio::test]
async fn an_error_does_not_show_the_url() {
    let allowed = policy(&["127.0.0.0/8".to_owned()]);
    let error = get("http://127.0.0.1:1/?key=s3cr3t", allowed)
        .await
        .unwrap_err();
    assert!(!format!("{error} {error:?}").contains("s3cr3t"));
}
