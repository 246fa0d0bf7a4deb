//! Asking a callback for leave before anything is posted to it.

use reqwest::Response;

use super::{ANSWER_LIMIT, HttpCallback, LONGEST_WAIT, failed, postponed};
use crate::{
    callback::{
        Delivery, Unavailable,
        endpoint::Endpoint,
        permission::{Permission, Rate, Standing, Withheld},
        response::{Verdict, Wish, verdict},
        retry::Attempt,
    },
    network,
};

impl HttpCallback {
    /// Waits until the next notification may be posted: at once, where the callback is not asked, and not
    /// at all while it asks to be left alone.
    pub(super) async fn leave(&self, endpoint: &Endpoint) -> Result<(), Withheld> {
        paused(endpoint)?;
        let Some(permission) = &endpoint.permission else {
            return Ok(());
        };
        let rate = self.granted(endpoint, permission).await?;
        permission.turn(rate).await;
        paused(endpoint)
    }

    async fn granted(
        &self,
        endpoint: &Endpoint,
        permission: &Permission,
    ) -> Result<Rate, Withheld> {
        let mut standing = permission.standing().await;
        if let Some(known) = standing.holds() {
            return known;
        }
        let answer = self.ask(endpoint, permission).await;
        *standing = Standing::of(answer.clone());
        answer
    }

    async fn ask(&self, endpoint: &Endpoint, permission: &Permission) -> Result<Rate, Withheld> {
        let question = endpoint.question(permission, self.timeout);
        let answer = endpoint.client.execute(question).await;
        let answer = answer.map_err(|error| failed(endpoint.unanswered(&error), None))?;
        let granted = permission.granted(answer.headers());
        let (status, wish) = (answer.status(), Wish::of(answer.headers()));
        let wait = network::retry_after(answer.headers(), self.clock.now(), LONGEST_WAIT);
        finish(answer).await;
        match (granted, verdict(status)) {
            _ if wish == Wish::Disable => Err(Attempt::Settled(Delivery::Gone)),
            (Ok(rate), _) => Ok(rate),
            (Err(_), Verdict::Gone) => Err(Attempt::Settled(Delivery::Gone)),
            // It is out of order, or knows no such question.
            (Err(_), Verdict::Retry) => {
                let unheard = endpoint.unheard(permission.name(), status);
                Err(postponed(endpoint, unheard, wait))
            }
            // It refuses, or knows nothing of the handshake.
            (Err(why), _) => Err(refused(endpoint.withheld(permission.name(), status, &why))),
        }
    }
}

/// What a notification comes to while its receiver asks to be left alone, whichever answer said so.
fn paused(endpoint: &Endpoint) -> Result<(), Withheld> {
    match endpoint.pause.standing() {
        Some(error) => Err(Attempt::Failed {
            retry_after: error.retry_after,
            error,
        }),
        None => Ok(()),
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
