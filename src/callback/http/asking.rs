//! Asking a callback for leave before anything is posted to it.

use reqwest::Response;
use tokio::time::Instant;

use super::{ANSWER_LIMIT, HttpCallback, LONGEST_WAIT, failed};
use crate::{
    callback::{
        Delivery, Unavailable,
        endpoint::Endpoint,
        permission::{Permission, Rate, Standing},
        response::{Verdict, verdict},
        retry::Attempt,
    },
    network,
};

/// What becomes of a notification that may not be posted now.
type Withheld = Attempt<Delivery, Unavailable>;

impl HttpCallback {
    /// Waits until the next notification may be posted: at once, where the callback is not asked.
    pub(super) async fn leave(&self, endpoint: &Endpoint) -> Result<(), Withheld> {
        let Some(permission) = &endpoint.permission else {
            return Ok(());
        };
        let rate = self.granted(endpoint, permission).await?;
        permission.turn(rate).await;
        Ok(())
    }

    async fn granted(
        &self,
        endpoint: &Endpoint,
        permission: &Permission,
    ) -> Result<Rate, Withheld> {
        let mut standing = permission.standing().await;
        match &*standing {
            Standing::Granted(rate) => return Ok(*rate),
            Standing::Refused { why, until } if *until > Instant::now() => {
                return Err(refused(why.clone()));
            }
            Standing::Unasked | Standing::Refused { .. } => {}
        }
        let question = endpoint.question(permission, self.timeout);
        let answer = self.client.execute(question).await;
        let answer = answer.map_err(|error| failed(endpoint.unanswered(&error), None))?;
        match permission.granted(answer.headers()) {
            Ok(rate) => {
                *standing = Standing::Granted(rate);
                finish(answer).await;
                Ok(rate)
            }
            Err(why) => {
                let to = (endpoint, permission);
                Err(self.withheld(to, answer, &why, &mut standing).await)
            }
        }
    }

    /// An answer that grants nothing, because the callback refuses, knows nothing of the handshake, or
    /// is out of order.
    async fn withheld(
        &self,
        (endpoint, permission): (&Endpoint, &Permission),
        answer: Response,
        why: &str,
        standing: &mut Standing,
    ) -> Withheld {
        let status = answer.status();
        let wait = network::retry_after(answer.headers(), self.clock.now(), LONGEST_WAIT);
        finish(answer).await;
        match verdict(status) {
            Verdict::Retry => failed(endpoint.answered(status, b""), wait),
            Verdict::Gone => Attempt::Settled(Delivery::Gone),
            _ => {
                let why = endpoint.withheld(permission.name(), status, why);
                *standing = Standing::refused(why.clone());
                refused(why)
            }
        }
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
