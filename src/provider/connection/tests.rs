use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::BoxFuture;
use rstest::rstest;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{header, method, path},
};

mod trials;

use super::*;
use crate::{
    catalog::Catalog,
    category::Category,
    network::{AddressPolicy, ClientOptions},
};

/// Gives out `Bearer 0`, and the next number after each refusal.
#[derive(Default)]
pub(in crate::provider) struct Numbered {
    pub(in crate::provider) refused: AtomicUsize,
}

impl Authorize for Numbered {
    fn authorization(&self) -> BoxFuture<'_, Result<HeaderValue, FetchError>> {
        let number = self.refused.load(Ordering::SeqCst);
        Box::pin(async move { Ok(HeaderValue::from_str(&format!("Bearer {number}")).unwrap()) })
    }

    fn refused<'a>(&'a self, used: &'a HeaderValue) -> BoxFuture<'a, Result<(), FetchError>> {
        assert_eq!(
            used,
            format!("Bearer {}", self.refused.load(Ordering::SeqCst)).as_str()
        );
        self.refused.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(()) })
    }
}

fn client(allowed: &[&str]) -> GuardedClient {
    let allowed = allowed.iter().map(|rule| rule.parse().unwrap()).collect();
    let policy = Arc::new(AddressPolicy::new(allowed, Vec::new()));
    GuardedClient::new(policy, "helpdesk", &ClientOptions::default()).unwrap()
}

pub(in crate::provider) fn connect_as(
    connector: Connector,
    base: &str,
    authorizer: Arc<Numbered>,
) -> Connection {
    let client = client(&["127.0.0.0/8", "::1/128"]);
    let redact: Redact = Arc::new(|text| text.replace("hunter2", "[hidden]"));
    Connection::new(
        Arc::new(connector),
        Url::parse(base).unwrap(),
        client,
        authorizer,
        redact,
        Clock::system(),
    )
    .unwrap()
}

pub(in crate::provider) fn connect(base: &str) -> Connection {
    let connector = Catalog::builtin().unwrap().get("servicenowoauth").unwrap();
    connect_as(Connector::clone(&connector), base, Arc::default())
}

async fn serve(response: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(response)
        .mount(&server)
        .await;
    server
}

fn json(status: u16, body: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body.to_owned(), "application/json;charset=UTF-8")
}

async fn ask(server: &MockServer) -> Result<Option<Bytes>, FetchError> {
    let url = Url::parse(&server.uri())
        .unwrap()
        .join("/api/now/table/incident?sysparm_query=private")
        .unwrap();
    connect(&server.uri())
        .get(&url)
        .await
        .map(|reply| reply.body)
        .map_err(|failure| match failure {
            Failure::TooMuch(error) => FetchError {
                message: format!("too much: {}", error.message),
                ..error
            },
            Failure::Other(error) => error,
        })
}

#[tokio::test]
async fn a_good_answer_is_its_body() {
    let server = serve(json(200, r#"{"result":[]}"#)).await;
    assert_eq!(ask(&server).await.unwrap().unwrap(), r#"{"result":[]}"#);
}

const SLOW: &str = r#"{"error":{"message":"Transaction cancelled: maximum execution time exceeded"},"status":"failure"}"#;

#[rstest]
#[case(
    json(403, r#"{"error":{"message":"Forbidden","detail":"ACL"}}"#),
    Category::Permission,
    "HTTP 403: Forbidden: ACL: give the account's user"
)]
#[case(json(429, "{}"), Category::RateLimited, "HTTP 429")]
#[case(
    json(500, r#"{"error":{"message":"boom hunter2"}}"#),
    Category::Provider,
    "HTTP 500: boom [hidden]"
)]
#[case(json(503, ""), Category::Provider, "HTTP 503: no reason given")]
#[case(
    json(400, r#"{"error":{"message":"Invalid table x"}}"#),
    Category::Configuration,
    "name an existing table"
)]
#[case(
    json(404, r#"{"error":{"message":"Requested URI does not exist"}}"#),
    Category::Configuration,
    "HTTP 404"
)]
#[case(ResponseTemplate::new(200).set_body_raw("<html>", "text/html"), Category::Provider, "asleep")]
#[case(ResponseTemplate::new(302).insert_header("location", "https://sso.example.com/x"), Category::Provider, "a redirect to sso.example.com, which is not followed")]
#[case(json(200, SLOW), Category::Provider, "")]
#[case(json(504, SLOW), Category::Provider, "too much: ")]
#[tokio::test]
async fn failures_are_told_apart(
    #[case] response: ResponseTemplate,
    #[case] category: Category,
    #[case] words: &str,
) {
    let server = serve(response).await;
    match ask(&server).await {
        Err(error) => {
            assert_eq!(error.category, category, "{error}");
            assert!(
                error.message.contains(words) && !error.message.contains("private"),
                "{error}"
            );
        }
        // An error under status 200 is found when the page is read.
        Ok(body) => assert_eq!(
            (body.unwrap(), words),
            (Bytes::from_static(SLOW.as_bytes()), "")
        ),
    }
}

#[tokio::test]
async fn no_record_under_404_is_an_empty_page() {
    let server = serve(json(
        404,
        r#"{"error":{"message":"No Record found"},"status":"failure"}"#,
    ))
    .await;
    assert_eq!(ask(&server).await, Ok(None));
}

#[rstest]
#[case("retry-after", "7", 429, Some(7))]
#[case("retry-after", "7", 503, Some(7))]
#[case("x-ratelimit-reset", "30", 429, Some(30))]
#[case("x-ratelimit-reset", "30", 500, None)]
#[tokio::test]
async fn the_time_to_wait_is_the_providers(
    #[case] name: &str,
    #[case] value: &str,
    #[case] status: u16,
    #[case] seconds: Option<u64>,
) {
    let server = serve(json(status, "{}").insert_header(name, value)).await;
    assert_eq!(
        ask(&server).await.unwrap_err().retry_after,
        seconds.map(Duration::from_secs)
    );
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let server = MockServer::start().await;
    Mock::given(header("authorization", "Bearer 1"))
        .respond_with(json(200, "{}"))
        .mount(&server)
        .await;
    Mock::given(path("/"))
        .respond_with(json(401, "{}"))
        .mount(&server)
        .await;
    let authorizer = Arc::new(Numbered::default());
    let connector = Catalog::builtin().unwrap().get("servicenowoauth").unwrap();
    let connection = connect_as(
        Connector::clone(&connector),
        &server.uri(),
        Arc::clone(&authorizer),
    );
    assert!(connection.get(connection.base()).await.is_ok());
    assert_eq!(authorizer.refused.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_second_refusal_is_an_authentication_failure() {
    let server = serve(json(
        401,
        r#"{"error":{"message":"User Not Authenticated"}}"#,
    ))
    .await;
    let error = ask(&server).await.unwrap_err();
    assert_eq!(error.category, Category::Authentication);
    assert!(error.message.contains("User Not Authenticated"), "{error}");
    assert_eq!(server.received_requests().await.unwrap().len(), 2);
}

#[tokio::test]
async fn nothing_is_asked_of_another_host() {
    let (server, other) = (serve(json(200, "{}")).await, serve(json(200, "{}")).await);
    let connection = connect(&server.uri());
    assert!(
        connection
            .get(&Url::parse(&other.uri()).unwrap())
            .await
            .is_err()
    );
    assert!(other.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_body_above_the_limit_is_too_much() {
    let server = serve(json(200, &"x".repeat(100))).await;
    let connection = connect(&server.uri()).with_max_body(99);
    let failure = connection.get(connection.base()).await.unwrap_err();
    assert!(
        matches!(failure, Failure::TooMuch(error) if error.message.contains("larger than 99 bytes"))
    );
}

#[rstest]
#[case("http://host.invalid", "DNS knows no such host")]
#[case("http://127.0.0.1:1", "nothing listens there")]
#[tokio::test]
async fn a_connection_that_fails_is_explained(#[case] base: &str, #[case] words: &str) {
    let connection = connect(base);
    let Err(Failure::Other(error)) = connection.get(connection.base()).await else {
        panic!("no error")
    };
    assert!(error.message.contains(words), "{error}");
    assert!(error.is_unreached);
}

#[tokio::test]
async fn a_secret_at_the_end_of_what_is_shown_is_not_shown_in_part() {
    let said = format!("{} hunter2", "x".repeat(194));
    let body = format!(r#"{{"error":{{"message":"{said}"}}}}"#);
    let error = ask(&serve(json(500, &body)).await).await.unwrap_err();
    assert!(!error.message.contains("hunt"), "{error}");
}

#[tokio::test]
async fn a_page_may_come_from_an_address_that_is_allowed_on_one_port() {
    let server = serve(json(200, r#"{"result":[]}"#)).await;
    let port = server.address().port();
    let base = format!("http://localhost:{port}");
    let mut connection = connect(&base);
    connection.client = client(&[&format!("127.0.0.1/32:{port}")]);
    let url = base.parse().unwrap();
    assert!(connection.get(&url).await.is_ok());
    connection.client = client(&["127.0.0.1/32:1", "::1/128:1"]);
    assert!(connection.get(&url).await.is_err());
}

fn good() -> Answered {
    Answered::Good(Reply {
        headers: HeaderMap::new(),
        body: None,
    })
}

fn failed() -> FetchError {
    FetchError::new(Category::Provider, "no".to_owned())
}

/// What may lock a user out is a refusal alone, and what ends one a success alone.
#[rstest]
#[case::page(200, good(), "Accepted")]
#[case::page_too_large(200, Answered::TooMuch(failed()), "Accepted")]
#[case::page_for_people(200, Answered::Failed(failed()), "Open")]
#[case::no_record(404, good(), "Open")]
#[case::no_right(403, Answered::Failed(failed()), "Open")]
#[case::no_right_by_the_definition(403, Answered::Refused(failed()), "Open")]
#[case::refused(401, Answered::Refused(failed()), "Refused(\"no\")")]
#[case::throttled(429, Answered::Failed(failed()), "Unlooked")]
#[case::down(503, Answered::Failed(failed()), "Unlooked")]
fn an_answer_says_what_it_thinks_of_the_credentials_or_nothing(
    #[case] status: u16,
    #[case] answered: Answered,
    #[case] expected: &str,
) {
    let status = StatusCode::from_u16(status).unwrap();
    let begun = Ok(Begun::Ended(status, answered));
    assert_eq!(format!("{:?}", verdict(&begun)), expected);
}

#[test]
fn a_request_without_an_answer_may_have_been_looked_at_where_it_left() {
    let unreached = FetchError {
        is_unreached: true,
        ..failed()
    };
    let said = [unreached, failed()].map(|error| format!("{:?}", verdict(&Err(error))));
    assert_eq!(said, ["Unlooked", "Unanswered"]);
}
