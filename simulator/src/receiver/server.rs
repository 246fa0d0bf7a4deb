//! The way of one request: into the ledger, then to its answer.

use axum::{
    Router,
    body::to_bytes,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
    routing::post,
};
use http::StatusCode;

use super::{Asked, Incoming, Notification, Receiver, body};

/// Far above what a callback would take, so that nothing sent goes unseen.
const LONGEST_BODY: usize = 256 * 1024 * 1024;

pub(super) fn router(receiver: Receiver) -> Router {
    let methods = post(receive).options(consent);
    Router::new().fallback(methods).with_state(receiver)
}

async fn consent(State(receiver): State<Receiver>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    receiver.shared.consents.answer(Asked {
        path: head.uri.path().to_owned(),
        headers: head.headers,
    })
}

async fn receive(State(receiver): State<Receiver>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LONGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let incoming = Incoming {
        path: head.uri.path().to_owned(),
        headers: head.headers,
        body,
    };
    let shared = &receiver.shared;
    let answer = shared.answers.to(&incoming);
    let arrival = shared.ledger.enter(receiver.notification(incoming));
    answer.delay().await;
    if let Some(status) = answer.status() {
        shared.ledger.settle(arrival, status);
    }
    answer.response(shared.clock.now())
}

impl Receiver {
    fn notification(&self, incoming: Incoming) -> Notification {
        let Incoming {
            path,
            headers,
            body,
        } = incoming;
        let keys = &self.shared.keys;
        let at = self.shared.clock.now();
        Notification {
            signature: keys.open_connectors(&headers, &body),
            standard_webhooks: keys.standard_webhooks(&headers, &body, at),
            enclosed: body::count(&headers, &body),
            path,
            headers,
            body,
            status: None,
            at,
        }
    }
}
