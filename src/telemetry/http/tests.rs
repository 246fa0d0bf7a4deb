use chrono::DateTime;

use super::*;
use crate::telemetry::{Counts, Line, Metrics, PollLabels};

fn served() -> (Served, Metrics) {
    let (metrics, board) = (Metrics::default(), Board::default());
    let served = Served {
        registry: Arc::new(metrics.registry(&board)),
        readiness: Readiness::default(),
        board,
    };
    (served, metrics)
}

fn line() -> Line {
    Line {
        namespace: "helpdesk".into(),
        name: "accounts".into(),
        instance: "prod".into(),
        last_poll: DateTime::UNIX_EPOCH,
        result: "complete",
        read: 3,
        events: 1,
        watermark: None,
        deletes_held: 0,
    }
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
    served.board.polled(line(), &Counts::default());
    let (_, text) = fetch(&served, "/debug/pollers").await;
    assert!(
        text.contains("\"lastPoll\":\"1970-01-01T00:00:00Z\""),
        "{text}"
    );
    served.board.remove("helpdesk", "accounts");
    assert_eq!(fetch(&served, "/debug/pollers").await.1, "[]");
}

#[tokio::test]
async fn the_series_of_a_poller_add_up_its_polls_and_end_with_it() {
    let (served, _) = served();
    let counts = Counts {
        unchanged: 2,
        changed: 1,
        unreadable_date: 4,
        created: 1,
        ..Counts::default()
    };
    served.board.polled(line(), &counts);
    let failed = Line {
        result: "provider",
        deletes_held: 12,
        watermark: DateTime::from_timestamp(1_700_000_000, 0),
        ..line()
    };
    served.board.polled(failed, &counts);
    let (_, text) = fetch(&served, "/metrics").await;
    for (metric, label, value) in [
        ("records_read_total", "", 14),
        ("records_total", ",outcome=\"unchanged\"", 4),
        ("records_total", ",outcome=\"bad\"", 8),
        ("bad_records_total", ",reason=\"unreadable_date\"", 8),
        ("events_total", ",kind=\"created\"", 2),
        ("events_total", ",kind=\"updated\"", 0),
        ("polls_total", ",result=\"complete\"", 1),
        ("polls_total", ",result=\"provider\"", 1),
        ("deletes_held", "", 12),
        ("watermark_timestamp_seconds", "", 1_700_000_000),
    ] {
        let series = format!(
            "\npollen_poller_{metric}{{namespace=\"helpdesk\",poller=\"accounts\"{label}}} {value}\n"
        );
        assert!(text.contains(&series), "{series} in {text}");
    }
    served.board.remove("helpdesk", "accounts");
    let (_, text) = fetch(&served, "/metrics").await;
    assert!(!text.contains("pollen_poller_"), "{text}");
}
