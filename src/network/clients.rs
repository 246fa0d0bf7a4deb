//! The clients of a process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{AddressPolicy, ClientOptions, GuardedClient, Transport, client::client};

/// The clients of a process: as few as the policy allows, because each has its own copy of the
/// root certificates (100 KiB) and takes milliseconds to make.
///
/// Namespaces that no entry of the policy singles out share one client and its connections.
#[derive(Debug)]
pub struct Clients {
    policy: Arc<AddressPolicy>,
    ways: Ways,
}

/// How the hosts are reached.
#[derive(Debug)]
enum Ways {
    Sockets {
        options: ClientOptions,
        by_namespace: Mutex<HashMap<String, Arc<dyn Transport>>>,
    },
    Given(Arc<dyn Transport>),
}

impl Clients {
    /// Clients that keep to `policy`; none is made yet.
    #[must_use]
    pub fn new(policy: Arc<AddressPolicy>, options: ClientOptions) -> Self {
        Self {
            policy,
            ways: Ways::Sockets {
                options,
                by_namespace: Mutex::default(),
            },
        }
    }

    /// Clients that send everything over `transport`, as far as `policy` permits.
    #[must_use]
    pub fn over(transport: Arc<dyn Transport>, policy: Arc<AddressPolicy>) -> Self {
        Self {
            policy,
            ways: Ways::Given(transport),
        }
    }

    /// The client for the objects of a namespace.
    ///
    /// # Errors
    ///
    /// As of [`GuardedClient::new`].
    pub fn of(&self, namespace: &str) -> Result<GuardedClient, reqwest::Error> {
        let transport = self.transport(namespace)?;
        let policy = Arc::clone(&self.policy);
        Ok(GuardedClient::from_parts(transport, policy, namespace))
    }

    fn transport(&self, namespace: &str) -> Result<Arc<dyn Transport>, reqwest::Error> {
        let (options, by_namespace) = match &self.ways {
            Ways::Given(transport) => return Ok(Arc::clone(transport)),
            Ways::Sockets {
                options,
                by_namespace,
            } => (options, by_namespace),
        };
        let namespace = if self.policy.singles_out(namespace) {
            namespace
        } else {
            ""
        };
        let mut clients = by_namespace.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(namespace) {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(client(Arc::clone(&self.policy), namespace, options)?);
        clients.insert(
            namespace.to_owned(),
            Arc::clone(&client) as Arc<dyn Transport>,
        );
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use futures::future::BoxFuture;
    use reqwest::{Method, Request, Response};

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
        let Ways::Sockets { by_namespace, .. } = &clients.ways else {
            panic!("{clients:?}")
        };
        assert_eq!(by_namespace.lock().unwrap().len(), 2);
    }

    #[derive(Debug)]
    struct Unreachable;

    impl Transport for Unreachable {
        fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, reqwest::Error>> {
            panic!("{request:?} was sent")
        }
    }

    #[tokio::test]
    async fn a_given_transport_gets_nothing_that_the_policy_refuses() {
        let policy = AddressPolicy::new(vec!["10.0.0.1".parse().unwrap()], Vec::new());
        let clients = Clients::over(Arc::new(Unreachable), Arc::new(policy));
        let request = Request::new(Method::GET, "http://10.0.0.2/".parse().unwrap());
        let error = clients.of("a").unwrap().execute(request).await.unwrap_err();
        assert!(matches!(error, crate::network::SendError::Refused(_)));
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
