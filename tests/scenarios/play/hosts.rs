//! Hosts in this process, in the place of the network.

use std::{collections::BTreeMap, convert::Infallible, fmt, io, time::Duration};

use axum::{Router, body::Body};
use futures::{FutureExt as _, StreamExt as _, TryFutureExt as _, future::BoxFuture};
use http::{HeaderValue, header::HOST};
use pollen::network::{SendError, Transport};
use reqwest::{Request, Response};
use simulator::served::CloseConnection;
use tokio::time::{Instant, timeout_at};
use tower::ServiceExt as _;

/// Longer than any request of Pollen's that says nothing of its own.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Providers and callbacks by their URLs, called without a socket.
pub(crate) struct Hosts(BTreeMap<String, Router>);

impl Hosts {
    /// Each URL is of a scheme and a host alone.
    pub(crate) fn new<'a>(hosts: impl IntoIterator<Item = (&'a str, Router)>) -> Self {
        let hosts = hosts.into_iter();
        Self(hosts.map(|(url, host)| (url.to_owned(), host)).collect())
    }
}

impl fmt::Debug for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosts").finish_non_exhaustive()
    }
}

impl Transport for Hosts {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        self.call(request).map_err(SendError::Failed).boxed()
    }
}

impl Hosts {
    async fn call(&self, request: Request) -> Result<Response, reqwest::Error> {
        let patience = request.timeout().copied().unwrap_or(TIMEOUT);
        let deadline = Instant::now() + patience;
        let host = self.0.get(&request.url().origin().ascii_serialization());
        let Some(host) = host.cloned() else {
            return Err(broken(io::ErrorKind::ConnectionRefused).await);
        };
        let request = as_it_arrives(request)?;
        // A process can die while a message is under way.
        tokio::task::yield_now().await;
        let Ok(answer) = timeout_at(deadline, host.oneshot(request)).await else {
            return Err(broken(io::ErrorKind::TimedOut).await);
        };
        tokio::task::yield_now().await;
        let answer = answer.unwrap_or_else(|error: Infallible| match error {});
        if answer.extensions().get::<CloseConnection>().is_some() {
            return Err(broken(io::ErrorKind::ConnectionReset).await);
        }
        Ok(answer.map(|body| body_until(deadline, body)).into())
    }
}

/// The request as a server reads it: the host in its header, not in the request line.
fn as_it_arrives(request: Request) -> Result<http::Request<Body>, reqwest::Error> {
    let authority = request.url().authority().to_owned();
    let request: http::Request<reqwest::Body> = request.try_into()?;
    let mut request = request.map(Body::new);
    let path = request.uri().path_and_query().cloned();
    if let Some(path) = path {
        *request.uri_mut() = path.into();
    }
    if let Ok(host) = HeaderValue::from_str(&authority) {
        request.headers_mut().insert(HOST, host);
    }
    Ok(request)
}

/// The body, which breaks off at the deadline.
fn body_until(deadline: Instant, body: Body) -> reqwest::Body {
    let pieces = body.into_data_stream();
    reqwest::Body::wrap_stream(futures::stream::unfold(
        pieces,
        move |mut pieces| async move {
            let piece = match timeout_at(deadline, pieces.next()).await {
                Ok(piece) => piece?.map_err(io::Error::other),
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            };
            Some((piece, pieces))
        },
    ))
}

/// The error of a connection that ends so. reqwest makes its errors itself: here of a body that
/// cannot be read.
async fn broken(kind: io::ErrorKind) -> reqwest::Error {
    let piece: Result<Vec<u8>, io::Error> = Err(kind.into());
    let body = reqwest::Body::wrap_stream(futures::stream::iter([piece]));
    let mut answer = Response::from(http::Response::new(body));
    answer.chunk().await.expect_err("its body is an error")
}
