//! HTTP/1.1 and HTTP/2, as the receiver's TLS chooses (ALPN, RFC 7301).

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll},
};

use futures::future::join_all;
use http_body_util::{BodyExt as _, Empty};
use hyper::{
    Request, Response,
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

use super::*;
use crate::network::{Clients, TlsSettings};

/// A receiver that speaks one protocol, and the authority by which it is believed.
struct Secured {
    url: String,
    authority: String,
    connections: Arc<AtomicUsize>,
    /// Of so many connections, the first ones, nothing is read any more, and nothing written to them.
    frozen: Arc<AtomicUsize>,
    versions: Arc<Mutex<Vec<http::Version>>>,
}

impl Secured {
    /// A callback there, with a client of its own.
    fn callback(&self, retry: RetryPolicy) -> HttpCallback {
        let allowed = vec!["127.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()];
        let policy = Arc::new(AddressPolicy::new(allowed, Vec::new()));
        let tls = TlsSettings::default()
            .with_authorities(&self.authority)
            .unwrap();
        let mut callback = callback(json!({"url": self.url}), retry).unwrap();
        let clients = Clients::new(policy, ClientOptions::default());
        callback.endpoint.client = clients.of("helpdesk", &tls).unwrap();
        callback
    }
}

/// A connection that may be frozen, as one is whose other end vanished without a word.
struct Freezing {
    stream: TcpStream,
    number: usize,
    frozen: Arc<AtomicUsize>,
}

impl Freezing {
    /// The stream, unless it is frozen: nobody is woken then.
    fn poll_stream(&mut self) -> Poll<Pin<&mut TcpStream>> {
        if self.number < self.frozen.load(Ordering::SeqCst) {
            return Poll::Pending;
        }
        Poll::Ready(Pin::new(&mut self.stream))
    }
}

impl AsyncRead for Freezing {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        std::task::ready!(self.poll_stream()).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Freezing {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        std::task::ready!(self.poll_stream()).poll_write(cx, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.poll_stream()).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.poll_stream()).poll_shutdown(cx)
    }
}

async fn secured(protocol: &'static str) -> Secured {
    let issued = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(issued.signing_key.serialize_der()));
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![issued.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![protocol.into()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (connections, versions) = (
        Arc::<AtomicUsize>::default(),
        Arc::<Mutex<Vec<_>>>::default(),
    );
    let (count, hears) = (Arc::clone(&connections), Arc::clone(&versions));
    let frozen = Arc::<AtomicUsize>::default();
    let freezes = Arc::clone(&frozen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let stream = Freezing {
                stream,
                number: count.fetch_add(1, Ordering::SeqCst),
                frozen: Arc::clone(&freezes),
            };
            let (acceptor, hears) = (acceptor.clone(), Arc::clone(&hears));
            tokio::spawn(async move {
                let stream = TokioIo::new(acceptor.accept(stream).await.unwrap());
                let service = service_fn(move |request: Request<Incoming>| {
                    hears.lock().unwrap().push(request.version());
                    async {
                        request.into_body().collect().await.unwrap();
                        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
                    }
                });
                // The other end may leave whenever it likes.
                match protocol {
                    "h2" => {
                        let server = http2::Builder::new(TokioExecutor::new());
                        drop(server.serve_connection(stream, service).await);
                    }
                    _ => drop(
                        http1::Builder::new()
                            .serve_connection(stream, service)
                            .await,
                    ),
                }
            });
        }
    });
    Secured {
        url: format!("https://localhost:{port}/events"),
        authority: issued.cert.pem(),
        connections,
        frozen,
        versions,
    }
}

#[rstest]
#[case::two("h2", http::Version::HTTP_2, 1)]
#[case::one("http/1.1", http::Version::HTTP_11, 64)]
#[tokio::test]
async fn the_version_is_the_receivers_choice(
    #[case] protocol: &'static str,
    #[case] version: http::Version,
    #[case] most_connections: usize,
) {
    let receiver = secured(protocol).await;
    let callback = receiver.callback(NO_RETRY);
    let (origin, notification) = (origin(), notification());
    assert_eq!(
        callback.deliver(&origin, &notification).await,
        Delivery::Acknowledged
    );
    let deliveries = (0..64).map(|_| callback.deliver(&origin, &notification));
    assert_eq!(join_all(deliveries).await, vec![Delivery::Acknowledged; 64]);
    assert_eq!(*receiver.versions.lock().unwrap(), vec![version; 65]);
    let connections = receiver.connections.load(Ordering::SeqCst);
    assert!(connections <= most_connections, "{connections} connections");
}

/// Each request over it times out, and would for ever, while new connections work. The clock is stopped, and
/// jumps to whatever is due next.
#[tokio::test]
async fn a_connection_that_is_frozen_is_given_up_for_another() {
    let receiver = secured("h2").await;
    let callback = receiver.callback(RetryPolicy {
        first: Duration::from_secs(1),
        max: Duration::from_secs(10),
        give_up_after: Duration::from_secs(20),
    });
    let (origin, notification) = (origin(), notification());
    assert_eq!(
        callback.deliver(&origin, &notification).await,
        Delivery::Acknowledged
    );
    receiver.frozen.store(1, Ordering::SeqCst);
    tokio::time::pause();
    assert_eq!(
        callback.deliver(&origin, &notification).await,
        Delivery::Acknowledged
    );
    assert_eq!(receiver.connections.load(Ordering::SeqCst), 2);
}
