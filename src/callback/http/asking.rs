//! Asking a callback for leave before anything is posted to it.

use reqwest::{Method, Request, Response, StatusCode};
use tokio::time::Instant;

use super::{ANSWER_LIMIT, HttpCallback, LONGEST_WAIT, failed};
use crate::{
    callback::{
        Delivery, Unavailable,
        permission::{Permission, REQUEST_ORIGIN, Rate, Standing},
        response::{Verdict, verdict},
        retry::Attempt,
    },
    network,
};

/// What becomes of a notification that may not be posted now.
type Withheld = Attempt<Delivery, Unavailable>;

impl HttpCallback {
    /// Waits until the next notification may be posted: at once, where the callback is not asked.
    pub(super) async fn leave(&self) -> Result<(), Withheld> {
        let Some(permission) = &self.permission else {
            return Ok(());
        };
        let rate = self.granted(permission).await?;
        permission.turn(rate).await;
        Ok(())
    }

    async fn granted(&self, permission: &Permission) -> Result<Rate, Withheld> {
        let mut standing = permission.standing().await;
        match &*standing {
            Standing::Granted(rate) => return Ok(*rate),
            Standing::Refused { why, until } if *until > Instant::now() => {
                return Err(refused(why.clone()));
            }
            Standing::Unasked | Standing::Refused { .. } => {}
        }
        let answer = self.client.execute(self.question(permission)).await;
        let answer = answer.map_err(|error| failed(self.unanswered(&error), None))?;
        match permission.granted(answer.headers()) {
            Ok(rate) => {
                *standing = Standing::Granted(rate);
                finish(answer).await;
                Ok(rate)
            }
            Err(why) => Err(self.withheld(permission, answer, &why, &mut standing).await),
        }
    }

    fn question(&self, permission: &Permission) -> Request {
        let mut request = Request::new(Method::OPTIONS, self.url.clone());
        let headers = request.headers_mut();
        headers.clone_from(&self.headers.map);
        headers.insert(REQUEST_ORIGIN, permission.origin().clone());
        *request.timeout_mut() = Some(self.timeout);
        request
    }

    /// An answer that grants nothing, because the callback refuses, knows nothing of the handshake, or
    /// is out of order.
    async fn withheld(
        &self,
        permission: &Permission,
        answer: Response,
        why: &str,
        standing: &mut Standing,
    ) -> Withheld {
        let status = answer.status();
        let wait = network::retry_after(answer.headers(), self.clock.now(), LONGEST_WAIT);
        finish(answer).await;
        match verdict(status) {
            Verdict::Retry => failed(self.message(status, b""), wait),
            Verdict::Gone => Attempt::Settled(Delivery::Gone),
            _ => {
                let why = self.refusal(permission.name(), status, why);
                *standing = Standing::refused(why.clone());
                refused(why)
            }
        }
    }

    fn refusal(&self, origin: &str, status: StatusCode, why: &str) -> String {
        let why = network::excerpt(why.as_bytes(), &self.headers.secrets);
        format!(
            "the callback {} allows no notifications from {origin}: its answer to OPTIONS, {status}, {why}; have \
             the receiver answer with WebHook-Allowed-Origin: {origin}, or write \
             spec.events.callback.handshake.mode: Skip if it is known to want them",
            self.host()
        )
    }
}

/// Reads what an answer still has to say, so that its connection serves the next request.
async fn finish(answer: Response) {
    let _ = network::read_limited(answer, ANSWER_LIMIT).await;
}

/// Trying again at once would not help: the instance is held, and its probe asks again.
const fn refused(message: String) -> Withheld {
    Attempt::Settled(Delivery::Unavailable(Unavailable {
        message,
        retry_after: None,
    }))
}
