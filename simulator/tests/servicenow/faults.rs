use std::time::Duration;

use serde_json::json;
use simulator::{RetryAfter, servicenow::Fault};
use tokio::time::{Instant, timeout};

use crate::client::{Reply, World};

const IDS: [(&str, &str); 1] = [("sysparm_fields", "sys_id")];

/// An instance with four incidents, and a fault for the next request.
async fn faulty(fault: Fault) -> World {
    let world = World::new().await;
    for id in ["a", "b", "c", "d"] {
        world.instance.create("incident", &[("sys_id", id)]);
    }
    world.instance.fail_next(fault);
    world
}

async fn after(fault: Fault) -> Reply {
    faulty(fault).await.list("incident", &IDS).await
}

#[tokio::test]
async fn a_status_comes_with_an_error_and_only_once() {
    for (status, message) in [
        (403, "User Not Authorized"),
        (
            408,
            "Transaction cancelled: maximum execution time exceeded",
        ),
        (503, "Service Unavailable"),
    ] {
        let world = faulty(Fault::Status(status)).await;
        let reply = world.list("incident", &[]).await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.json()["error"]["message"], message);
        assert_eq!(world.list("incident", &[]).await.ids(), "abcd");
    }
    let reply = after(Fault::Unauthorized).await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.json()["error"]["message"], "User Not Authenticated");
}

#[tokio::test]
async fn a_rate_limit_says_when_to_come_back_or_not() {
    for (retry_after, expected) in [
        (RetryAfter::Seconds(7), Some("7")),
        (
            RetryAfter::HttpDate(90),
            Some("Thu, 01 Jan 2026 00:11:30 GMT"),
        ),
        (RetryAfter::Absent, None),
    ] {
        let world = faulty(Fault::Throttle(retry_after)).await;
        world
            .instance
            .freeze_at("2026-01-01T00:10:00Z".parse().unwrap());
        let reply = world.list("incident", &[]).await;
        assert_eq!(reply.status, 429);
        assert_eq!(reply.header("retry-after"), expected);
        assert_eq!(reply.header("x-ratelimit-limit"), Some("100"));
        assert_eq!(reply.header("x-ratelimit-reset"), Some("1767229200"));
        assert!(reply.header("x-ratelimit-rule").is_some());
        let expected = json!({
            "message": "Rate limit exceeded",
            "detail": "Rate limit of 100 requests per hour for Table API exceeded",
        });
        assert_eq!(reply.json()["error"], expected);
    }
}

#[tokio::test]
async fn an_error_can_follow_rows_under_status_200() {
    let reply = after(Fault::ErrorAfterRows).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.ids(), "ab");
    assert_eq!(reply.json()["status"], "failure");
    let message = "Transaction cancelled: maximum execution time exceeded";
    assert_eq!(reply.json()["error"]["message"], message);
    // The error stands behind the rows, where a reader that streams has handed them on already.
    let place = |text| reply.text().find(text).unwrap();
    assert!(place("result") < place("error"));
}

#[tokio::test]
async fn a_text_can_stand_for_a_record() {
    let rows = after(Fault::StringAmongRows).await.json()["result"].clone();
    let texts: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row.is_string())
        .collect();
    assert_eq!(texts, [false, false, true, false, false]);
}

#[tokio::test]
async fn a_body_can_break_off_be_missing_or_be_a_page_for_people() {
    let reply = after(Fault::Truncated).await;
    assert!(reply.status == 200 && reply.text().starts_with(r#"{"result":[{"sys_id":"a"}"#));
    assert!(serde_json::from_slice::<serde_json::Value>(&reply.body).is_err());
    let reply = after(Fault::EmptyBody).await;
    assert_eq!((reply.status.as_u16(), reply.text()), (200, ""));
    let reply = after(Fault::Html).await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(reply.text().starts_with("<!DOCTYPE html>"));
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_shows_what_was_there_when_it_was_asked_for() {
    let minute = Duration::from_secs(60);
    let world = faulty(Fault::Slow(minute)).await;
    let begun = Instant::now();
    let request = tokio::spawn(world.request("/api/now/table/incident", &IDS).send());
    while world.instance.table_requests().is_empty() {
        tokio::task::yield_now().await;
    }
    world.instance.create("incident", &[("sys_id", "e")]);
    let body = request.await.unwrap().unwrap().bytes().await.unwrap();
    let expected = r#"{"result":[{"sys_id":"a"},{"sys_id":"b"},{"sys_id":"c"},{"sys_id":"d"}]}"#;
    assert_eq!(body, expected);
    assert!(begun.elapsed() >= minute);
}

#[tokio::test(start_paused = true)]
async fn a_body_can_come_in_pieces() {
    let world = faulty(Fault::Drip(Duration::from_secs(10))).await;
    let begun = Instant::now();
    let response = world
        .request("/api/now/table/incident", &IDS)
        .send()
        .await
        .unwrap();
    let head = begun.elapsed();
    let body = response.bytes().await.unwrap();
    assert!(body.ends_with(br#"{"sys_id":"d"}]}"#));
    assert!(head < Duration::from_secs(80) && begun.elapsed() >= Duration::from_secs(80));
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_never_come_or_the_connection_end() {
    let world = faulty(Fault::Hang).await;
    let hour = Duration::from_secs(3600);
    let request = world.request("/api/now/table/incident", &[]);
    assert!(timeout(hour, request.send()).await.is_err());
    world.instance.fail_next(Fault::CloseConnection);
    let request = world.request("/api/now/table/incident", &[]);
    assert!(request.send().await.is_err());
    assert_eq!(world.list("incident", &[]).await.ids(), "abcd");
}

#[tokio::test]
async fn a_lasting_fault_yields_to_queued_ones_and_ends() {
    let world = faulty(Fault::Status(500)).await;
    world.instance.fail_always(Some(Fault::Status(502)));
    world.instance.fail_next(Fault::Status(501));
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(world.list("incident", &[]).await.status.as_u16());
    }
    assert_eq!(seen, [500, 501, 502, 502]);
    world.instance.fail_always(None);
    assert_eq!(world.list("incident", &[]).await.status, 200);
}

#[tokio::test]
async fn a_request_without_authorization_uses_up_no_fault() {
    let world = faulty(Fault::Status(503)).await;
    let url = world.url("/api/now/table/incident");
    assert_eq!(Reply::of(world.http.get(url)).await.status, 401);
    world.get("/api/now/stats/incident", &[]).await;
    assert_eq!(world.list("incident", &[]).await.status, 503);
}
