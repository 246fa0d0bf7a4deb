//! The instance's endpoints.

mod answer;
mod authorization;
mod call;
mod fault;
mod link;
mod oauth;
mod parameters;
mod row;
mod stats;
mod table;

use axum::{
    Router,
    extract::{Query, Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::{DateTime, Utc};
use http::{HeaderValue, Method, StatusCode, header::DATE};

use super::{Instance, traffic};
use answer::Answer;
use call::{Call, Resource};

pub(super) fn router(instance: Instance) -> Router {
    Router::new()
        .route("/oauth_token.do", post(oauth::token))
        .route("/oauth_auth.do", get(oauth::authorize))
        .fallback(api)
        .layer(from_fn_with_state(instance.clone(), record))
        .with_state(instance)
}

/// Keeps the request, runs what tests want before it, and dates the answer.
async fn record(State(instance): State<Instance>, request: Request, next: Next) -> Response {
    instance.meet(traffic::Request {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: pairs(&request),
        at: instance.now(),
    });
    let mut response = next.run(request).await;
    if let Some(date) = date(instance.now()) {
        response.headers_mut().insert(DATE, date);
    }
    response
}

async fn api(State(instance): State<Instance>, request: Request) -> Response {
    let Some(call) = Call::read(&request, pairs(&request)) else {
        let message = "Requested URI does not represent any resource";
        return Answer::error(StatusCode::BAD_REQUEST, message, None).into_response();
    };
    if request.method() != Method::GET {
        let message = "Method not supported by the simulator";
        return Answer::error(StatusCode::METHOD_NOT_ALLOWED, message, None).into_response();
    }
    if !authorization::is_granted(&instance, request.headers()) {
        return Answer::unauthorized().into_response();
    }
    match call.resource {
        Resource::Stats => stats::answer(&instance.state(), &call).into_response(),
        Resource::List | Resource::Record(_) => fault::answer(&instance, &call).await,
    }
}

/// The decoded parameters of a request.
fn pairs(request: &Request) -> Vec<(String, String)> {
    Query::try_from_uri(request.uri()).map_or_else(|_| Vec::new(), |Query(pairs)| pairs)
}

fn date(at: DateTime<Utc>) -> Option<HeaderValue> {
    HeaderValue::try_from(httpdate::fmt_http_date(at.into())).ok()
}
