//! Pages that carry a password which may be wrong.

use std::collections::BTreeMap;

use futures::FutureExt as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::{
    provider::auth::{Entries, FixedCredential, Renewals, fixtures::MemoryStore},
    secrets::Secrets,
};

/// The body never comes.
const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n";

/// A process that sends a password.
struct World {
    store: Arc<MemoryStore>,
    renewals: Renewals,
    connection: Connection,
    listener: TcpListener,
}

impl World {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base: Url = format!("http://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let (store, renewals) = (Arc::new(MemoryStore::new(None)), Renewals::default());
        let mut connection = connect(base.as_str());
        connection.authorizer = Arc::new(basic(&base, Arc::clone(&store), &renewals));
        Self {
            store,
            renewals,
            connection,
            listener,
        }
    }

    fn poll(&self) -> tokio::task::JoinHandle<bool> {
        let connection = self.connection.clone();
        tokio::spawn(async move { connection.get(&connection.base).await.is_ok() })
    }

    /// The provider's end of a connection, with the request on it.
    async fn asked(&self) -> TcpStream {
        let (mut stream, _) = self.listener.accept().await.unwrap();
        let mut request = [0; 4096];
        assert_ne!(stream.read(&mut request).await.unwrap(), 0);
        stream
    }

    fn is_recorded(&self) -> bool {
        self.store.tried_as_written().is_some()
    }
}

fn basic(base: &Url, store: Arc<MemoryStore>, renewals: &Renewals) -> FixedCredential {
    let mut secrets = Secrets::default();
    let login = [("username", "ann"), ("password", "pw")];
    let entries = login.map(|(name, value)| (name.to_owned(), value.into()));
    secrets.insert("login".to_owned(), BTreeMap::from(entries));
    let entries = Entries::new(&secrets, "login");
    FixedCredential::basic(&entries, base, store, renewals, Clock::system()).unwrap()
}

/// A poller that is edited, or SIGTERM.
#[tokio::test]
async fn a_page_request_dropped_on_stop_leaves_no_record_once_the_provider_has_accepted() {
    let world = World::new().await;
    let poll = world.poll();
    let mut provider = world.asked().await;
    poll.abort();
    assert!(poll.await.unwrap_err().is_cancelled());
    assert!(world.is_recorded());
    let mut rest = world.renewals.rest().boxed();
    assert!(futures::poll!(&mut rest).is_pending());
    provider.write_all(HEAD).await.unwrap();
    rest.await;
    assert!(!world.is_recorded());
}

/// Else the other pollers wait for the end of a page that trickles.
#[tokio::test]
async fn a_password_is_accepted_at_the_head_of_the_first_page() {
    let world = World::new().await;
    let first = world.poll();
    let mut provider = world.asked().await;
    let second = world.poll();
    provider.write_all(HEAD).await.unwrap();
    let _second_provider = world.asked().await;
    assert!(!first.is_finished() && !second.is_finished());
    assert!(!world.is_recorded());
}

/// An instance that is edited is built anew, with the same password.
#[tokio::test]
async fn an_instance_that_is_built_anew_waits_for_the_trial_of_the_one_before() {
    let world = World::new().await;
    let poll = world.poll();
    let mut provider = world.asked().await;
    poll.abort();
    let base = world.connection.base();
    let anew = basic(base, Arc::clone(&world.store), &world.renewals);
    let mut attempt = anew.attempt();
    assert!(futures::poll!(&mut attempt).is_pending());
    provider.write_all(HEAD).await.unwrap();
    assert!(attempt.await.is_ok());
}
