//! What carries requests that have passed the guard.

use std::fmt;

use futures::{FutureExt as _, future::BoxFuture};
use reqwest::{Client, Request, Response};

use super::SendError;

/// The way of a request to its host and of the answer back: sockets, or a host in this process.
///
/// Who implements it keeps to the request's timeout, the answer's body included.
pub trait Transport: fmt::Debug + Send + Sync {
    /// Sends a request whose address was checked, where its URL has one.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>>;
}

/// Sockets, which reach what the client's resolver lets through.
impl Transport for Client {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        let failed: fn(reqwest::Error) -> SendError = match request.url().scheme() {
            "http" => SendError::PlainFailed,
            _ => SendError::Failed,
        };
        let answer = self.execute(request);
        async move { answer.await.map_err(|error| failed(error.without_url())) }.boxed()
    }
}
