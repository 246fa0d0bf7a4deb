//! Both ends behind a proxy that the environment names.

use std::sync::{Arc, Mutex};

use serde_json::json;
use simulator::receiver::Answer;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::harness::{Authority, Ended, Tls, World};

/// A proxy that tunnels, and remembers for whom.
struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Proxy {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let hears = Arc::clone(&asked);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(tunnel(stream, Arc::clone(&hears)));
            }
        });
        Self {
            port,
            asked,
            serving,
        }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The hosts that it was asked for, each once.
    fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().unwrap().clone();
        asked.sort();
        asked.dedup();
        asked
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// One CONNECT (RFC 9110, 9.3.6), and what passes through it.
async fn tunnel(stream: TcpStream, hears: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut first = String::new();
    stream.read_line(&mut first).await.ok()?;
    let host = first
        .strip_prefix("CONNECT ")?
        .split(' ')
        .next()?
        .to_owned();
    hears.lock().unwrap().push(host.clone());
    let mut line = String::from("head");
    while !line.trim().is_empty() {
        line.clear();
        stream.read_line(&mut line).await.ok()?;
    }
    let mut upstream = TcpStream::connect(host).await.ok()?;
    stream
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .await
        .ok()?;
    copy_bidirectional(&mut stream, &mut upstream)
        .await
        .ok()
        .map(drop)
}

/// Both ends over TLS, and a proxy in between.
async fn world(proxy: &Proxy) -> (World, Authority, [Tls; 2]) {
    let authority = Authority::new("trusted");
    let mut world = World::with_incidents().await;
    world.trusted = Some(authority.file());
    world.instance.create("incident", &[]);
    let provider = authority
        .serve("localhost", world.provider.port(), |_| {})
        .await;
    let callback = authority
        .serve("localhost", world.callback.port(), |_| {})
        .await;
    world.manifests.set(
        "servicenow",
        "/spec/baseUrl",
        json!(provider.url("localhost")),
    );
    world.set_callback("url", json!(callback.url("localhost")));
    world.environment = vec![("HTTPS_PROXY", proxy.url())];
    (world, authority, [provider, callback])
}

async fn poll(world: &World, allowed: &[&str]) -> Ended {
    let mut arguments = vec!["--once", "--retry-for", "0s"];
    for address in allowed {
        arguments.extend(["--allow-address", address]);
    }
    world.run(&arguments).await
}

#[tokio::test]
async fn both_ends_are_reached_through_the_proxy() {
    let proxy = Proxy::start().await;
    let (world, _authority, ends) = world(&proxy).await;
    let ended = poll(&world, &["::1/128"]).await;
    ended.assert_said(0, &[]);
    assert_eq!(world.receiver.acknowledged().len(), 1);
    let mut hosts = ends.map(|end| end.url("localhost").replace("https://", ""));
    hosts.sort();
    assert_eq!(proxy.asked(), hosts);
}

#[tokio::test]
async fn what_no_proxy_excepts_is_reached_directly() {
    let proxy = Proxy::start().await;
    let (mut world, _authority, _ends) = world(&proxy).await;
    world.environment.push(("NO_PROXY", "localhost".to_owned()));
    poll(&world, &[]).await.assert_said(0, &[]);
    assert_eq!(world.receiver.acknowledged().len(), 1);
    assert_eq!(proxy.asked(), [""; 0]);
}

#[tokio::test]
async fn a_host_with_a_refused_address_is_not_asked_for_at_the_proxy() {
    let proxy = Proxy::start().await;
    let (world, _authority, _ends) = world(&proxy).await;
    let url = json!("https://10.0.0.7/events");
    world.set_callback("url", url);
    let ended = poll(&world, &["::1/128"]).await;
    ended.assert_said(2, &["10.0.0.7 is a private address", "--allow-address"]);
    world.set_callback("url", json!("https://10.0.0.7.nip.invalid/events"));
    // The proxy alone may know it: it is asked, and does not.
    let ended = poll(&world, &["::1/128"]).await;
    let named = format!("the proxy {} that HTTPS_PROXY names", proxy.url());
    ended.assert_said(1, &[&named]);
    assert!(
        proxy
            .asked()
            .contains(&"10.0.0.7.nip.invalid:443".to_owned())
    );
}

/// Behind a tunnel nobody but the host answers.
#[tokio::test]
async fn a_host_that_asks_for_a_proxys_password_is_not_taken_for_the_proxy() {
    let proxy = Proxy::start().await;
    let (world, _authority, _ends) = world(&proxy).await;
    world.receiver.answer_next(Answer::Status(407));
    let ended = poll(&world, &["::1/128"]).await;
    assert!(ended.errors.contains("407"), "{ended:?}");
    assert!(!ended.errors.contains("asks who Pollen is"), "{ended:?}");
}

#[tokio::test]
async fn a_variable_that_names_no_proxy_is_told_of() {
    let mut world = World::with_incidents().await;
    world.environment = vec![("HTTPS_PROXY", "socks5://127.0.0.1:1".to_owned())];
    let ended = world.poll_once().await;
    ended.assert_said(1, &["HTTPS_PROXY names no proxy that speaks HTTP"]);
}
