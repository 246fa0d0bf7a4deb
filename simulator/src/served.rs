//! A router that listens until its handle is dropped.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    response::{IntoResponse, Response},
};
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// The handle of something that listens; dropping it frees the port and cuts every open connection.
#[derive(Debug)]
pub struct Served {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Served {
    /// Serves `router` at `address`; port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// The address cannot be bound.
    pub async fn start(address: &str, router: Router) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let connections = Arc::new(AtomicUsize::new(0));
        let serving = tokio::spawn(serve(listener, router, connections.clone()));
        Ok(Self {
            address,
            connections,
            serving,
        })
    }

    /// Where it is reached: `http://`, address and port, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections were accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// The same count, for who outlives the handle.
    pub(crate) fn counter(&self) -> Arc<AtomicUsize> {
        self.connections.clone()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A response that a client never sees: the connection is closed instead.
#[derive(Clone, Copy, Debug)]
pub struct CloseConnection;

impl IntoResponse for CloseConnection {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(self);
        response
    }
}

async fn serve(listener: TcpListener, router: Router, connections: Arc<AtomicUsize>) {
    // Its tasks are aborted with it, and their sockets closed.
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.fetch_add(1, Ordering::Relaxed);
                    open.spawn(converse(stream, router.clone()));
                }
                // Mostly too many open files, of which others may be closed meanwhile.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = open.join_next() => {}
        }
    }
}

async fn converse(stream: TcpStream, router: Router) {
    let _ = stream.set_nodelay(true);
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request: Request<Incoming>| {
        let response = router.call(request);
        async move {
            let response = response
                .await
                .unwrap_or_else(|error: Infallible| match error {});
            if response.extensions().get::<CloseConnection>().is_some() {
                return Err(io::Error::other("closed on purpose"));
            }
            Ok(response)
        }
    });
    // The other end may leave whenever it likes.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
