//! Receivers that ask to be left alone.

use super::*;

const LONG: &str = "600";

async fn throttling() -> MockServer {
    let throttled = ResponseTemplate::new(429).insert_header("retry-after", LONG);
    server(vec![throttled, ResponseTemplate::new(204)]).await
}

async fn post(callback: &HttpCallback) -> Delivery {
    callback.deliver(&origin(), &notification()).await
}

async fn requests(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

/// The callback serves all pollers of its instance.
#[tokio::test]
async fn no_poller_posts_while_the_callback_asks_to_be_left_alone() {
    let server = throttling().await;
    let callback = callback(json!({"url": server.uri()}), RETRY).unwrap();
    let Delivery::Unavailable(first) = post(&callback).await else {
        panic!("acknowledged")
    };
    let Delivery::Unavailable(another) = post(&callback).await else {
        panic!("posted all the same")
    };
    assert_eq!(requests(&server).await, 1);
    assert_eq!(another.message, first.message);
    let left = another.retry_after.unwrap();
    assert!(
        left <= first.retry_after.unwrap() && left > Duration::from_secs(590),
        "{left:?}"
    );
}

/// It does not want that notification again, nor any other before the time that it names.
#[tokio::test]
async fn who_throttles_is_left_alone_also_where_the_notification_is_not_to_come_again() {
    let aborting = ResponseTemplate::new(429)
        .insert_header("retry-after", LONG)
        .insert_header("webhook-delivery", "abort-message");
    let server = server(vec![aborting, ResponseTemplate::new(204)]).await;
    let callback = callback(json!({"url": server.uri()}), NO_RETRY).unwrap();
    assert!(matches!(post(&callback).await, Delivery::Rejected(_)));
    assert!(matches!(post(&callback).await, Delivery::Unavailable(_)));
    assert_eq!(requests(&server).await, 1);
}

#[tokio::test]
async fn another_instance_posts_meanwhile_to_its_callback_at_the_same_host() {
    let server = throttling().await;
    let [one, other] = [(); 2].map(|()| callback(json!({"url": server.uri()}), NO_RETRY).unwrap());
    assert!(matches!(post(&one).await, Delivery::Unavailable(_)));
    assert_eq!(post(&other).await, Delivery::Acknowledged);
}

#[tokio::test]
async fn a_person_who_asks_has_it_tried_before_that() {
    let server = throttling().await;
    let callback = callback(json!({"url": server.uri()}), NO_RETRY).unwrap();
    assert!(matches!(post(&callback).await, Delivery::Unavailable(_)));
    callback.ask_anew();
    assert_eq!(post(&callback).await, Delivery::Acknowledged);
}

#[tokio::test]
async fn a_short_wait_is_kept_to_by_notifications_that_were_not_throttled_themselves() {
    let throttled = ResponseTemplate::new(503).insert_header("retry-after", "0.2");
    let server = server(vec![throttled, ResponseTemplate::new(204)]).await;
    let callback = callback(json!({"url": server.uri()}), NO_RETRY).unwrap();
    assert!(matches!(post(&callback).await, Delivery::Unavailable(_)));
    let callback = HttpCallback {
        retry: RETRY,
        ..callback
    };
    let began = tokio::time::Instant::now();
    assert_eq!(post(&callback).await, Delivery::Acknowledged);
    assert!(began.elapsed() > Duration::from_millis(150));
    assert_eq!(requests(&server).await, 2);
}

#[tokio::test]
async fn a_callback_that_throttles_the_question_is_not_asked_again_either() {
    let server = throttling().await;
    let spec = json!({"url": server.uri(), "format": "CloudEvents"});
    let callback = callback(spec, NO_RETRY).unwrap();
    for _ in 0..2 {
        let Delivery::Unavailable(unavailable) = post(&callback).await else {
            panic!("asked again")
        };
        assert!(
            unavailable.message.contains("to OPTIONS"),
            "{unavailable:?}"
        );
    }
    // What is known of the last answer stands for a second.
    assert!(callback.endpoint.pause.standing().is_some());
    assert_eq!(requests(&server).await, 1);
}
