//! What the log tells of a receiver that fails.

use std::io;

use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::callback::outage::Outage;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Takes what is logged at warn or above while the guard lives.
    fn listen() -> (Self, DefaultGuard) {
        // With one subscriber alone, whether a place logs would be remembered from whichever test was first.
        tracing::subscriber::set_global_default(tracing_subscriber::registry()).ok();
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::WARN)
            .with_ansi(false)
            .with_writer(log.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_callback_that_fails_is_told_of_at_its_first_failure_and_once_a_minute() {
    let (log, _guard) = Log::listen();
    let fails = [503, 500, 503, 204, 502, 204].map(ResponseTemplate::new);
    let server = server(fails.to_vec()).await;
    let callback = callback(full_spec(&server.uri()), RETRY).unwrap();
    for _ in 0..2 {
        let delivery = callback.deliver(&origin(), &notification()).await;
        assert_eq!(delivery, Delivery::Acknowledged);
        assert_eq!(log.lines().len(), 1, "{:?}", log.lines());
    }
    let line = &log.lines()[0];
    for text in [
        "WARN",
        "the callback 127.0.0.1 answered 503 Service Unavailable; it is tried again in 0.0 s",
        "namespace=\"helpdesk\"",
        "instance=\"servicenow\"",
    ] {
        assert!(line.contains(text), "{text} is not in {line}");
    }
}

#[tokio::test]
async fn a_callback_that_is_not_tried_again_is_left_to_the_poll_to_tell_of() {
    let (log, _guard) = Log::listen();
    let server = server(vec![ResponseTemplate::new(503)]).await;
    let given_up = RetryPolicy {
        first: Duration::from_secs(1),
        max: Duration::from_secs(1),
        give_up_after: Duration::ZERO,
    };
    deliver(&server, given_up).await;
    assert_eq!(log.lines(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_callback_that_has_answered_is_told_of_again_a_minute_later() {
    let (log, _guard) = Log::listen();
    let outage = Outage::default();
    for (after, told) in [(0, 1), (59, 1), (1, 2)] {
        tokio::time::advance(Duration::from_secs(after)).await;
        outage.tell(&origin(), "it fails", Duration::ZERO);
        outage.tell(&origin(), "it fails", Duration::ZERO);
        outage.end();
        assert_eq!(log.lines().len(), told);
    }
}
