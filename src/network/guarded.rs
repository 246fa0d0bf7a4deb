//! A client together with what it keeps to.

use std::sync::Arc;

use reqwest::{Client, Request, Response};

use super::{AddressPolicy, ClientOptions, SendError, client, execute};

/// A client of one namespace that passes both gates with each request.
#[derive(Clone, Debug)]
pub struct GuardedClient {
    client: Client,
    policy: Arc<AddressPolicy>,
    namespace: Arc<str>,
}

impl GuardedClient {
    /// A client for the objects of `namespace`, which reaches only what `policy` permits.
    ///
    /// # Errors
    ///
    /// As of [`client`].
    pub fn new(
        policy: Arc<AddressPolicy>,
        namespace: &str,
        options: &ClientOptions,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self {
            client: client(Arc::clone(&policy), namespace, options)?,
            policy,
            namespace: namespace.into(),
        })
    }

    /// Sends a request, as [`execute`] does.
    ///
    /// # Errors
    ///
    /// The address is refused, or no answer came.
    pub async fn execute(&self, request: Request) -> Result<Response, SendError> {
        execute(&self.client, request, &self.policy, &self.namespace).await
    }
}
