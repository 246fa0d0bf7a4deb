use chrono::DateTime;

use super::*;
use crate::telemetry::{Line, Metrics, PollLabels};

fn served() -> (Served, Metrics) {
    let metrics = Metrics::default();
    let served = Served {
        registry: Arc::new(metrics.registry()),
        readiness: Readiness::default(),
        board: Board::default(),
    };
    (served, metrics)
}

async fn fetch(served: &Served, path: &str) -> (u16, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(axum::serve(listener, router(served.clone())).into_future());
    let answer = reqwest::get(format!("http://{address}{path}"))
        .await
        .unwrap();
    let found = (answer.status().as_u16(), answer.text().await.unwrap());
    server.abort();
    found
}

#[tokio::test]
async fn readiness_waits_for_every_cache() {
    let (served, _) = served();
    let (mut first, mut second) = (
        served.readiness.expect_cache(),
        served.readiness.expect_cache(),
    );
    first.synced();
    first.synced();
    assert_eq!(fetch(&served, "/readyz").await.0, 503);
    second.synced();
    assert_eq!(fetch(&served, "/readyz").await.0, 200);
}

#[tokio::test]
async fn metrics_are_served_as_open_metrics() {
    let (served, metrics) = served();
    metrics
        .polls
        .get_or_create(&PollLabels { result: "complete" })
        .inc();
    let (status, text) = fetch(&served, "/metrics").await;
    assert_eq!(status, 200);
    assert!(
        text.contains("pollen_polls_total{result=\"complete\"} 1"),
        "{text}"
    );
    assert!(text.contains("pollen_build_info{version="), "{text}");
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn the_last_poll_of_each_poller_is_shown_until_it_is_gone() {
    let (served, _) = served();
    served.board.put(Line {
        namespace: "helpdesk".into(),
        name: "accounts".into(),
        instance: "prod".into(),
        last_poll: DateTime::UNIX_EPOCH,
        result: "complete",
        read: 3,
        events: 1,
        watermark: None,
    });
    let (_, text) = fetch(&served, "/debug/pollers").await;
    assert!(
        text.contains("\"lastPoll\":\"1970-01-01T00:00:00Z\""),
        "{text}"
    );
    served.board.remove("helpdesk", "accounts");
    assert_eq!(fetch(&served, "/debug/pollers").await.1, "[]");
}
