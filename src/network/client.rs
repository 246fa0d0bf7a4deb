//! Clients behind the address guard.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use reqwest::{
    Client, Proxy, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};

use super::{
    Lookup, Proxies, ProxyFault, Refusal, SystemNames, TlsSettings, TlsTrouble, describe,
    describe::describe_plain,
    guard::{AIM, Aim, Guard},
    sockets::Sockets,
};

/// How a client waits, names itself, keeps connections, and finds its way.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Longest time for one request, its answer's body included.
    pub timeout: Duration,
    /// Longest time for a connection to be made, TLS included.
    pub connect_timeout: Duration,
    /// Longest time that the other end may leave what was sent unread, once its buffers are full; on
    /// Linux alone (`TCP_USER_TIMEOUT`). It ends connections whose answer came before their request was
    /// read, which no other timeout sees.
    pub stall_timeout: Duration,
    /// A connection of HTTP/2 on which a request waits and nothing is heard for so long is asked for a sign
    /// of life (PING, RFC 9113 §6.7) and given up `ping_timeout` later without one: every request over it would
    /// time out, though new connections may work.
    pub ping_after: Duration,
    /// As long as a host that is busy may answer a request.
    pub ping_timeout: Duration,
    /// The `User-Agent`.
    pub user_agent: String,
    /// Idle connections kept for each host: as many as requests are in flight at once.
    pub idle_connections: usize,
    /// Who knows the addresses of host names.
    pub names: Arc<dyn Lookup>,
    /// Through which proxies hosts are reached; by default through none.
    pub proxies: Arc<Proxies>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(30),
            ping_after: Duration::from_secs(5),
            ping_timeout: Duration::from_secs(15),
            user_agent: concat!("pollen/", env!("CARGO_PKG_VERSION")).to_owned(),
            idle_connections: 64,
            names: Arc::new(SystemNames),
            proxies: Arc::default(),
        }
    }
}

/// A client that connects only to what `guard` permits.
///
/// It follows no redirect, so that no host is reached that nobody named; it asks for no compression
/// of what it posts; it keeps no cookies.
///
/// # Errors
///
/// TLS could not be set up, or the user agent is no header value.
pub(super) fn sockets(
    guard: Guard,
    options: &ClientOptions,
    tls: &TlsSettings,
) -> Result<Sockets, reqwest::Error> {
    let mut builder = Client::builder()
        .dns_resolver(GuardedResolver(guard.clone()))
        .redirect(redirect::Policy::none())
        .referer(false)
        // Those of the environment are read once, by whoever makes the options.
        .no_proxy()
        .timeout(options.timeout)
        .connect_timeout(options.connect_timeout)
        .user_agent(&options.user_agent)
        .pool_max_idle_per_host(options.idle_connections)
        .http2_keep_alive_interval(options.ping_after)
        .http2_keep_alive_timeout(options.ping_timeout)
        .tcp_nodelay(true);
    #[cfg(target_os = "linux")]
    {
        builder = builder.tcp_user_timeout(options.stall_timeout);
    }
    if !options.proxies.is_empty() {
        let proxies = Arc::clone(&options.proxies);
        builder = builder.proxy(Proxy::custom(move |url| {
            proxies.of(url).map(|proxy| proxy.url().clone())
        }));
    }
    let client = tls.apply(builder).build()?;
    Ok(Sockets::new(client, guard, Arc::clone(&options.proxies)))
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
    /// The same over plain http, where no certificate is why.
    #[error("{}", describe_plain(.0))]
    PlainFailed(reqwest::Error),
    /// The host has no address here, and plain http is spoken only with those on the allow list.
    #[error(
        "{0} does not resolve here, and plain http is spoken only with addresses that --allow-address names: write https"
    )]
    Unknown(String),
    /// The proxy on the way to the host failed.
    #[error(transparent)]
    Proxy(Box<ProxyFault>),
}

impl From<ProxyFault> for SendError {
    /// Boxed, as it is large and rare.
    fn from(fault: ProxyFault) -> Self {
        Self::Proxy(Box::new(fault))
    }
}

impl SendError {
    /// Whether the request surely did not reach the host.
    #[must_use]
    pub fn is_unsent(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Proxy(_) | Self::Unknown(_) => true,
            Self::Failed(error) | Self::PlainFailed(error) => {
                error.is_connect() || error.is_builder()
            }
        }
    }

    /// Whether what the spec says of the host is to be looked at: the request did not reach it, and no proxy
    /// is why.
    #[must_use]
    pub fn blames_url(&self) -> bool {
        self.is_unsent() && !matches!(self, Self::Proxy(_))
    }

    /// What happened, and where a certificate is why what to do, for a host that the spec names at the
    /// field `url` and whose certificates it names at `tls`.
    #[must_use]
    pub fn told(&self, url: &str, tls: &str) -> String {
        let trouble = match self {
            Self::Failed(error) => TlsTrouble::of(error),
            _ => None,
        };
        match trouble {
            Some(trouble) => format!("{self}: {}", trouble.advice(url, tls)),
            None => self.to_string(),
        }
    }
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

/// Resolves names and lets only permitted addresses through, each time that a connection is made.
struct GuardedResolver(Guard);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        // Read here, not in the future: a connection may be finished on another task.
        let aim = AIM.try_with(|aim| *aim).unwrap_or(Aim {
            port: None,
            needs_allowance: false,
        });
        let guard = self.0.clone();
        Box::pin(async move {
            let permitted = guard.permitted(name.as_str(), aim).await?;
            let addresses = permitted
                .into_iter()
                .map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests;
