//! What posting costs by itself: a client without records, events or retries.

use std::net::SocketAddr;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::{Client, header::CONTENT_TYPE};

use crate::Result;

/// Posts given bodies.
pub(crate) struct BareSender {
    client: Client,
    url: String,
    bodies: Vec<Vec<u8>>,
    in_flight: usize,
}

impl BareSender {
    /// A client that posts `bodies`, up to `in_flight` at once.
    pub(crate) fn new(address: SocketAddr, bodies: Vec<Vec<u8>>, in_flight: usize) -> Result<Self> {
        Ok(Self {
            client: Client::builder().no_proxy().build()?,
            url: format!("http://{address}/"),
            bodies,
            in_flight,
        })
    }

    /// Posts all bodies once.
    pub(crate) async fn send(&self) -> Result<()> {
        stream::iter(&self.bodies)
            .map(|body| self.post(body))
            .buffer_unordered(self.in_flight)
            .try_collect()
            .await
    }

    async fn post(&self, body: &[u8]) -> Result<()> {
        let request = self
            .client
            .post(&self.url)
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_vec());
        request.send().await?.error_for_status()?.bytes().await?;
        Ok(())
    }
}
