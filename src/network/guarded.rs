//! A client together with what it keeps to.

use std::sync::Arc;

use reqwest::{Request, Response, Url};

use super::{
    AddressPolicy, ClientOptions, Refusal, SendError, TlsSettings, Transport,
    client::sockets,
    guard::{AIM, Aim, Guard},
};

/// A client of one namespace that passes both gates with each request.
#[derive(Clone, Debug)]
pub struct GuardedClient {
    transport: Arc<dyn Transport>,
    guard: Guard,
    plain_to_allowed_only: bool,
}

impl GuardedClient {
    /// A client for the objects of `namespace`, which reaches only what `policy` permits.
    ///
    /// # Errors
    ///
    /// TLS could not be set up, or the user agent is no header value.
    pub fn new(
        policy: Arc<AddressPolicy>,
        namespace: &str,
        options: &ClientOptions,
    ) -> Result<Self, reqwest::Error> {
        let guard = Guard::new(policy, namespace, Arc::clone(&options.names));
        let sockets = sockets(guard.clone(), options, &TlsSettings::default())?;
        Ok(Self::behind(Arc::new(sockets), guard))
    }

    /// A transport that others may share, under the policy that it was made for.
    #[cfg(test)]
    pub(crate) fn from_parts(
        transport: Arc<dyn Transport>,
        policy: Arc<AddressPolicy>,
        namespace: &str,
    ) -> Self {
        let names = Arc::new(super::SystemNames);
        Self::behind(transport, Guard::new(policy, namespace, names))
    }

    /// A transport that others may share, behind the guard that it was made for.
    pub(super) fn behind(transport: Arc<dyn Transport>, guard: Guard) -> Self {
        Self {
            transport,
            guard,
            plain_to_allowed_only: false,
        }
    }

    /// The same, which speaks plain http only with addresses on the allow list, at every connection
    /// anew: what it sends must not be readable on the way.
    #[must_use]
    pub fn plain_to_allowed_only(self) -> Self {
        Self {
            plain_to_allowed_only: true,
            ..self
        }
    }

    /// Sends a request, both gates passed.
    ///
    /// Only so sent can it use an allow list entry that is limited to a port.
    ///
    /// # Errors
    ///
    /// The address is refused, or no answer came.
    pub async fn execute(&self, request: Request) -> Result<Response, SendError> {
        let aim = self.aim(request.url());
        self.guard.check_literal(request.url(), aim)?;
        AIM.scope(aim, self.transport.send(request)).await
    }

    /// Checks a URL whose host is an address, as [`execute`](Self::execute) will.
    ///
    /// # Errors
    ///
    /// The address is refused.
    pub fn check_url(&self, url: &Url) -> Result<(), Refusal> {
        self.guard.check_literal(url, Aim::at(url))
    }

    /// Whether plain http may be spoken with the URL's host: all its addresses are on the allow
    /// list.
    pub async fn is_allowed_host(&self, url: &Url) -> bool {
        self.guard.is_allowed(url).await
    }

    fn aim(&self, url: &Url) -> Aim {
        Aim {
            needs_allowance: self.plain_to_allowed_only && url.scheme() == "http",
            ..Aim::at(url)
        }
    }
}
