//! A client together with what it keeps to.

use std::sync::Arc;

use reqwest::{Request, Response, Url};

use super::{
    AddressPolicy, ClientOptions, Refusal, SendError, Transport,
    client::{check_url, client, is_allowed_host},
};

/// A client of one namespace that passes both gates with each request.
#[derive(Clone, Debug)]
pub struct GuardedClient {
    transport: Arc<dyn Transport>,
    policy: Arc<AddressPolicy>,
    namespace: Arc<str>,
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
        let client = client(Arc::clone(&policy), namespace, options)?;
        Ok(Self::from_parts(Arc::new(client), policy, namespace))
    }

    /// A transport that others may share, under the policy that it was made for.
    pub(crate) fn from_parts(
        transport: Arc<dyn Transport>,
        policy: Arc<AddressPolicy>,
        namespace: &str,
    ) -> Self {
        Self {
            transport,
            policy,
            namespace: namespace.into(),
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
        self.check_url(request.url())?;
        let answer = self.transport.send(request).await;
        answer.map_err(SendError::Failed)
    }

    /// Checks a URL whose host is an address, as [`execute`](Self::execute) will.
    ///
    /// # Errors
    ///
    /// The address is refused.
    pub fn check_url(&self, url: &Url) -> Result<(), Refusal> {
        check_url(url, &self.policy, &self.namespace)
    }

    /// Whether plain http may be spoken with the URL's host: all its addresses are on the allow
    /// list.
    pub async fn is_allowed_host(&self, url: &Url) -> bool {
        is_allowed_host(url, &self.policy, &self.namespace).await
    }
}
