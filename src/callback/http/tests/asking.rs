//! The question whether a callback may be posted to.

use futures::future::join_all;

use super::*;

const WANTS_EVENTS: (&str, &str) = ("webhook-allowed-origin", "*");

fn asking(server: &MockServer) -> HttpCallback {
    callback(
        json!({"url": server.uri(), "format": "CloudEvents"}),
        NO_RETRY,
    )
    .unwrap()
}

async fn questions(server: &MockServer) -> usize {
    let requests = server.received_requests().await.unwrap();
    let asked = requests
        .iter()
        .filter(|request| request.method.as_str() == "OPTIONS");
    asked.count()
}

#[rstest]
#[case::out_of_order(ResponseTemplate::new(503))]
#[case::silent(ResponseTemplate::new(200).set_delay(Duration::from_secs(60)))]
#[tokio::test]
async fn all_who_wait_take_one_answer_or_its_absence(#[case] answer: ResponseTemplate) {
    let server = server(vec![answer]).await;
    let mut callback = asking(&server);
    callback.timeout = Duration::from_millis(300);
    let (origin, notification) = (origin(), notification());
    let deliveries = (0..64).map(|_| callback.deliver(&origin, &notification));
    for delivery in join_all(deliveries).await {
        assert!(matches!(delivery, Delivery::Unavailable(_)), "{delivery:?}");
    }
    assert_eq!(questions(&server).await, 1);
}

#[rstest]
#[case::that_grants(ResponseTemplate::new(200).insert_header(WANTS_EVENTS.0, WANTS_EVENTS.1))]
#[case::that_grants_nothing(ResponseTemplate::new(405))]
#[case::out_of_order(ResponseTemplate::new(503))]
#[tokio::test]
async fn an_answer_can_ask_that_nothing_more_be_sent(#[case] answer: ResponseTemplate) {
    let answer = answer.insert_header("webhook-delivery", "disable");
    let server = server(vec![answer]).await;
    let delivery = asking(&server).deliver(&origin(), &notification()).await;
    assert_eq!(delivery, Delivery::Gone);
    let requests = server.received_requests().await.unwrap();
    assert_eq!(
        requests.len(),
        questions(&server).await,
        "something was posted"
    );
}
