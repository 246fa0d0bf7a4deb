//! Health, metrics and what is being polled, over HTTP.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{encoding::text::encode, registry::Registry};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Board, Readiness};

/// The media type of OpenMetrics text.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the server shows.
#[derive(Clone, Debug)]
pub struct Served {
    pub registry: Arc<Registry>,
    pub readiness: Readiness,
    pub board: Board,
}

/// The server could not begin or go on.
#[derive(Debug, thiserror::Error)]
#[error("http server on {address}: {source}")]
pub struct HttpError {
    pub address: SocketAddr,
    #[source]
    pub source: std::io::Error,
}

/// Serves `/livez`, `/readyz`, `/metrics` and `/debug/pollers` until `stop`.
///
/// # Errors
///
/// The address cannot be bound.
pub async fn serve(
    address: SocketAddr,
    served: Served,
    stop: CancellationToken,
) -> Result<(), HttpError> {
    let failed = |source| HttpError { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    // With port 0 nothing else tells which one it is.
    let bound = listener.local_addr().map_err(failed)?;
    tracing::info!(address = %bound, "serving health and metrics");
    axum::serve(listener, router(served))
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
        .map_err(failed)
}

fn router(served: Served) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route(
            "/debug/pollers",
            get(|State(served): State<Served>| async move { Json(served.board.all()) }),
        )
        .with_state(served)
}

async fn ready(State(served): State<Served>) -> (StatusCode, &'static str) {
    if served.readiness.is_ready() {
        (StatusCode::OK, "ok")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "caches are not in sync yet",
        )
    }
}

/// Beside the runtime: with ten thousand pollers the text takes a while.
async fn metrics(State(served): State<Served>) -> Response {
    let encoded = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        encode(&mut text, &served.registry).map(|()| text)
    });
    match encoded.await {
        Ok(Ok(text)) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests;
