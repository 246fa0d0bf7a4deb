//! A callback reached over HTTP.

mod asking;

use std::{fmt, time::Duration};

use reqwest::Response;

use super::{
    Callback, Delivery, Refused, Rejection, RetryPolicy, Signer, Unavailable,
    authentication::Headers,
    endpoint::Endpoint,
    response::{Verdict, Wish, verdict_of},
    retry::Attempt,
};
use crate::{
    api,
    category::ConfigurationError,
    clock::Clock,
    event::{Format, LetterHead, Notification, Origin, Payload},
    network::{self, GuardedClient},
    secrets::Secrets,
};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);
/// A callback that asks for more is tried again after an hour.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);
/// How much of an answer is read: enough for an explanation, and no flood fits.
const ANSWER_LIMIT: usize = 64 * 1024;

/// What a callback is made from.
#[derive(Clone, Debug)]
pub struct CallbackSettings<'a> {
    /// `spec.events.callback`.
    pub spec: &'a api::Callback,
    /// The Secrets that it names.
    pub secrets: &'a Secrets,
    pub client: GuardedClient,
    /// The client for its dead letters, whose certificates may be others.
    pub dead_letter_client: GuardedClient,
    pub clock: Clock,
    pub retry: RetryPolicy,
}

/// The callback of an instance.
///
/// One value serves all pollers of the instance, each delivering as it likes.
pub struct HttpCallback {
    endpoint: Endpoint,
    dead_letters: Option<Endpoint>,
    signer: Signer,
    format: Format,
    timeout: Duration,
    retry: RetryPolicy,
    clock: Clock,
}

impl HttpCallback {
    /// The callback that the spec describes.
    ///
    /// # Errors
    ///
    /// A URL, a Secret or another field can't be used; the address in a URL is refused.
    pub fn new(settings: CallbackSettings<'_>) -> Result<Self, ConfigurationError> {
        let CallbackSettings {
            spec,
            secrets,
            client,
            dead_letter_client,
            clock,
            retry,
        } = settings;
        let mut headers = Headers::new(spec, secrets)?;
        headers.secrets.extend(secrets.values());
        let endpoint = Endpoint::of_callback(spec, headers, client)?;
        let dead_letters = spec.dead_letter.as_ref();
        let dead_letters =
            dead_letters.map(|asked| endpoint.of_dead_letters(&asked.url, dead_letter_client));
        Ok(Self {
            endpoint,
            dead_letters: dead_letters.transpose()?,
            signer: Signer::new(spec.signing.as_ref(), secrets)?,
            format: Format::new(spec.format),
            timeout: spec.timeout.map_or(DEFAULT_TIMEOUT, |timeout| timeout.0),
            retry,
            clock,
        })
    }

    /// What a person should know of the keys that it signs with.
    #[must_use]
    pub fn doubts(&self) -> &[String] {
        self.signer.doubts()
    }

    /// Posts though the callback asks to be left alone: a person wants to know how it is.
    pub fn ask_anew(&self) {
        let letters = self.dead_letters.iter();
        letters
            .chain([&self.endpoint])
            .for_each(|endpoint| endpoint.pause.end());
    }

    /// Posts until an answer settles it, or as often as the policy says.
    async fn post(&self, endpoint: &Endpoint, posting: &Posting<'_>) -> Delivery {
        let attempt = || self.attempt(endpoint, posting);
        let outcome = self
            .retry
            .run(
                &mut rand::make_rng::<rand::rngs::SmallRng>(),
                attempt,
                |error, pause| endpoint.outage.tell(posting.origin, &error.message, pause),
            )
            .await;
        if outcome.is_ok() {
            endpoint.outage.end();
        }
        outcome.unwrap_or_else(Delivery::Unavailable)
    }

    async fn attempt(
        &self,
        endpoint: &Endpoint,
        posting: &Posting<'_>,
    ) -> Attempt<Delivery, Unavailable> {
        if let Err(withheld) = self.leave(endpoint).await {
            return withheld;
        }
        let payload = &posting.payload;
        let signed = self.signer.sign(payload, self.clock.now());
        let request = endpoint.request(payload, signed, self.timeout);
        match endpoint.client.execute(request).await {
            Ok(answer) => self.judge(endpoint, posting, answer).await,
            Err(error) => failed(endpoint.unanswered(&error), None),
        }
    }

    async fn judge(
        &self,
        endpoint: &Endpoint,
        posting: &Posting<'_>,
        answer: Response,
    ) -> Attempt<Delivery, Unavailable> {
        let (status, wish) = (answer.status(), Wish::of(answer.headers()));
        let wait = network::retry_after(answer.headers(), self.clock.now(), LONGEST_WAIT);
        // The status has said all that matters: a body that breaks off changes nothing.
        let body = network::read_limited(answer, ANSWER_LIMIT)
            .await
            .unwrap_or_default();
        let (verdict, last) = (verdict_of(status, wish, &body), wish == Wish::Disable);
        let told = || endpoint.answered(status, verdict, &body);
        let rejected = |of| {
            Delivery::Rejected(Rejection {
                status: status.as_u16(),
                message: told(),
                of,
                made_at: posting.made_at,
                at: self.clock.now(),
            })
        };
        if verdict == Verdict::Aborted {
            // The wait concerns whatever is posted there, this notification or another.
            endpoint.pause.begin(&Unavailable {
                message: told(),
                retry_after: wait,
            });
        }
        Attempt::Settled(match verdict {
            Verdict::Acknowledged if last => Delivery::AcknowledgedLast,
            Verdict::Acknowledged => Delivery::Acknowledged,
            _ if last => Delivery::Gone,
            Verdict::Gone => Delivery::Gone,
            Verdict::TooLarge => rejected(Refused::Size),
            Verdict::Misdirected(_) => rejected(Refused::Everything),
            Verdict::Rejected | Verdict::Aborted => rejected(Refused::Event),
            Verdict::Retry => return postponed(endpoint, told(), wait),
        })
    }
}

/// What is posted, the same in each attempt but for its signature.
struct Posting<'a> {
    origin: &'a Origin,
    payload: Payload,
    made_at: chrono::DateTime<chrono::Utc>,
}

impl Callback for HttpCallback {
    async fn deliver(&self, origin: &Origin, notification: &Notification) -> Delivery {
        let made_at = self.clock.now();
        let payload = self.format.encode(origin, notification, made_at);
        let posting = Posting {
            origin,
            payload,
            made_at,
        };
        self.post(&self.endpoint, &posting).await
    }

    async fn dead_letter(
        &self,
        origin: &Origin,
        notification: &Notification,
        rejection: &Rejection,
    ) -> Delivery {
        let (Some(endpoint), Some(event)) = (&self.dead_letters, notification.events.first())
        else {
            return Delivery::Unavailable(Unavailable {
                message: "spec.events.callback.deadLetter.url of the instance is missing"
                    .to_owned(),
                retry_after: None,
            });
        };
        // As it was posted, to the byte: its ids come from the events, and its date from here.
        let refused = self.format.encode(origin, notification, rejection.made_at);
        let head = LetterHead {
            status: rejection.status,
            reason: &rejection.message,
            at: rejection.at,
        };
        let payload = head.letter(origin, event, &refused);
        let made_at = self.clock.now();
        let posting = Posting {
            origin,
            payload,
            made_at,
        };
        self.post(endpoint, &posting).await
    }
}

impl fmt::Debug for HttpCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpCallback")
            .field("endpoint", &self.endpoint)
            .field("dead_letters", &self.dead_letters)
            .field("format", &self.format)
            .field("signer", &self.signer)
            .finish_non_exhaustive()
    }
}

/// A failure behind which nobody posts there before the wait that the answer asks for is over.
fn postponed(
    endpoint: &Endpoint,
    message: String,
    retry_after: Option<Duration>,
) -> Attempt<Delivery, Unavailable> {
    let error = Unavailable {
        message,
        retry_after,
    };
    endpoint.pause.begin(&error);
    Attempt::Failed { error, retry_after }
}

const fn failed(message: String, retry_after: Option<Duration>) -> Attempt<Delivery, Unavailable> {
    Attempt::Failed {
        error: Unavailable {
            message,
            retry_after,
        },
        retry_after,
    }
}

#[cfg(test)]
mod tests;
