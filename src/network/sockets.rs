//! Requests over sockets, directly or through a proxy.

use std::sync::Arc;

use futures::{FutureExt as _, future::BoxFuture};
use reqwest::{Client, Request, Response, StatusCode};

use super::{
    Proxies, SendError, Transport,
    guard::{AIM, Aim, Guard},
};

/// A client whose resolver lets through only what the guard permits, and the proxies that it uses.
#[derive(Debug)]
pub(super) struct Sockets {
    client: Client,
    guard: Guard,
    proxies: Arc<Proxies>,
}

impl Sockets {
    pub(super) const fn new(client: Client, guard: Guard, proxies: Arc<Proxies>) -> Self {
        Self {
            client,
            guard,
            proxies,
        }
    }

    /// The host's addresses are checked here, for the resolver will be asked for the proxy's alone.
    async fn through(&self, proxy: &reqwest::Url, request: Request) -> Result<Response, SendError> {
        let aim = AIM.try_with(|aim| *aim);
        let aim = aim.unwrap_or_else(|_| Aim::at(request.url()));
        self.guard.check_behind_proxy(request.url(), aim).await?;
        let aim = Aim::at(proxy);
        self.guard.check_literal(proxy, aim)?;
        // Through a tunnel only the host answers; what the proxy says of it fails the connection.
        let is_proxys = request.url().scheme() == "http";
        let answer = AIM.scope(aim, self.client.send(request)).await?;
        match answer.status() {
            StatusCode::PROXY_AUTHENTICATION_REQUIRED if is_proxys => Err(SendError::ProxyRefuses),
            _ => Ok(answer),
        }
    }
}

impl Transport for Sockets {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        match self.proxies.of(request.url()) {
            Some(proxy) => self.through(proxy, request).boxed(),
            None => self.client.send(request),
        }
    }
}
