use std::{
    collections::{HashMap, VecDeque},
    future::ready,
    io,
    net::IpAddr,
    sync::Mutex,
};

use futures::{FutureExt as _, future::BoxFuture};
use reqwest::{Method, Request, Url};
use rstest::rstest;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use super::*;
use crate::network::{AddressPolicy, GuardedClient};

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
    get_with(url, policy, &ClientOptions::default()).await
}

async fn get_with(
    url: &str,
    policy: Arc<AddressPolicy>,
    options: &ClientOptions,
) -> Result<Response, SendError> {
    let client = GuardedClient::new(policy, "a", options).unwrap();
    client.execute(request(url)).await
}

fn request(url: &str) -> Request {
    Request::new(Method::GET, url.parse().unwrap())
}

/// Each stands for an address that is refused, or for none at all.
#[rstest]
#[case::dotted("http://127.0.0.1/")]
#[case::short("http://127.1/")]
#[case::three_parts("http://127.0.1/")]
#[case::decimal("http://2130706433/")]
#[case::hexadecimal("http://0x7f000001/")]
#[case::hexadecimal_parts("http://0x7F.0x0.0x0.0x1/")]
#[case::octal("http://017700000001/")]
#[case::octal_parts("http://0177.0.0.01/")]
#[case::mixed("http://0x7f.0.0.01/")]
#[case::trailing_dot("http://127.0.0.1./")]
#[case::zero("http://0/")]
#[case::zeros("http://00.0x0.0/")]
#[case::percent_encoded("http://%31%32%37.0.0.1/")]
#[case::full_width("http://１２７.０.０.１/")]
#[case::circled("http://①②⑦.⓪.⓪.①/")]
#[case::ideographic_dots("http://127。0。0。1/")]
#[case::line_break("http://127.0.\n0.1/")]
#[case::soft_hyphen("http://127.0.0.\u{ad}1/")]
#[case::one_slash("http:/127.0.0.1/")]
#[case::no_slash("http:127.0.0.1/")]
#[case::backslashes("http:\\\\127.0.0.1\\")]
#[case::behind_a_user("http://a.example@127.0.0.1/")]
#[case::private_decimal("https://3232235521/")]
#[case::metadata("https://169.254.169.254/latest/meta-data")]
#[case::metadata_hexadecimal("http://0xa9fea9fe/")]
#[case::metadata_octal("http://0251.0376.0251.0376/")]
#[case::metadata_short("http://169.254.43518/")]
#[case::loopback_v6("http://[::1]/")]
#[case::loopback_v6_long("http://[0000:0:0:0:0:0:0:0001]/")]
#[case::unspecified_v6("http://[::]/")]
#[case::mapped("http://[::ffff:127.0.0.1]/")]
#[case::mapped_hexadecimal("http://[::ffff:7f00:1]/")]
#[case::mapped_long("http://[0:0:0:0:0:FFFF:127.0.0.1]/")]
#[case::compatible("http://[::127.0.0.1]/")]
#[case::translated("http://[::ffff:0:127.0.0.1]/")]
#[case::nat64("http://[64:ff9b::127.0.0.1]/")]
#[case::nat64_local("http://[64:ff9b:1::a00:1]/")]
#[case::six_to_four("http://[2002:7f00:1::]/")]
#[case::teredo("http://[2001:0:4136:e378:8000:63bf:80ff:fffe]/")]
#[case::link_local_v6("http://[fe80::1]/")]
fn an_address_in_the_url_is_refused_however_it_is_spelt(#[case] text: &str) {
    let client = GuardedClient::new(policy(&[]), "a", &ClientOptions::default()).unwrap();
    let url = Url::parse(text).unwrap();
    assert!(client.check_url(&url).is_err(), "{url}");
}

/// What no URL can say need not be refused.
#[rstest]
#[case::zone("http://[fe80::1%eth0]/")]
#[case::encoded_zone("http://[fe80::1%25eth0]/")]
#[case::too_large("http://4294967296/")]
#[case::part_too_large("http://256.0.0.1/")]
#[case::five_parts("http://127.0.0.0.1/")]
#[case::no_octal("http://127.0.0.08/")]
#[case::v4_in_brackets("http://[127.0.0.1]/")]
#[case::half_open("http://[::1/")]
#[case::too_many_groups("http://[1:2:3:4:5:6:7:8:9]/")]
fn what_looks_like_an_address_and_is_none_is_no_url(#[case] text: &str) {
    assert!(Url::parse(text).is_err());
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
    let client = GuardedClient::new(allowed, "a", &ClientOptions::default()).unwrap();
    for (url, expected) in [
        ("http://127.0.0.1:8080/", true),
        ("http://localhost:8080/", true),
        ("http://93.184.216.34/", false),
        ("http://no-such-host.invalid/", false),
    ] {
        let url = Url::parse(url).unwrap();
        assert_eq!(client.is_allowed_host(&url).await, expected, "{url}");
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

mod proxied;
mod rebinding;

/// Names whose addresses a test knows; each question takes the next answer, and the last one stays.
#[derive(Debug, Default)]
struct Names(Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>);

impl Names {
    fn with(self, host: &str, answers: &[&[&str]]) -> Self {
        let parse =
            |addresses: &&[&str]| addresses.iter().map(|text| text.parse().unwrap()).collect();
        let answers = answers.iter().map(parse).collect();
        self.0.lock().unwrap().insert(host.to_owned(), answers);
        self
    }
}

impl Lookup for Names {
    fn addresses<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let mut known = self.0.lock().unwrap();
        let answer = known.get_mut(host).and_then(|answers| match answers.len() {
            1 => answers.front().cloned(),
            _ => answers.pop_front(),
        });
        ready(answer.ok_or_else(|| io::Error::other("no such host"))).boxed()
    }
}

/// Something that listens at one address, answers each connection once, and remembers what it heard.
struct Listener {
    heard: Arc<Mutex<Vec<String>>>,
    address: SocketAddr,
}

impl Listener {
    async fn at(address: &str, answer: &'static str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let hears = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = vec![0; 4096];
                let length = stream.read(&mut bytes).await.unwrap_or_default();
                let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
                hears.lock().unwrap().push(text);
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { heard, address }
    }

    fn port(&self) -> u16 {
        self.address.port()
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

/// An answer behind which the connection ends.
const GOOD: &str = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn a_plain_connection_that_ends_early_is_no_matter_of_certificates() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let policy = policy(&["127.0.0.1".to_owned()]);
    let client = GuardedClient::new(policy, "a", &ClientOptions::default()).unwrap();
    // Whether the connection ends before the request was written, or behind it, is chance.
    for _ in 0..100 {
        let error = client.execute(request(&url)).await.unwrap_err();
        let told = error.told("x.url", "x.tls");
        assert!(
            !told.contains("certificate") && !told.contains("tls"),
            "{told}"
        );
    }
}
