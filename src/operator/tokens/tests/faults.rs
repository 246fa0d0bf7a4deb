//! The faults of `provider::auth`, played over token Secrets: by processes that end as a cluster ends them
//! and hand over to others.

use axum::response::Response;
use futures::future::BoxFuture;
use http::Method;
use serde_json::Value;

use super::*;
use crate::{
    operator::fake_api::{Gate, failure},
    provider::auth::faults::{Process, Step, Stores, play_among_several},
};

/// A process at the steps of its requests to the API server.
struct AtSteps(Process);

impl AtSteps {
    async fn come_to(&self, step: Option<Step>) -> Option<Response> {
        let failed = self.0.come_to(step).await.err()?;
        Some(failure(500, "InternalError", &failed))
    }
}

impl Gate for AtSteps {
    fn before<'a>(
        &'a self,
        method: &'a Method,
        stored: &'a Value,
        body: &'a Value,
    ) -> BoxFuture<'a, Option<Response>> {
        let step = match *method {
            Method::GET => Some(Step::Load),
            _ => steps(stored, body).map(|(before, _)| before),
        };
        self.come_to(step).boxed()
    }

    fn behind<'a>(
        &'a self,
        method: &'a Method,
        stored: &'a Value,
        body: &'a Value,
    ) -> BoxFuture<'a, Option<Response>> {
        let steps = steps(stored, body).filter(|_| *method != Method::GET);
        let secret: Option<Secret> = serde_json::from_value(body.clone()).ok();
        let token = secret.and_then(|secret| read(&secret)?.refresh_token);
        if let Some(token) = token {
            self.0.note_stored(token.expose_secret());
        }
        self.come_to(steps.map(|(_, behind)| behind)).boxed()
    }
}

/// The steps before and behind a write.
fn steps(stored: &Value, body: &Value) -> Option<(Step, Step)> {
    let has = |secret: &Value, entry: &str| secret["data"][entry].is_string();
    let tried = |secret: &Value| tried_of(&serde_json::from_value(secret.clone()).ok()?).ok()?;
    let (before, password) = (tried(stored), tried(body));
    if before != password {
        let goes_out = password.is_some_and(|tried| !has_answer(&tried));
        return Some(if goes_out {
            (Step::Record, Step::Recorded)
        } else {
            (Step::Store, Step::Stored)
        });
    }
    if has(body, "refreshing") {
        return Some((Step::Mark, Step::Marked));
    }
    let is_code = !has(body, "refreshToken") && has(body, "expiresAt");
    if is_code && !has(stored, "expiresAt") {
        return Some((Step::Record, Step::Recorded));
    }
    let same = |entry: &str| stored["data"][entry] == body["data"][entry];
    let is_end = ["refreshToken", "grownFrom", "expiresAt"]
        .into_iter()
        .all(same);
    (!is_end).then_some((Step::Store, Step::Stored))
}

fn has_answer(tried: &TriedPassword) -> bool {
    serde_json::to_value(tried).unwrap()["answer"].is_string()
}

fn stores() -> Stores {
    let api = FakeApi::default();
    Box::new(move |process| {
        let client = api.client_through(Arc::new(AtSteps(process.clone())));
        let secrets = secrets(client, &process.name(), process.clock());
        Arc::new(secrets.of(&Key::new("helpdesk", "prod")))
    })
}

#[tokio::test(start_paused = true)]
async fn nobody_is_locked_out_whom_the_provider_would_let_in() {
    play_among_several(stores).await;
}
