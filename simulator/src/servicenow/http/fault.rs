//! Answers of the Table API with what goes wrong with them.

use std::{convert::Infallible, time::Duration};

use axum::{
    body::Body,
    response::{Html, IntoResponse, Response},
};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{StreamExt as _, stream};
use http::{HeaderName, HeaderValue, StatusCode, header::RETRY_AFTER};
use serde_json::json;

use super::{
    answer::{self, Answer, Content},
    call::Call,
    table,
};
use crate::{
    RetryAfter,
    served::CloseConnection,
    servicenow::{Fault, Instance},
};

/// Of a transaction that ran into its quota ("Default quota rules": 60 s for the Table API).
const CANCELLED: &str = "Transaction cancelled: maximum execution time exceeded";
const CANCELLED_DETAIL: &str = "Transaction cancelled: maximum execution time exceeded Check logs for error \
                                trace or enable glide.rest.debug property to verify REST request processing";

/// A page for people, as of hibernating instances and single sign-on.
pub(super) const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Instance Hibernating</title></head>\
                               <body>Your instance is hibernating. Sign in to wake it.</body></html>";

/// In how many pieces a slow body comes.
const PIECES: usize = 8;

/// Answers a call, with the fault that is due.
pub(super) async fn answer(instance: &Instance, call: &Call) -> Response {
    let fault = instance.state().faults.take();
    let right = || table::answer(&instance.state(), call);
    let Some(fault) = fault else {
        return right().into_response();
    };
    match fault {
        Fault::Status(status) => failed(status).into_response(),
        Fault::Throttle(retry_after) => throttled(retry_after, instance.now()).into_response(),
        Fault::Unauthorized => Answer::unauthorized().into_response(),
        Fault::Html => Html(PAGE).into_response(),
        Fault::Truncated => spoilt(right(), truncated).into_response(),
        Fault::ErrorAfterRows => spoilt(right(), error_after_rows).into_response(),
        Fault::StringAmongRows => spoilt(right(), string_among_rows).into_response(),
        Fault::EmptyBody => Answer::new(Content::Body(Vec::new())).into_response(),
        Fault::Slow(pause) => late(right(), pause).await,
        Fault::Drip(pause) => drip(right(), pause),
        Fault::Hang => std::future::pending().await,
        Fault::CloseConnection => CloseConnection.into_response(),
    }
}

fn failed(status: u16) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (message, detail) = match status {
        StatusCode::FORBIDDEN => ("User Not Authorized", "Failed API level ACL Validation"),
        StatusCode::REQUEST_TIMEOUT => (CANCELLED, CANCELLED_DETAIL),
        _ => (
            status.canonical_reason().unwrap_or("Error"),
            "The simulator was told to fail",
        ),
    };
    Answer::error(status, message, Some(detail))
}

/// As a rule of "Inbound REST API rate limiting" answers.
fn throttled(retry_after: RetryAfter, now: DateTime<Utc>) -> Answer {
    const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
    const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
    const RULE: HeaderName = HeaderName::from_static("x-ratelimit-rule");
    let detail = "Rate limit of 100 requests per hour for Table API exceeded";
    let hour = 3600;
    let reset = now.timestamp().div_euclid(hour).saturating_add(1) * hour;
    let rule = HeaderValue::from_static("9b1c6d2ac0a8016401c5b6f8a8f0d3e1");
    Answer::error(
        StatusCode::TOO_MANY_REQUESTS,
        "Rate limit exceeded",
        Some(detail),
    )
    .with(RETRY_AFTER, retry_after.value(now))
    .with(LIMIT, Some(HeaderValue::from(100)))
    .with(RESET, Some(HeaderValue::from(reset)))
    .with(RULE, Some(rule))
}

fn spoilt(mut answer: Answer, spoil: fn(Content) -> Vec<u8>) -> Answer {
    answer.content = Content::Body(spoil(answer.content));
    answer
}

fn truncated(content: Content) -> Vec<u8> {
    let mut body = content.into_bytes();
    body.truncate(body.len() / 2);
    body
}

fn error_after_rows(content: Content) -> Vec<u8> {
    let Content::Rows(mut rows) = content else {
        return content.into_bytes();
    };
    rows.truncate(rows.len().div_ceil(2));
    let error = json!({"message": CANCELLED, "detail": CANCELLED_DETAIL});
    answer::list(&rows, &format!(r#","error":{error},"status":"failure"}}"#))
}

fn string_among_rows(content: Content) -> Vec<u8> {
    let Content::Rows(mut rows) = content else {
        return content.into_bytes();
    };
    let text = json!(CANCELLED).to_string().into_bytes();
    rows.insert(rows.len() / 2, text);
    answer::list(&rows, "}")
}

async fn late(answer: Answer, pause: Duration) -> Response {
    tokio::time::sleep(pause).await;
    answer.into_response()
}

fn drip(answer: Answer, pause: Duration) -> Response {
    let Answer {
        status,
        headers,
        content,
    } = answer;
    let body = Bytes::from(content.into_bytes());
    let size = body.len().div_ceil(PIECES).max(1);
    let pieces: Vec<_> = body
        .chunks(size)
        .map(|piece| body.slice_ref(piece))
        .collect();
    let pieces = stream::iter(pieces).then(move |piece| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, Infallible>(piece)
    });
    (status, headers, Body::from_stream(pieces)).into_response()
}
