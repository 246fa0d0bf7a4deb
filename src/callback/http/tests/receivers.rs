//! Receivers of all manners, over real sockets: each is bounded, and none costs a connection more than
//! it must.

use std::{
    future::Future,
    sync::atomic::{AtomicUsize, Ordering},
};

use futures::future::join_all;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};

use super::*;

/// Longer than anything takes that is going to happen.
const PATIENCE: Duration = Duration::from_secs(20);

const EMPTY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

type Stream = BufReader<TcpStream>;

/// A receiver that counts its connections.
struct Receiver {
    url: String,
    accepted: Arc<AtomicUsize>,
    open: watch::Receiver<usize>,
}

impl Receiver {
    /// Has `converse` answer on each connection, which ends with it.
    async fn start<C: Future<Output = Option<()>> + Send + 'static>(
        converse: impl Fn(Stream) -> C + Clone + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/events", listener.local_addr().unwrap());
        let (count, open) = watch::channel(0);
        let (count, accepted) = (Arc::new(count), Arc::<AtomicUsize>::default());
        let accepts = Arc::clone(&accepted);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepts.fetch_add(1, Ordering::SeqCst);
                count.send_modify(|open| *open += 1);
                let (converse, count) = (converse.clone(), Arc::clone(&count));
                tokio::spawn(async move {
                    converse(BufReader::new(stream)).await;
                    count.send_modify(|open| *open -= 1);
                });
            }
        });
        Self {
            url,
            accepted,
            open,
        }
    }

    fn callback(&self, retry: RetryPolicy) -> HttpCallback {
        callback(json!({"url": self.url}), retry).unwrap()
    }

    fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// The connections that our end has with it: who gave up on a stalled one tells the other end nothing.
    #[cfg(target_os = "linux")]
    fn connected(&self) -> usize {
        const ESTABLISHED: &str = "01";
        let url = reqwest::Url::parse(&self.url).unwrap();
        let port = format!(":{:04X}", url.port().unwrap());
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let rows = table.lines().map(|row| row.split_whitespace().skip(2));
        rows.filter(|row| {
            let mut row = row.clone();
            row.next().is_some_and(|remote| remote.ends_with(&port))
                && row.next() == Some(ESTABLISHED)
        })
        .count()
    }

    /// Waits until so few connections are open.
    async fn at_most_open(&mut self, most: usize) {
        let settled = self.open.wait_for(|open| *open <= most);
        let settled = timeout(PATIENCE, settled).await.map(drop);
        assert!(settled.is_ok(), "{:?} connections are open", self.open);
    }
}

/// The length of the next request's body, which is not read yet; `None` at the connection's end.
async fn head(stream: &mut Stream) -> Option<usize> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            return Some(length);
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
}

async fn body(stream: &mut Stream, length: usize) -> Option<Vec<u8>> {
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(body)
}

/// Reads and acknowledges whatever comes.
async fn take(mut stream: Stream) -> Option<()> {
    loop {
        let length = head(&mut stream).await?;
        body(&mut stream, length).await?;
        stream.write_all(EMPTY).await.ok()?;
    }
}

/// A notification of one record of about so many bytes.
fn of_size(bytes: usize) -> Notification {
    let mut notification = notification();
    let record = format!("{{\"sys_id\":\"1\",\"text\":\"{}\"}}", "x".repeat(bytes));
    notification.events[0].record = record.into();
    notification
}

async fn deliver(callback: &HttpCallback, notification: &Notification) -> Delivery {
    let origin = origin();
    let delivery = callback.deliver(&origin, notification);
    timeout(PATIENCE, delivery).await.unwrap()
}

#[tokio::test]
async fn one_after_another_use_one_connection() {
    let receiver = Receiver::start(take).await;
    let callback = receiver.callback(NO_RETRY);
    for _ in 0..200 {
        assert_eq!(
            deliver(&callback, &notification()).await,
            Delivery::Acknowledged
        );
    }
    assert_eq!(receiver.accepted(), 1);
}

#[tokio::test]
async fn as_many_connections_are_kept_as_are_in_flight() {
    let receiver = Receiver::start(take).await;
    let callback = receiver.callback(NO_RETRY);
    let notification = notification();
    for _ in 0..5 {
        let deliveries = (0..64).map(|_| deliver(&callback, &notification));
        assert_eq!(join_all(deliveries).await, vec![Delivery::Acknowledged; 64]);
    }
    assert!(
        receiver.accepted() <= 64,
        "{} connections",
        receiver.accepted()
    );
}

#[tokio::test]
async fn a_record_of_8_mb_arrives_whole_and_uncompressed() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&heard);
    let receiver = Receiver::start(move |mut stream: Stream| {
        let hears = Arc::clone(&hears);
        async move {
            let length = head(&mut stream).await?;
            *hears.lock().unwrap() = body(&mut stream, length).await?;
            stream.write_all(EMPTY).await.ok()
        }
    });
    let receiver = receiver.await;
    let sent = of_size(8 * 1024 * 1024);
    assert_eq!(
        deliver(&receiver.callback(NO_RETRY), &sent).await,
        Delivery::Acknowledged
    );
    let heard: serde_json::Value = serde_json::from_slice(&heard.lock().unwrap()).unwrap();
    let record: serde_json::Value = serde_json::from_slice(&sent.events[0].record).unwrap();
    assert_eq!(heard["message"]["raw"]["accounts"][0], record);
}

#[rstest]
#[case::of_many_events(60 * 1024)]
#[case::beyond_what_a_socket_takes_at_once(256 * 1024)]
#[case::of_a_large_record(4 * 1024 * 1024)]
#[tokio::test]
async fn an_answer_before_the_body_was_read_counts_and_leaks_no_connection(#[case] size: usize) {
    let heard = Arc::<AtomicUsize>::default();
    let hears = Arc::clone(&heard);
    let receiver = Receiver::start(move |mut stream: Stream| {
        let hears = Arc::clone(&hears);
        async move {
            loop {
                let length = head(&mut stream).await?;
                stream.write_all(EMPTY).await.ok()?;
                hears.fetch_add(body(&mut stream, length).await?.len(), Ordering::SeqCst);
            }
        }
    });
    let mut receiver = receiver.await;
    let callback = receiver.callback(NO_RETRY);
    for _ in 0..50 {
        let delivery = deliver(&callback, &of_size(size)).await;
        assert_eq!(delivery, Delivery::Acknowledged);
    }
    receiver.at_most_open(2).await;
    drop(callback);
    receiver.at_most_open(0).await;
    assert!(heard.load(Ordering::SeqCst) >= 50 * size, "cut short");
}

/// As long as nobody reads, the other end's kernel takes no more, and a timeout of ours is long over.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_receiver_that_answers_and_never_reads_keeps_no_connection() {
    let receiver = Receiver::start(|mut stream: Stream| async move {
        head(&mut stream).await?;
        stream.write_all(EMPTY).await.ok()?;
        std::future::pending().await
    });
    let receiver = receiver.await;
    let mut callback = receiver.callback(NO_RETRY);
    callback.endpoint.client = client(&ClientOptions {
        stall_timeout: Duration::from_millis(300),
        ..ClientOptions::default()
    });
    for _ in 0..3 {
        let delivery = deliver(&callback, &of_size(8 * 1024 * 1024)).await;
        assert_eq!(delivery, Delivery::Acknowledged);
    }
    let given_up = async {
        while receiver.connected() > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    assert!(timeout(PATIENCE, given_up).await.is_ok(), "still connected");
}

/// Whether its answer is heard is the network's matter: what counts is that nothing hangs.
#[tokio::test]
async fn a_receiver_that_answers_and_leaves_with_the_body_unread_holds_nothing_up() {
    let receiver = Receiver::start(|mut stream: Stream| async move {
        head(&mut stream).await?;
        stream.write_all(EMPTY).await.ok()
    });
    let mut receiver = receiver.await;
    let callback = receiver.callback(NO_RETRY);
    for _ in 0..3 {
        let delivery = deliver(&callback, &of_size(4 * 1024 * 1024)).await;
        let settled = matches!(delivery, Delivery::Acknowledged | Delivery::Unavailable(_));
        assert!(settled, "{delivery:?}");
    }
    receiver.at_most_open(0).await;
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut_off_with_its_connection() {
    let receiver = Receiver::start(|mut stream: Stream| async move {
        let length = head(&mut stream).await?;
        body(&mut stream, length).await?;
        let begin = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(begin).await.ok()?;
        loop {
            stream.write_all(b"400\r\n").await.ok()?;
            stream.write_all(&[b' '; 0x400]).await.ok()?;
            stream.write_all(b"\r\n").await.ok()?;
        }
    });
    let mut receiver = receiver.await;
    let callback = receiver.callback(NO_RETRY);
    for _ in 0..10 {
        assert_eq!(
            deliver(&callback, &notification()).await,
            Delivery::Acknowledged
        );
    }
    receiver.at_most_open(0).await;
    assert_eq!(receiver.accepted(), 10);
}

#[tokio::test]
async fn a_body_that_trickles_takes_no_longer_than_the_timeout() {
    let receiver = Receiver::start(|mut stream: Stream| async move {
        let length = head(&mut stream).await?;
        body(&mut stream, length).await?;
        let begin = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";
        stream.write_all(begin).await.ok()?;
        // The rest never comes, and the other end shows when it has had enough.
        stream.read_u8().await.ok().map(drop)
    });
    let mut receiver = receiver.await;
    let mut callback = receiver.callback(NO_RETRY);
    callback.timeout = Duration::from_millis(100);
    for _ in 0..3 {
        assert_eq!(
            deliver(&callback, &notification()).await,
            Delivery::Acknowledged
        );
    }
    receiver.at_most_open(0).await;
}

#[tokio::test]
async fn a_receiver_that_never_answers_keeps_no_connection() {
    let receiver = Receiver::start(|mut stream: Stream| async move {
        let length = head(&mut stream).await?;
        body(&mut stream, length).await?;
        stream.read_u8().await.ok().map(drop)
    });
    let mut receiver = receiver.await;
    let mut callback = receiver.callback(NO_RETRY);
    callback.timeout = Duration::from_millis(50);
    for _ in 0..5 {
        let delivery = deliver(&callback, &notification()).await;
        assert!(matches!(delivery, Delivery::Unavailable(_)), "{delivery:?}");
    }
    receiver.at_most_open(0).await;
}

/// It says nothing of it, so that the next notification may leave on a connection that is over.
#[tokio::test]
async fn a_receiver_that_closes_behind_each_answer_gets_everything() {
    let receiver = Receiver::start(|mut stream: Stream| async move {
        let length = head(&mut stream).await?;
        body(&mut stream, length).await?;
        stream.write_all(EMPTY).await.ok()
    });
    let mut receiver = receiver.await;
    let callback = receiver.callback(RETRY);
    for _ in 0..30 {
        assert_eq!(
            deliver(&callback, &notification()).await,
            Delivery::Acknowledged
        );
    }
    receiver.at_most_open(0).await;
    assert!(
        receiver.accepted() <= 60,
        "{} connections",
        receiver.accepted()
    );
}
