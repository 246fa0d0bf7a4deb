//! Hosts behind a proxy.

use rstest::rstest;

use super::*;
use crate::network::Proxies;

/// A client that reaches every host but `direct.example` through `proxy`, and knows the addresses of
/// some names.
fn client(proxy: &str, allowed: &[String]) -> GuardedClient {
    let variable = |name: &str| match name {
        "HTTPS_PROXY" | "HTTP_PROXY" => Some(proxy.to_owned()),
        "NO_PROXY" => Some("direct.example".to_owned()),
        _ => None,
    };
    let names = Names::default()
        .with("proxy.example", &[&["127.0.0.1"]])
        .with("direct.example", &[&["127.0.0.2"]])
        .with("public.example", &[&["93.184.216.34"]])
        .with("internal.example", &[&["10.0.0.5"]])
        .with("half-internal.example", &[&["93.184.216.34", "10.0.0.5"]]);
    let options = ClientOptions {
        names: Arc::new(names),
        proxies: Arc::new(Proxies::new(variable).unwrap()),
        ..ClientOptions::default()
    };
    GuardedClient::new(policy(allowed), "a", &options).unwrap()
}

async fn proxy(answer: &'static str) -> (Listener, [String; 1]) {
    let proxy = Listener::at("127.0.0.1:0", answer).await;
    let allowed = format!("127.0.0.1/32:{}", proxy.port());
    (proxy, [allowed])
}

#[rstest]
#[case::public("http://public.example/events")]
#[case::known_to_the_proxy_alone("http://nowhere.example/events")]
#[tokio::test]
async fn a_host_is_reached_through_the_proxy_that_is_allowed(
    #[case] url: &str,
    #[values("127.0.0.1", "proxy.example")] host: &str,
) {
    let (proxy, allowed) = proxy(GOOD).await;
    let client = client(&format!("http://ann:pw@{host}:{}", proxy.port()), &allowed);
    assert_eq!(client.execute(request(url)).await.unwrap().status(), 204);
    let [heard] = proxy.heard().try_into().unwrap();
    assert!(
        heard.starts_with(&format!("GET {url} HTTP/1.1\r\n")),
        "{heard}"
    );
    assert!(
        heard.contains("proxy-authorization: Basic YW5uOnB3\r\n"),
        "{heard}"
    );
}

#[rstest]
#[case::literal("http://10.0.0.5/", "10.0.0.5 is a private address")]
#[case::spelt_otherwise("https://0x0a000005/", "10.0.0.5 is a private address")]
#[case::name(
    "https://internal.example/",
    "internal.example resolves to 10.0.0.5, a private address"
)]
#[case::one_of_several(
    "https://half-internal.example/",
    "half-internal.example resolves to 10.0.0.5"
)]
#[tokio::test]
async fn a_host_that_is_refused_here_is_not_asked_for_at_the_proxy(
    #[case] url: &str,
    #[case] expected: &str,
) {
    let (proxy, allowed) = proxy(GOOD).await;
    let client = client(&format!("http://127.0.0.1:{}", proxy.port()), &allowed);
    let error = client.execute(request(url)).await.unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
    assert!(error.is_unsent());
    assert_eq!(proxy.heard(), [""; 0]);
}

#[rstest]
#[tokio::test]
async fn a_proxy_must_itself_be_allowed(#[values("127.0.0.1", "proxy.example")] host: &str) {
    let (proxy, _) = proxy(GOOD).await;
    let client = client(&format!("http://{host}:{}", proxy.port()), &[]);
    let error = client
        .execute(request("http://public.example/"))
        .await
        .unwrap_err()
        .to_string();
    let flag = format!("--allow-address 127.0.0.1/32:{}@a", proxy.port());
    assert!(error.contains(&flag), "{error}");
    assert!(
        error.contains("that HTTP_PROXY names is not used"),
        "{error}"
    );
    assert_eq!(proxy.heard(), [""; 0]);
}

#[tokio::test]
async fn a_host_that_no_proxy_is_for_is_reached_directly_and_checked_as_ever() {
    let (proxy, mut allowed) = proxy(GOOD).await;
    let direct = Listener::at("127.0.0.2:0", GOOD).await;
    let url = format!("http://direct.example:{}/", direct.port());
    let through = format!("http://127.0.0.1:{}", proxy.port());
    let error = client(&through, &allowed)
        .execute(request(&url))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("direct.example resolves to 127.0.0.2"),
        "{error}"
    );
    allowed[0] = "127.0.0.2".to_owned();
    assert_eq!(
        client(&through, &allowed)
            .execute(request(&url))
            .await
            .unwrap()
            .status(),
        204
    );
    assert_eq!((proxy.heard().len(), direct.heard().len()), (0, 1));
}

#[rstest]
#[case::plain("http://public.example/", "HTTP_PROXY")]
#[case::tunnel("https://public.example/", "HTTPS_PROXY")]
#[tokio::test]
async fn a_proxy_that_asks_for_a_password_is_told_of(#[case] url: &str, #[case] variable: &str) {
    let answer = "HTTP/1.1 407 Proxy Authentication Required\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let (proxy, allowed) = proxy(answer).await;
    let client = client(
        &format!("http://ann:s3cr3t@127.0.0.1:{}", proxy.port()),
        &allowed,
    );
    let error = client.execute(request(url)).await.unwrap_err();
    let expected = format!(
        "the proxy http://127.0.0.1:{} that {variable} names asks who Pollen is: write a user and password that it takes into the \
         URL of {variable}, in the environment of Pollen",
        proxy.port()
    );
    assert_eq!(error.to_string(), expected);
    assert!(error.is_unsent() && !error.blames_url());
}

/// Nobody listens at its port.
#[rstest]
#[case::plain("http://public.example/", "HTTP_PROXY")]
#[case::tunnel("https://public.example/", "HTTPS_PROXY")]
#[tokio::test]
async fn a_proxy_that_is_down_is_told_of_and_not_the_host(
    #[case] url: &str,
    #[case] variable: &str,
) {
    let client = client(
        "http://ann:s3cr3t@proxy.example:1",
        &["127.0.0.1".to_owned()],
    );
    let error = client.execute(request(url)).await.unwrap_err();
    let expected = format!(
        "the proxy http://proxy.example:1 that {variable} names does not serve: no connection could be made: nothing listens there; \
         check the proxy, and {variable} in the environment of Pollen"
    );
    assert_eq!(error.to_string(), expected);
    assert!(error.is_unsent() && !error.blames_url());
}

#[tokio::test]
async fn a_proxy_that_breaks_off_is_told_of_and_not_the_host() {
    let (proxy, allowed) = proxy("").await;
    let client = client(&format!("http://127.0.0.1:{}", proxy.port()), &allowed);
    let error = client
        .execute(request("https://public.example/"))
        .await
        .unwrap_err();
    let error = error.to_string();
    assert!(error.contains("that HTTPS_PROXY names"), "{error}");
}

#[tokio::test]
async fn a_proxy_that_refuses_a_host_is_told_of() {
    let answer = "HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let (proxy, allowed) = proxy(answer).await;
    let client = client(&format!("http://127.0.0.1:{}", proxy.port()), &allowed);
    let error = client
        .execute(request("https://public.example/"))
        .await
        .unwrap_err();
    let expected = format!(
        "the proxy http://127.0.0.1:{} that HTTPS_PROXY names made no connection to it",
        proxy.port()
    );
    assert!(error.to_string().starts_with(&expected), "{error}");
    let [heard] = proxy.heard().try_into().unwrap();
    assert!(
        heard.starts_with("CONNECT public.example:443 HTTP/1.1\r\n"),
        "{heard}"
    );
}

/// It may be anywhere, and what is sent would be read on the way to it.
#[tokio::test]
async fn plain_http_that_only_allowed_addresses_may_hear_is_not_spoken_with_a_name_that_is_not_known_here()
 {
    let (proxy, allowed) = proxy(GOOD).await;
    let client = client(&format!("http://127.0.0.1:{}", proxy.port()), &allowed);
    let client = client.plain_to_allowed_only();
    let error = client
        .execute(request("http://nowhere.example/"))
        .await
        .unwrap_err();
    let expected = "nowhere.example does not resolve here";
    assert!(error.to_string().contains(expected), "{error}");
    assert!(error.is_unsent());
    assert_eq!(proxy.heard(), [""; 0]);
}
