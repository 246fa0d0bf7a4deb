//! A callback that acknowledges everything at once, on the server's core.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    runtime, task,
};

use crate::cores::{Side, keep_to};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// Where notifications are posted to.
pub(crate) struct Receiver {
    address: SocketAddr,
    bodies: Arc<Mutex<Vec<Vec<u8>>>>,
    connections: Arc<AtomicUsize>,
}

impl Receiver {
    /// Listens on a port of the loopback.
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (bodies, connections) = (Arc::default(), Arc::default());
        let (shared, counted) = (Arc::clone(&bodies), Arc::clone(&connections));
        thread::spawn(move || {
            keep_to(Side::Server);
            let runtime = runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(accept(listener, shared, counted))
        });
        Ok(Self {
            address,
            bodies,
            connections,
        })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections were made to it so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// What was posted since the last call.
    pub(crate) fn take_bodies(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.bodies.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn accept(
    listener: TcpListener,
    bodies: Arc<Mutex<Vec<Vec<u8>>>>,
    connections: Arc<AtomicUsize>,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        connections.fetch_add(1, Ordering::Relaxed);
        task::spawn(acknowledge(stream, Arc::clone(&bodies)));
    }
}

async fn acknowledge(mut stream: TcpStream, bodies: Arc<Mutex<Vec<Vec<u8>>>>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut received = Vec::new();
    loop {
        let Some((head, length)) = framed(&received) else {
            if stream.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
            continue;
        };
        while received.len() < head + length {
            if stream.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
        }
        let rest = received.split_off(head + length);
        let body = received.split_off(head);
        bodies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(body);
        received = rest;
        stream.write_all(ANSWER).await?;
    }
}

/// The length of a request's head and of its body, once the head is complete.
fn framed(received: &[u8]) -> Option<(usize, usize)> {
    let end = received.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(received.get(..end)?).ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    Some((end + 4, length.unwrap_or(0)))
}
