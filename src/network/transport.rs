//! What carries requests that have passed the guard.

use std::fmt;

use futures::{FutureExt as _, future::BoxFuture};
use reqwest::{Client, Request, Response};

use super::client::send;

/// The way of a request to its host and of the answer back: sockets, or a host in this process.
///
/// Who implements it keeps to the request's timeout, the answer's body included.
pub trait Transport: fmt::Debug + Send + Sync {
    /// Sends a request whose address was checked, where its URL has one.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, reqwest::Error>>;
}

/// Sockets, of which the resolver lets through only what the policy permits.
impl Transport for Client {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, reqwest::Error>> {
        send(self, request).boxed()
    }
}
