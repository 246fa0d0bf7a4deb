//! What is checked of each request: the addresses of its host, wherever they come from.

use std::{error::Error, net::IpAddr, sync::Arc, time::Duration};

use reqwest::Url;

use super::{AddressPolicy, Lookup, Refusal, SendError};

/// A lookup here that takes longer has failed; no client's timeout has begun.
const LOOKUP: Duration = Duration::from_secs(10);

tokio::task_local! {
    /// What the request whose connection is being made is for. A resolver is told a name alone.
    pub(super) static AIM: Aim;
}

/// What a connection is to be made for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aim {
    pub(super) port: Option<u16>,
    /// Only the allow list will do: plain http is spoken, and what is sent must not be read on the way.
    pub(super) needs_allowance: bool,
}

impl Aim {
    /// A connection to the host of `url`.
    pub(super) fn at(url: &Url) -> Self {
        Self {
            port: url.port_or_known_default(),
            needs_allowance: false,
        }
    }
}

/// The policy as it holds for one namespace, and who knows the names.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    policy: Arc<AddressPolicy>,
    namespace: Arc<str>,
    names: Arc<dyn Lookup>,
}

impl Guard {
    pub(super) fn new(policy: Arc<AddressPolicy>, namespace: &str, names: Arc<dyn Lookup>) -> Self {
        Self {
            policy,
            namespace: namespace.into(),
            names,
        }
    }

    /// Checks a URL whose host is an address: a resolver is asked only for names.
    ///
    /// # Errors
    ///
    /// The address is refused.
    pub(super) fn check_literal(&self, url: &Url, aim: Aim) -> Result<(), Refusal> {
        literal(url).map_or(Ok(()), |address| self.decide(address, aim))
    }

    /// The permitted ones of a name's addresses.
    ///
    /// # Errors
    ///
    /// The name is not known, or the refusal of its first address where none is permitted.
    pub(super) async fn permitted(
        &self,
        host: &str,
        aim: Aim,
    ) -> Result<Vec<IpAddr>, Box<dyn Error + Send + Sync>> {
        let (mut permitted, mut refusal) = (Vec::new(), None);
        for address in self.names.addresses(host).await? {
            match self.decide(address, aim) {
                Ok(()) => permitted.push(address),
                Err(refused) => refusal = refusal.or(Some(refused)),
            }
        }
        match refusal {
            Some(refusal) if permitted.is_empty() => Err(refusal.of_host(host).into()),
            _ => Ok(permitted),
        }
    }

    /// Checks what a proxy will connect to, as far as it is known here: an address in the URL, else
    /// every address that the name has here, for the proxy may take any.
    ///
    /// # Errors
    ///
    /// An address is refused, or none is known where only the allow list will do.
    pub(super) async fn check_behind_proxy(&self, url: &Url, aim: Aim) -> Result<(), SendError> {
        self.check_literal(url, aim)?;
        let Some(host) = url.host_str().filter(|_| literal(url).is_none()) else {
            return Ok(());
        };
        // A name that only the proxy knows is the proxy's to judge, which knows no allow list.
        let addresses = self.known(host).await;
        if addresses.is_empty() && aim.needs_allowance {
            return Err(SendError::Unknown(host.to_owned()));
        }
        let checked = addresses
            .into_iter()
            .try_for_each(|address| self.decide(address, aim));
        Ok(checked.map_err(|refusal| refusal.of_host(host))?)
    }

    /// Whether every address of the URL's host is on the allow list. A host that does not resolve is
    /// not.
    pub(super) async fn is_allowed(&self, url: &Url) -> bool {
        let port = url.port_or_known_default();
        let allows = |address| self.policy.allows(address, port, &self.namespace);
        if let Some(address) = literal(url) {
            return allows(address);
        }
        let Some(host) = url.host_str() else {
            return false;
        };
        let addresses = self.known(host).await;
        !addresses.is_empty() && addresses.into_iter().all(allows)
    }

    /// The addresses that a name has here; none, where it is not known in time.
    async fn known(&self, host: &str) -> Vec<IpAddr> {
        let lookup = tokio::time::timeout(LOOKUP, self.names.addresses(host)).await;
        lookup.ok().and_then(Result::ok).unwrap_or_default()
    }

    fn decide(&self, address: IpAddr, aim: Aim) -> Result<(), Refusal> {
        self.policy.decide(address, aim.port, &self.namespace)?;
        if aim.needs_allowance && !self.policy.allows(address, aim.port, &self.namespace) {
            let (port, namespace) = (aim.port, &self.namespace);
            return Err(self.policy.unencrypted(address, port, namespace));
        }
        Ok(())
    }
}

/// The address written as the URL's host. `Url` has already read `127.1` and `0x7f000001` as what
/// they are.
fn literal(url: &Url) -> Option<IpAddr> {
    url.host_str()?
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use std::io;

    use futures::{FutureExt as _, future::BoxFuture};

    use super::*;

    #[derive(Debug)]
    struct Silent;

    impl Lookup for Silent {
        fn addresses<'a>(&'a self, _host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
            std::future::pending().boxed()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_that_is_looked_up_for_ever_is_not_known() {
        let guard = Guard::new(Arc::default(), "a", Arc::new(Silent));
        let url: Url = "http://slow.example/".parse().unwrap();
        assert!(!guard.is_allowed(&url).await);
        let aim = Aim::at(&url);
        guard.check_behind_proxy(&url, aim).await.unwrap();
        let needs_allowance = true;
        let aim = Aim {
            needs_allowance,
            ..aim
        };
        let error = guard.check_behind_proxy(&url, aim).await.unwrap_err();
        assert!(error.is_unsent());
    }
}
