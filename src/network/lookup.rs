//! The addresses of host names.

use std::{fmt, io, net::IpAddr};

use futures::{FutureExt as _, future::BoxFuture};

/// Who knows the addresses of a host name. They may change from one question to the next.
pub trait Lookup: fmt::Debug + Send + Sync {
    /// All addresses of a name, as they are now.
    fn addresses<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// The names that this machine knows: its hosts file, its DNS.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemNames;

impl Lookup for SystemNames {
    fn addresses<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        async move {
            let addresses = tokio::net::lookup_host((host, 0)).await?;
            Ok(addresses.map(|address| address.ip()).collect())
        }
        .boxed()
    }
}
