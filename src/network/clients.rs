//! The clients of a process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use super::{
    AddressPolicy, ClientOptions, GuardedClient, Lookup, SystemNames, TlsSettings, Transport,
    client::sockets, guard::Guard,
};

/// The clients of a process: as few as the policy allows, because each has its own copy of the
/// root certificates (100 KiB) and takes milliseconds to make.
///
/// Namespaces that no entry of the policy singles out share one client and its connections. Settings of
/// TLS make a client another, which those share that have the same, for as long as one is in use.
#[derive(Debug)]
pub struct Clients {
    policy: Arc<AddressPolicy>,
    names: Arc<dyn Lookup>,
    ways: Ways,
}

/// How the hosts are reached.
#[derive(Debug)]
enum Ways {
    Sockets {
        options: Box<ClientOptions>,
        known: Mutex<Known>,
    },
    Given(Arc<dyn Transport>),
}

/// The clients made so far.
#[derive(Debug, Default)]
struct Known {
    by_namespace: HashMap<String, Arc<dyn Transport>>,
    by_tls: HashMap<(String, [u8; 32]), Weak<dyn Transport>>,
}

impl Clients {
    /// Clients that keep to `policy`; none is made yet.
    #[must_use]
    pub fn new(policy: Arc<AddressPolicy>, options: ClientOptions) -> Self {
        Self {
            policy,
            names: Arc::clone(&options.names),
            ways: Ways::Sockets {
                options: Box::new(options),
                known: Mutex::default(),
            },
        }
    }

    /// Clients that send everything over `transport`, as far as `policy` permits.
    #[must_use]
    pub fn over(transport: Arc<dyn Transport>, policy: Arc<AddressPolicy>) -> Self {
        Self {
            policy,
            names: Arc::new(SystemNames),
            ways: Ways::Given(transport),
        }
    }

    /// The client for the objects of a namespace whose connections have these settings of TLS.
    ///
    /// # Errors
    ///
    /// As of [`GuardedClient::new`].
    pub fn of(&self, namespace: &str, tls: &TlsSettings) -> Result<GuardedClient, reqwest::Error> {
        let transport = self.transport(namespace, tls)?;
        Ok(GuardedClient::behind(transport, self.guard(namespace)))
    }

    fn guard(&self, namespace: &str) -> Guard {
        Guard::new(Arc::clone(&self.policy), namespace, Arc::clone(&self.names))
    }

    fn transport(
        &self,
        namespace: &str,
        tls: &TlsSettings,
    ) -> Result<Arc<dyn Transport>, reqwest::Error> {
        let (options, known) = match &self.ways {
            Ways::Given(transport) => return Ok(Arc::clone(transport)),
            Ways::Sockets { options, known } => (options, known),
        };
        let namespace = if self.policy.singles_out(namespace) {
            namespace
        } else {
            ""
        };
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(transport) = known.get(namespace, tls) {
            return Ok(transport);
        }
        let transport = Arc::new(sockets(self.guard(namespace), options, tls)?);
        known.insert(namespace, tls, Arc::clone(&transport) as Arc<dyn Transport>);
        Ok(transport)
    }
}

impl Known {
    fn get(&self, namespace: &str, tls: &TlsSettings) -> Option<Arc<dyn Transport>> {
        match tls.digest() {
            None => self.by_namespace.get(namespace).cloned(),
            Some(digest) => self.by_tls.get(&(namespace.to_owned(), digest))?.upgrade(),
        }
    }

    /// A Secret that changes leaves the client of its former text behind, which is let go here.
    fn insert(&mut self, namespace: &str, tls: &TlsSettings, transport: Arc<dyn Transport>) {
        let namespace = namespace.to_owned();
        let Some(digest) = tls.digest() else {
            self.by_namespace.insert(namespace, transport);
            return;
        };
        self.by_tls.retain(|_, client| client.strong_count() > 0);
        self.by_tls
            .insert((namespace, digest), Arc::downgrade(&transport));
    }
}

#[cfg(test)]
mod tests {
    use futures::future::BoxFuture;
    use reqwest::{Method, Request, Response};

    use super::*;
    use crate::network::SendError;

    fn clients(allowed: &str) -> Clients {
        let policy = AddressPolicy::new(vec![allowed.parse().unwrap()], Vec::new());
        Clients::new(Arc::new(policy), ClientOptions::default())
    }

    /// How many clients there are without settings of TLS, and with.
    fn counts(clients: &Clients) -> (usize, usize) {
        let Ways::Sockets { known, .. } = &clients.ways else {
            panic!("{clients:?}")
        };
        let known = known.lock().unwrap();
        (known.by_namespace.len(), known.by_tls.len())
    }

    fn authority() -> TlsSettings {
        let issued = rcgen::generate_simple_self_signed(vec!["a.example".to_owned()]).unwrap();
        TlsSettings::default()
            .with_authorities(&issued.cert.pem())
            .unwrap()
    }

    #[test]
    fn namespaces_under_the_same_policy_share_a_client() {
        let clients = clients("10.0.0.0/8@helpdesk");
        for namespace in ["a", "b", "helpdesk", "c", "helpdesk"] {
            clients.of(namespace, &TlsSettings::default()).unwrap();
        }
        assert_eq!(counts(&clients), (2, 0));
    }

    #[test]
    fn equal_settings_of_tls_share_a_client_for_as_long_as_one_is_in_use() {
        let clients = clients("10.0.0.0/8");
        let (one, other) = (authority(), authority());
        let used: Vec<_> = [("a", &one), ("b", &one), ("a", &other)]
            .map(|(namespace, tls)| clients.of(namespace, tls).unwrap())
            .into();
        assert_eq!(counts(&clients), (0, 2));
        drop(used);
        let _used = clients.of("a", &authority()).unwrap();
        assert_eq!(counts(&clients), (0, 1));
    }

    #[derive(Debug)]
    struct Unreachable;

    impl Transport for Unreachable {
        fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
            panic!("{request:?} was sent")
        }
    }

    #[tokio::test]
    async fn a_given_transport_gets_nothing_that_the_policy_refuses() {
        let policy = AddressPolicy::new(vec!["10.0.0.1".parse().unwrap()], Vec::new());
        let clients = Clients::over(Arc::new(Unreachable), Arc::new(policy));
        let request = Request::new(Method::GET, "http://10.0.0.2/".parse().unwrap());
        let client = clients.of("a", &TlsSettings::default()).unwrap();
        let error = client.execute(request).await.unwrap_err();
        assert!(matches!(error, SendError::Refused(_)));
    }

    #[tokio::test]
    async fn a_shared_client_has_no_namespaces_rights() {
        let clients = clients("127.0.0.0/8@helpdesk");
        let refused = async |namespace: &str| {
            let client = clients.of(namespace, &TlsSettings::default()).unwrap();
            let request = Request::new(Method::GET, "http://localhost:1/".parse().unwrap());
            let error = client.execute(request).await.unwrap_err();
            error.to_string().contains("--allow-address")
        };
        assert!(refused("sales").await);
        assert!(!refused("helpdesk").await);
    }
}
