//! A ServiceNow that answers from memory, on a core of its own, so that it never bounds a client.

use std::{
    collections::HashMap,
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use reqwest::Url;

use crate::{
    cores::{Side, keep_to},
    table::Table,
};

/// How an answer says where its body ends.
#[derive(Clone, Copy)]
pub(crate) enum Framing {
    /// By its length, told before it.
    Length,
    /// In chunks, as ServiceNow does: nobody knows the length before the end.
    Chunks,
}

/// Bytes in a chunk: a servlet container's buffer.
const CHUNK: usize = 8 * 1024;

/// A server of one table.
pub(crate) struct Provider {
    address: SocketAddr,
    desk: Arc<Mutex<Desk>>,
}

/// What a client asked for since it was last looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Served {
    /// The targets of its requests.
    pub(crate) targets: Vec<String>,
    /// Bytes of the answers' bodies.
    pub(crate) bytes: usize,
}

struct Desk {
    table: Table,
    framing: Framing,
    /// Whole answers by their requests' targets.
    answers: HashMap<String, Arc<Answer>>,
    served: Served,
}

struct Answer {
    bytes: Vec<u8>,
    body: usize,
}

impl Provider {
    /// Listens on a port of the loopback.
    pub(crate) fn start(table: Table, framing: Framing) -> io::Result<Self> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let desk = Arc::new(Mutex::new(Desk {
            table,
            framing,
            answers: HashMap::new(),
            served: Served::default(),
        }));
        let shared = Arc::clone(&desk);
        thread::spawn(move || {
            keep_to(Side::Server);
            for stream in listener.incoming().flatten() {
                let desk = Arc::clone(&shared);
                // A client that goes away ends its thread.
                thread::spawn(move || serve(stream, &desk).unwrap_or_default());
            }
        });
        Ok(Self { address, desk })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What was served since the last call.
    pub(crate) fn take_served(&self) -> Served {
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut desk.served)
    }
}

fn serve(mut stream: TcpStream, desk: &Mutex<Desk>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut requests = BufReader::new(stream.try_clone()?);
    while let Some(target) = read_target(&mut requests)? {
        let answer = desk
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .answer(target)
            .ok_or(io::ErrorKind::InvalidInput)?;
        stream.write_all(&answer.bytes)?;
    }
    Ok(())
}

/// The target of the next request, whose head is read to its end.
fn read_target(requests: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut target = None;
    let mut line = String::new();
    while requests.read_line(&mut line)? > 2 {
        target = target.or_else(|| line.split(' ').nth(1).map(str::to_owned));
        line.clear();
    }
    Ok(target)
}

impl Desk {
    fn answer(&mut self, target: String) -> Option<Arc<Answer>> {
        let answer = match self.answers.get(&target) {
            Some(answer) => Arc::clone(answer),
            None => {
                let answer = Arc::new(render(&self.table, self.framing, &target)?);
                self.answers.insert(target.clone(), Arc::clone(&answer));
                answer
            }
        };
        self.served.targets.push(target);
        self.served.bytes += answer.body;
        Some(answer)
    }
}

/// The answer to a request for a page, by its bound and limit.
fn render(table: &Table, framing: Framing, target: &str) -> Option<Answer> {
    let url = Url::parse("http://localhost").ok()?.join(target).ok()?;
    let parameter = |name: &str| {
        let mut pairs = url.query_pairs();
        pairs.find(|(key, _)| key == name).map(|(_, value)| value)
    };
    let query = parameter("sysparm_query")?;
    let bound = query.strip_prefix("sys_updated_on>=")?.split('^').next()?;
    let from = table.first_from(bound)?;
    let body = table.page(from, parameter("sysparm_limit")?.parse().ok()?);
    let (header, framed) = framing.frame(body.as_bytes());
    let head = format!(
        "HTTP/1.1 200 OK\r\nDate: {}\r\nContent-Type: application/json;charset=UTF-8\r\n\
         X-Total-Count: {}\r\nLink: <https://acme.service-now.com{target}>;rel=\"first\"\r\n\
         Strict-Transport-Security: max-age=63072000; includeSubDomains\r\nServer: ServiceNow\r\n\
         {header}\r\n\r\n",
        httpdate::fmt_http_date(table.now().into()),
        table.len() - from,
    );
    Some(Answer {
        body: body.len(),
        bytes: [head.into_bytes(), framed].concat(),
    })
}

impl Framing {
    /// The header that tells of the framing, and the body in it.
    fn frame(self, body: &[u8]) -> (String, Vec<u8>) {
        match self {
            Self::Length => (format!("Content-Length: {}", body.len()), body.to_vec()),
            Self::Chunks => ("Transfer-Encoding: chunked".to_owned(), chunks(body)),
        }
    }
}

fn chunks(body: &[u8]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(body.len() + body.len() / 256);
    for chunk in body.chunks(CHUNK) {
        framed.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        framed.extend_from_slice(chunk);
        framed.extend_from_slice(b"\r\n");
    }
    framed.extend_from_slice(b"0\r\n\r\n");
    framed
}
