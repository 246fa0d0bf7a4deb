//! What a proxy did in place of reaching a host, in words.

use std::fmt;

use reqwest::Url;

use super::Refusal;

/// A proxy as the environment names it.
#[derive(Clone)]
pub(super) struct NamedProxy {
    url: Url,
    variable: String,
}

impl NamedProxy {
    /// The proxy that `variable` names by this URL.
    pub(super) const fn new(url: Url, variable: String) -> Self {
        Self { url, variable }
    }

    pub(super) const fn url(&self) -> &Url {
        &self.url
    }
}

/// Without the user and the password in its URL.
impl fmt::Display for NamedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, variable) = (self.url.scheme(), &self.variable);
        let host = self.url.host_str().unwrap_or_default();
        write!(f, "the proxy {scheme}://{host}")?;
        if let Some(port) = self.url.port_or_known_default() {
            write!(f, ":{port}")?;
        }
        write!(f, " that {variable} names")
    }
}

impl fmt::Debug for NamedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A proxy that made no connection to a host: neither the host nor what the spec says of it is at fault.
#[derive(Debug)]
pub struct ProxyFault {
    proxy: NamedProxy,
    what: What,
}

#[derive(Debug)]
pub(super) enum What {
    /// It wants to know who asks.
    AsksWho,
    /// It did not connect to the host.
    Refuses,
    /// Its own address may not be reached.
    MayNotBeReached(Refusal),
    /// It could not be reached, or broke off.
    Unreached(String),
    /// No connection came about in time, to it or through it.
    Slow,
}

impl ProxyFault {
    pub(super) fn new(proxy: &NamedProxy, what: What) -> Self {
        Self {
            proxy: proxy.clone(),
            what,
        }
    }

    /// Whether trying again helps nobody before a person has changed something.
    #[must_use]
    pub const fn is_lasting(&self) -> bool {
        matches!(self.what, What::AsksWho | What::MayNotBeReached(_))
    }
}

impl fmt::Display for ProxyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { proxy, what } = self;
        let variable = &proxy.variable;
        match what {
            What::AsksWho => write!(
                f,
                "{proxy} asks who Pollen is: write a user and password that it takes into the URL of {variable}, in the \
                 environment of Pollen"
            ),
            What::Refuses => write!(
                f,
                "{proxy} made no connection to it: ask whoever runs the proxy to let it through, or name the host in \
                 NO_PROXY, in the environment of Pollen"
            ),
            What::MayNotBeReached(refusal) => write!(f, "{proxy} is not used: {refusal}"),
            What::Unreached(why) => write!(
                f,
                "{proxy} does not serve: {why}; check the proxy, and {variable} in the environment of Pollen"
            ),
            What::Slow => write!(
                f,
                "no connection came about in time through {proxy}; check the proxy, and {variable} in the environment of \
                 Pollen"
            ),
        }
    }
}

impl std::error::Error for ProxyFault {}
