//! Clients behind the address guard.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use reqwest::{
    Client, Request, Response, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};

use super::{AddressPolicy, Refusal, describe};

tokio::task_local! {
    /// The port of the request whose connection is being made. A resolver is told a name alone.
    static PORT: u16;
}

/// How a client waits, names itself and keeps connections.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Longest time for one request, its answer's body included.
    pub timeout: Duration,
    /// Longest time for a connection to be made, TLS included.
    pub connect_timeout: Duration,
    /// The `User-Agent`.
    pub user_agent: String,
    /// Idle connections kept for each host: as many as requests are in flight at once.
    pub idle_connections: usize,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            user_agent: concat!("pollen/", env!("CARGO_PKG_VERSION")).to_owned(),
            idle_connections: 64,
        }
    }
}

/// A client for the objects of one namespace, which connects only to what `policy` permits.
///
/// It follows no redirect, so that no host is reached that nobody named; it ignores the proxies
/// of the environment, behind which the guard would see the proxy's address alone; it keeps no
/// cookies. Send with [`send`] what [`check_url`] has passed.
///
/// # Errors
///
/// TLS could not be set up, or the user agent is no header value.
pub(super) fn client(
    policy: Arc<AddressPolicy>,
    namespace: &str,
    options: &ClientOptions,
) -> Result<Client, reqwest::Error> {
    Client::builder()
        .dns_resolver(GuardedResolver {
            policy,
            namespace: namespace.into(),
        })
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .timeout(options.timeout)
        .connect_timeout(options.connect_timeout)
        .user_agent(&options.user_agent)
        .pool_max_idle_per_host(options.idle_connections)
        .tcp_nodelay(true)
        .build()
}

/// Checks a URL whose host is an address: a client's resolver is asked only for names.
///
/// # Errors
///
/// The address is refused.
pub(super) fn check_url(url: &Url, policy: &AddressPolicy, namespace: &str) -> Result<(), Refusal> {
    match literal(url) {
        Some(address) => policy.decide(address, url.port_or_known_default(), namespace),
        None => Ok(()),
    }
}

/// Whether every address of the URL's host is on the allow list, so that plain http may be spoken
/// with it. A host that does not resolve is not.
pub(super) async fn is_allowed_host(url: &Url, policy: &AddressPolicy, namespace: &str) -> bool {
    let port = url.port_or_known_default();
    if let Some(address) = literal(url) {
        return policy.allows(address, port, namespace);
    }
    let Some(host) = url.host_str() else {
        return false;
    };
    let Ok(addresses) = tokio::net::lookup_host((host, 0)).await else {
        return false;
    };
    let mut addresses = addresses.peekable();
    addresses.peek().is_some()
        && addresses.all(|address| policy.allows(address.ip(), port, namespace))
}

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The URL's address is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The host's addresses are refused, or the connection could not be made or broke.
    #[error("{}", describe(.0))]
    Failed(reqwest::Error),
}

impl SendError {
    /// Whether the request surely did not reach the host.
    #[must_use]
    pub fn is_unsent(&self) -> bool {
        match self {
            Self::Refused(_) => true,
            Self::Failed(error) => error.is_connect() || error.is_builder(),
        }
    }
}

/// Sends a request to a URL that [`check_url`] has passed before; its name passes the other gate.
///
/// # Errors
///
/// The host's addresses are refused, or no answer came.
pub(super) async fn send(client: &Client, request: Request) -> Result<Response, reqwest::Error> {
    let port = request.url().port_or_known_default().unwrap_or_default();
    let answer = PORT.scope(port, client.execute(request)).await;
    answer.map_err(reqwest::Error::without_url)
}

/// The first `limit` bytes of an answer's body.
///
/// A body that ends within the limit leaves its connection fit for the next request; a longer one
/// is cut off with its connection.
///
/// # Errors
///
/// The connection broke or the time ran out.
pub async fn read_limited(mut response: Response, limit: usize) -> Result<Bytes, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(reqwest::Error::without_url)?
    {
        let room = limit.saturating_sub(body.len());
        body.extend(chunk.iter().take(room));
        if chunk.len() > room {
            break;
        }
    }
    Ok(body.into())
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

/// Resolves names as the system does and lets only permitted addresses through.
struct GuardedResolver {
    policy: Arc<AddressPolicy>,
    namespace: Arc<str>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        // Read here, not in the future: a connection may be finished on another task.
        let port = PORT.try_with(|port| *port).ok();
        let (policy, namespace) = (Arc::clone(&self.policy), Arc::clone(&self.namespace));
        Box::pin(async move {
            let addresses = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let permitted = permitted(addresses, &policy, port, &namespace)
                .map_err(|refusal| refusal.of_host(name.as_str()))?;
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

/// The permitted ones of a host's addresses, or the refusal of the first when there is none.
fn permitted(
    addresses: impl Iterator<Item = SocketAddr>,
    policy: &AddressPolicy,
    port: Option<u16>,
    namespace: &str,
) -> Result<Vec<SocketAddr>, Refusal> {
    let mut permitted = Vec::new();
    let mut refusal = None;
    for address in addresses {
        match policy.decide(address.ip(), port, namespace) {
            Ok(()) => permitted.push(address),
            Err(refused) => refusal = refusal.or(Some(refused)),
        }
    }
    match refusal {
        Some(refusal) if permitted.is_empty() => Err(refusal),
        _ => Ok(permitted),
    }
}

#[cfg(test)]
mod tests;
