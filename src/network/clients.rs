//! The clients of a process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use reqwest::Client;

use super::{AddressPolicy, ClientOptions, GuardedClient, client::client};

/// The clients of a process: as few as the policy allows, because each has its own copy of the
/// root certificates (100 KiB) and takes milliseconds to make.
///
/// Namespaces that no entry of the policy singles out share one client and its connections.
#[derive(Debug)]
pub struct Clients {
    policy: Arc<AddressPolicy>,
    options: ClientOptions,
    by_namespace: Mutex<HashMap<String, Client>>,
}

impl Clients {
    /// Clients that keep to `policy`; none is made yet.
    #[must_use]
    pub fn new(policy: Arc<AddressPolicy>, options: ClientOptions) -> Self {
        Self {
            policy,
            options,
            by_namespace: Mutex::default(),
        }
    }

    /// The client for the objects of a namespace.
    ///
    /// # Errors
    ///
    /// As of [`GuardedClient::new`].
    pub fn of(&self, namespace: &str) -> Result<GuardedClient, reqwest::Error> {
        let client = self.shared(namespace)?;
        let policy = Arc::clone(&self.policy);
        Ok(GuardedClient::from_parts(client, policy, namespace))
    }

    fn shared(&self, namespace: &str) -> Result<Client, reqwest::Error> {
        let namespace = if self.policy.singles_out(namespace) {
            namespace
        } else {
            ""
        };
        let mut clients = self
            .by_namespace
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(namespace) {
            return Ok(client.clone());
        }
        let client = client(Arc::clone(&self.policy), namespace, &self.options)?;
        clients.insert(namespace.to_owned(), client.clone());
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use reqwest::{Method, Request};

    use super::*;

    fn clients(allowed: &str) -> Clients {
        let policy = AddressPolicy::new(vec![allowed.parse().unwrap()], Vec::new());
        Clients::new(Arc::new(policy), ClientOptions::default())
    }

    #[test]
    fn namespaces_under_the_same_policy_share_a_client() {
        let clients = clients("10.0.0.0/8@helpdesk");
        for namespace in ["a", "b", "helpdesk", "c", "helpdesk"] {
            clients.of(namespace).unwrap();
        }
        assert_eq!(clients.by_namespace.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_shared_client_has_no_namespaces_rights() {
        let clients = clients("127.0.0.0/8@helpdesk");
        let refused = async |namespace: &str| {
            let client = clients.of(namespace).unwrap();
            let request = Request::new(Method::GET, "http://localhost:1/".parse().unwrap());
            let error = client.execute(request).await.unwrap_err();
            error.to_string().contains("--allow-address")
        };
        assert!(refused("sales").await);
        assert!(!refused("helpdesk").await);
    }
}
