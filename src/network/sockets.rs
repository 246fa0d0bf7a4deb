//! Requests over sockets, directly or through a proxy.

use std::sync::Arc;

use futures::{FutureExt as _, future::BoxFuture};
use reqwest::{Client, Request, Response, StatusCode};

use super::{
    Proxies, ProxyFault, SendError, Transport,
    describe::of_proxy,
    guard::{AIM, Aim, Guard},
    proxy_fault::{NamedProxy, What},
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
    async fn through(&self, proxy: &NamedProxy, request: Request) -> Result<Response, SendError> {
        let aim = AIM.try_with(|aim| *aim);
        let aim = aim.unwrap_or_else(|_| Aim::at(request.url()));
        self.guard.check_behind_proxy(request.url(), aim).await?;
        let aim = Aim::at(proxy.url());
        let permitted = self.guard.check_literal(proxy.url(), aim);
        permitted.map_err(|refusal| ProxyFault::new(proxy, What::MayNotBeReached(refusal)))?;
        // Through a tunnel only the host answers; what the proxy says of it fails the connection.
        let is_proxys = request.url().scheme() == "http";
        let answer = AIM.scope(aim, self.client.send(request)).await;
        let answer = answer.map_err(|error| blamed(proxy, error, is_proxys))?;
        match answer.status() {
            StatusCode::PROXY_AUTHENTICATION_REQUIRED if is_proxys => {
                Err(ProxyFault::new(proxy, What::AsksWho).into())
            }
            _ => Ok(answer),
        }
    }
}

/// Why a request through a proxy failed: the proxy, where it is at fault. `is_proxys`: it is the proxy that
/// the request itself went to.
fn blamed(proxy: &NamedProxy, error: SendError, is_proxys: bool) -> SendError {
    let what = match &error {
        SendError::Failed(error) | SendError::PlainFailed(error) => of_proxy(error, is_proxys),
        _ => None,
    };
    what.map_or(error, |what| ProxyFault::new(proxy, what).into())
}

impl Transport for Sockets {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        match self.proxies.of(request.url()) {
            Some(proxy) => self.through(proxy, request).boxed(),
            None => self.client.send(request),
        }
    }
}
