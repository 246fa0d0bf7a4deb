//! Answers that refuse: what they blame, and what a person is told to check.

use super::*;

#[rstest]
#[case::refused(422, Refused::Event, "422 Unprocessable Entity", "")]
#[case::too_large(413, Refused::Size, "413 Payload Too Large", "")]
#[case::unauthorized(
    401,
    Refused::Everything,
    "401 Unauthorized",
    "; check spec.events.callback.url of the instance, and the authentication and headers beside it"
)]
#[case::wrong_path(
    404,
    Refused::Everything,
    "404 Not Found",
    "; check spec.events.callback.url of the instance"
)]
#[case::redirect(
    307,
    Refused::Everything,
    "307 Temporary Redirect",
    "; write the URL it redirects to at spec.events.callback.url of the instance"
)]
#[tokio::test]
async fn a_refusal_is_not_asked_for_again(
    #[case] status: u16,
    #[case] of: Refused,
    #[case] said: &str,
    #[case] advice: &str,
) {
    let answer = ResponseTemplate::new(status)
        .insert_header("location", "http://127.0.0.1:1/")
        .set_body_string("no\r\nb34rer-t0ken");
    let server = server(vec![answer]).await;
    let delivery = deliver(&server, RETRY).await;
    let Delivery::Rejected(rejection) = delivery else {
        panic!("{delivery:?}")
    };
    assert_eq!((rejection.status, rejection.of), (status, of));
    let expected = format!("the callback 127.0.0.1 answered {said}: no [redacted]{advice}");
    assert_eq!(rejection.message, expected);
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

/// With `Skip` each of them would drop everything.
#[rstest]
#[case::unpaid(402, "the account")]
#[case::without_length(411, "the gateway")]
#[case::long_url(414, "shorten spec.events.callback.url")]
#[case::other_format(415, "spec.events.callback.format")]
#[case::expectation(417, "the gateway")]
#[case::other_host(421, "scheme, host and port")]
#[case::early(425, "the gateway")]
#[case::other_protocol(426, "scheme, host and port")]
#[case::condition(428, "the gateway")]
#[case::large_headers(431, "shorten the headers and the authentication")]
#[case::closed_by_law(451, "this network")]
#[tokio::test]
async fn an_answer_that_blames_how_or_where_it_is_posted_blames_no_event(
    #[case] status: u16,
    #[case] advice: &str,
) {
    let server = server(vec![ResponseTemplate::new(status)]).await;
    let rejection = rejected(deliver(&server, RETRY).await);
    assert_eq!(rejection.of, Refused::Everything);
    assert!(rejection.message.contains(advice), "{}", rejection.message);
}

/// Pages of nginx (and AWS's load balancers), Go, Apache, Tomcat and Windows.
#[rstest]
#[case(
    "<center>The plain HTTP request was sent to HTTPS port</center>",
    "write https:// at spec.events.callback.url"
)]
#[case(
    "Client sent an HTTP request to an HTTPS server.\n",
    "write https:// at spec.events.callback.url"
)]
#[case(
    "<p>Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
    "write https:// at spec.events.callback.url"
)]
#[case(
    "Bad Request\r\nThis combination of host and port requires TLS.\r\n",
    "write https:// at spec.events.callback.url"
)]
#[case("<h1>Request Header Or Cookie Too Large</h1>", "shorten the headers")]
#[case(
    "<h2>Bad Request - Invalid Hostname</h2>",
    "check scheme, host and port in spec.events.callback.url"
)]
#[tokio::test]
async fn a_400_of_the_server_itself_blames_no_event(#[case] page: &str, #[case] advice: &str) {
    let server = server(vec![ResponseTemplate::new(400).set_body_string(page)]).await;
    let rejection = rejected(deliver(&server, RETRY).await);
    assert_eq!(rejection.of, Refused::Everything, "{}", rejection.message);
    assert!(rejection.message.contains(advice), "{}", rejection.message);
}

/// What a receiver repeats of an event decides nothing.
#[rstest]
#[case::in_json(r#"{"error": "not taken: The SSL certificate error"}"#)]
#[case::in_lines("{\n\"text\": \"Client sent an HTTP request to an HTTPS server.\"\n}")]
#[case::in_a_sentence("Short description: request header or cookie too large")]
#[tokio::test]
async fn a_400_that_repeats_the_words_of_a_server_blames_the_event(#[case] answer: &str) {
    let server = server(vec![ResponseTemplate::new(400).set_body_string(answer)]).await;
    let rejection = rejected(deliver(&server, RETRY).await);
    assert_eq!(rejection.of, Refused::Event);
}

#[tokio::test]
async fn a_400_too_long_for_a_page_of_a_server_blames_the_event() {
    let page = format!(
        "<p>Client sent an HTTP request to an HTTPS server.</p>{}",
        "x".repeat(2_000)
    );
    let server = server(vec![ResponseTemplate::new(400).set_body_string(page)]).await;
    let rejection = rejected(deliver(&server, RETRY).await);
    assert_eq!(rejection.of, Refused::Event);
}

#[rstest]
#[case::failed(503, Refused::Event)]
#[case::throttled(429, Refused::Event)]
#[case::misdirected(404, Refused::Event)]
#[case::refused(422, Refused::Event)]
#[case::too_large(413, Refused::Size)]
#[tokio::test]
async fn a_callback_can_ask_that_a_notification_not_come_again(
    #[case] status: u16,
    #[case] of: Refused,
) {
    let answer = ResponseTemplate::new(status).insert_header("webhook-delivery", "Abort-Message");
    let server = server(vec![answer]).await;
    let rejection = rejected(deliver(&server, RETRY).await);
    assert_eq!((rejection.status, rejection.of), (status, of));
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
    if of == Refused::Event && status != 422 {
        let said = "; by webhook-delivery: abort-message it asks not to be sent this again";
        assert!(rejection.message.ends_with(said), "{}", rejection.message);
    }
}

/// RFC 9110 has what no status is understood as a failure of the server.
#[tokio::test]
async fn what_is_no_status_is_a_failure_that_is_tried_again() {
    let server = server([999, 600, 200].map(ResponseTemplate::new).to_vec()).await;
    assert_eq!(deliver(&server, RETRY).await, Delivery::Acknowledged);
}

fn rejected(delivery: Delivery) -> Rejection {
    match delivery {
        Delivery::Rejected(rejection) => rejection,
        other => panic!("{other:?}"),
    }
}
