//! HTTP/1.1 and HTTP/2, as the receiver's TLS chooses (ALPN, RFC 7301).

use std::{
    convert::Infallible,
    sync::atomic::{AtomicUsize, Ordering},
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
use tokio::net::TcpListener;
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
    versions: Arc<Mutex<Vec<http::Version>>>,
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
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
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
    let allowed = vec!["127.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()];
    let policy = Arc::new(AddressPolicy::new(allowed, Vec::new()));
    let tls = TlsSettings::default()
        .with_authorities(&receiver.authority)
        .unwrap();
    let mut callback = callback(json!({"url": receiver.url}), NO_RETRY).unwrap();
    let clients = Clients::new(policy, ClientOptions::default());
    callback.endpoint.client = clients.of("helpdesk", &tls).unwrap();
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
