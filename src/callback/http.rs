//! A callback reached over HTTP.

mod asking;

use std::{fmt, time::Duration};

use reqwest::{
    Method, Request, Response, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};

use super::{
    Callback, Delivery, Rejection, RetryPolicy, SignedBody, Signer, Unavailable,
    authentication::Headers,
    permission::{Permission, REQUEST_ORIGIN},
    response::{Verdict, verdict},
    retry::Attempt,
    url,
};
use crate::{
    api,
    category::{ConfigurationError, Subject},
    clock::Clock,
    event::{Format, Notification, Origin, Payload},
    network::{self, GuardedClient, SendError},
    secrets::Secrets,
};

const ELEMENTS_ID: HeaderName = HeaderName::from_static("elements-webhook-id");
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
    pub clock: Clock,
    pub retry: RetryPolicy,
}

/// The callback of an instance.
///
/// One value serves all pollers of the instance, each delivering as it likes.
pub struct HttpCallback {
    client: GuardedClient,
    url: Url,
    headers: Headers,
    signer: Signer,
    format: Format,
    /// `None` where the callback is not asked for it.
    permission: Option<Permission>,
    timeout: Duration,
    retry: RetryPolicy,
    clock: Clock,
}

impl HttpCallback {
    /// The callback that the spec describes.
    ///
    /// # Errors
    ///
    /// The URL, a Secret or another field can't be used; the address in the URL is refused.
    pub fn new(settings: CallbackSettings<'_>) -> Result<Self, ConfigurationError> {
        let CallbackSettings {
            spec,
            secrets,
            client,
            clock,
            retry,
        } = settings;
        let url = url::parse(&spec.url)?;
        client.check_url(&url).map_err(|refusal| {
            ConfigurationError::new("spec.events.callback.url", refusal.to_string())
                .about(Subject::Address)
        })?;
        let mut headers = Headers::new(spec, secrets)?;
        headers.secrets.extend(secrets.values());
        headers.secrets.extend(url::secrets(&url));
        Ok(Self {
            headers,
            signer: Signer::new(spec.signing.as_ref(), secrets)?,
            format: Format::new(spec.format),
            permission: Permission::new(spec)?,
            timeout: spec.timeout.map_or(DEFAULT_TIMEOUT, |timeout| timeout.0),
            url,
            client,
            retry,
            clock,
        })
    }

    async fn attempt(&self, payload: &Payload) -> Attempt<Delivery, Unavailable> {
        if let Err(withheld) = self.leave().await {
            return withheld;
        }
        let signed = self.signer.sign(payload, self.clock.now());
        let request = self.request(payload, signed);
        match self.client.execute(request).await {
            Ok(answer) => self.judge(answer).await,
            Err(error) => failed(self.unanswered(&error), None),
        }
    }

    fn request(&self, payload: &Payload, signed: SignedBody) -> Request {
        let (body, signatures) = signed.into_parts();
        let mut request = Request::new(Method::POST, self.url.clone());
        let headers = request.headers_mut();
        headers.clone_from(&self.headers.map);
        headers.extend(signatures);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(payload.content_type));
        if let Some(permission) = &self.permission {
            headers.insert(REQUEST_ORIGIN, permission.origin().clone());
        }
        if let Some(Ok(id)) = payload.elements_id.as_deref().map(HeaderValue::from_str) {
            headers.insert(ELEMENTS_ID, id);
        }
        *request.body_mut() = Some(body.into());
        *request.timeout_mut() = Some(self.timeout);
        request
    }

    async fn judge(&self, answer: Response) -> Attempt<Delivery, Unavailable> {
        let status = answer.status();
        let wait = network::retry_after(answer.headers(), self.clock.now(), LONGEST_WAIT);
        // The status has said all that matters: a body that breaks off changes nothing.
        let body = network::read_limited(answer, ANSWER_LIMIT)
            .await
            .unwrap_or_default();
        match verdict(status) {
            Verdict::Acknowledged => Attempt::Settled(Delivery::Acknowledged),
            Verdict::Gone => Attempt::Settled(Delivery::Gone),
            Verdict::Retry => failed(self.message(status, &body), wait),
            Verdict::Rejected => Attempt::Settled(Delivery::Rejected(Rejection {
                status: status.as_u16(),
                message: self.message(status, &body),
            })),
        }
    }

    fn unanswered(&self, error: &SendError) -> String {
        let advice = if error.is_unsent() {
            "; check spec.events.callback.url of the instance, and the receiver"
        } else {
            ""
        };
        let error = error.told("spec.events.callback.url", "spec.events.callback.tls");
        format!("the callback {}: {error}{advice}", self.host())
    }

    fn message(&self, status: StatusCode, body: &[u8]) -> String {
        let said = network::excerpt(body, &self.headers.secrets);
        let hint = if status.is_redirection() {
            ": write the URL it redirects to"
        } else {
            ""
        };
        let said = if said.is_empty() {
            said
        } else {
            format!(": {said}")
        };
        format!("the callback {} answered {status}{hint}{said}", self.host())
    }

    /// The host alone: path and query of a callback may be its only secret.
    fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

impl Callback for HttpCallback {
    async fn deliver(&self, origin: &Origin, notification: &Notification) -> Delivery {
        let payload = self.format.encode(origin, notification, self.clock.now());
        let attempt = || self.attempt(&payload);
        let outcome = self
            .retry
            .run(&mut rand::make_rng::<rand::rngs::SmallRng>(), attempt)
            .await;
        outcome.unwrap_or_else(Delivery::Unavailable)
    }
}

impl fmt::Debug for HttpCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpCallback")
            .field("host", &self.host())
            .field("format", &self.format)
            .field("signer", &self.signer)
            .finish_non_exhaustive()
    }
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
