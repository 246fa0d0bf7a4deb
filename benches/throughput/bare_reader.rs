//! What HTTP and JSON cost by themselves: a client with nothing around it.

use std::{
    collections::HashSet,
    hash::{BuildHasher as _, RandomState},
    net::SocketAddr,
};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;

use crate::{Result, unchanged::Read};

/// Asks for given pages on one connection and drops what it has seen before.
pub(crate) struct BareReader {
    address: SocketAddr,
    sender: SendRequest<Empty<Bytes>>,
    targets: Vec<String>,
    hasher: RandomState,
    seen: HashSet<u64>,
    /// The page at hand; one buffer for all of them.
    body: Vec<u8>,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    result: Vec<Version<'a>>,
}

#[derive(Deserialize, Hash)]
struct Version<'a> {
    sys_id: &'a str,
    sys_updated_on: &'a str,
    sys_mod_count: &'a str,
}

impl BareReader {
    /// Connects, to ask for the pages at `targets`.
    pub(crate) async fn connect(address: SocketAddr, targets: Vec<String>) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self {
            address,
            sender,
            targets,
            hasher: RandomState::new(),
            seen: HashSet::new(),
            body: Vec::new(),
        })
    }

    /// Reads all pages once.
    pub(crate) async fn read(&mut self) -> Result<Read> {
        let mut read = Read::default();
        for index in 0..self.targets.len() {
            self.fetch(index).await?;
            let page: Page<'_> = serde_json::from_slice(&self.body)?;
            read.records += page.result.len();
            for version in &page.result {
                read.changes += usize::from(self.seen.insert(self.hasher.hash_one(version)));
            }
        }
        Ok(read)
    }

    async fn fetch(&mut self, index: usize) -> Result<()> {
        let target = self.targets.get(index).map_or("/", String::as_str);
        let request = Request::get(target)
            .header("host", self.address.to_string())
            .header("accept", "application/json")
            .header("authorization", "Bearer of-the-bench")
            .body(Empty::new())?;
        let mut response = self.sender.send_request(request).await?;
        self.body.clear();
        while let Some(frame) = response.frame().await {
            if let Some(chunk) = frame?.data_ref() {
                self.body.extend_from_slice(chunk);
            }
        }
        Ok(())
    }
}
