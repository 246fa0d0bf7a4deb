//! A URL that is posted to, and what its answers are told as.

use std::{fmt, time::Duration};

use bytes::Bytes;
use reqwest::{
    Method, Request, StatusCode, Url,
    header::{CONNECTION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use secrecy::SecretString;

use super::{
    SignedBody,
    authentication::Headers,
    outage::Outage,
    pause::Pause,
    permission::{Permission, REQUEST_ORIGIN},
    response::Verdict,
    url,
};
use crate::{
    api,
    category::{ConfigurationError, Subject},
    event::Payload,
    network::{self, GuardedClient, SendError},
};

const ELEMENTS_ID: HeaderName = HeaderName::from_static("elements-webhook-id");
/// The largest body that leaves its connection for the next notification over HTTP/1.1.
///
/// A socket takes about so much at once. Of a larger body a part still waits when a receiver answers
/// before it has read it all, and then hyper neither reuses nor closes the connection
/// (<https://github.com/hyperium/hyper/issues/4176>): it is closed behind its answer instead, once the
/// whole body has gone.
const REUSED_UP_TO: usize = 64 * 1024;

/// Where the URL of a callback stands, and that of its dead letters.
pub(super) const URL: &str = "spec.events.callback.url";
const TLS: &str = "spec.events.callback.tls";
const DEAD_LETTER_TLS: &str = "spec.events.callback.deadLetter.tls";
const DEAD_LETTER_URL: &str = "spec.events.callback.deadLetter.url";

/// A URL that is posted to.
pub(super) struct Endpoint {
    pub(super) client: GuardedClient,
    url: Url,
    headers: HeaderMap,
    /// To be looked for in what it answers.
    secrets: Vec<SecretString>,
    /// `None` where it is not asked for it: dead letters are no events.
    pub(super) permission: Option<Permission>,
    /// How long it asked to be left alone.
    pub(super) pause: Pause,
    /// Whether it fails.
    pub(super) outage: Outage,
    /// What it is called before its host.
    what: &'static str,
    /// The field that names it.
    field: &'static str,
    /// The field that names its certificates.
    tls: &'static str,
}

impl Endpoint {
    /// The callback of the spec, which gets `headers`.
    pub(super) fn of_callback(
        spec: &api::Callback,
        headers: Headers,
        client: GuardedClient,
    ) -> Result<Self, ConfigurationError> {
        let url = parse(URL, &spec.url, &client)?;
        let mut secrets = headers.secrets;
        secrets.extend(url::secrets(&url));
        Ok(Self {
            client,
            url,
            headers: headers.map,
            secrets,
            permission: Permission::new(spec)?,
            pause: Pause::default(),
            outage: Outage::default(),
            what: "the callback",
            field: URL,
            tls: TLS,
        })
    }

    /// Where the dead letters of this callback go. They carry its credentials and headers only to the
    /// same scheme, host and port.
    pub(super) fn of_dead_letters(
        &self,
        text: &str,
        client: GuardedClient,
    ) -> Result<Self, ConfigurationError> {
        let url = parse(DEAD_LETTER_URL, text, &client)?;
        let mut secrets = self.secrets.clone();
        secrets.extend(url::secrets(&url));
        let headers = if url.origin() == self.url.origin() {
            self.headers.clone()
        } else {
            HeaderMap::new()
        };
        Ok(Self {
            client,
            url,
            headers,
            secrets,
            permission: None,
            pause: Pause::default(),
            outage: Outage::default(),
            what: "the receiver of dead letters",
            field: DEAD_LETTER_URL,
            tls: DEAD_LETTER_TLS,
        })
    }

    pub(super) fn request(
        &self,
        payload: &Payload,
        signed: SignedBody,
        timeout: Duration,
    ) -> Request {
        let (body, signatures): (Bytes, _) = signed.into_parts();
        let mut request = Request::new(Method::POST, self.url.clone());
        let headers = request.headers_mut();
        headers.clone_from(&self.headers);
        headers.extend(signatures);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(payload.content_type));
        if let Some(permission) = &self.permission {
            headers.insert(REQUEST_ORIGIN, permission.origin().clone());
        }
        if let Some(Ok(id)) = payload.elements_id.as_deref().map(HeaderValue::from_str) {
            headers.insert(ELEMENTS_ID, id);
        }
        // HTTP/2 leaves the header out, and has no need of it.
        if body.len() > REUSED_UP_TO {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        *request.body_mut() = Some(body.into());
        *request.timeout_mut() = Some(timeout);
        request
    }

    /// The question whether it may be posted to.
    pub(super) fn question(&self, permission: &Permission, timeout: Duration) -> Request {
        let mut request = Request::new(Method::OPTIONS, self.url.clone());
        let headers = request.headers_mut();
        headers.clone_from(&self.headers);
        headers.insert(REQUEST_ORIGIN, permission.origin().clone());
        *request.timeout_mut() = Some(timeout);
        request
    }

    /// What to say where it may not.
    pub(super) fn withheld(&self, origin: &str, status: StatusCode, why: &str) -> String {
        let why = network::excerpt(why.as_bytes(), &self.secrets);
        format!(
            "the callback {} allows no notifications from {origin}: its answer to OPTIONS, {status}, {why}; have \
             the receiver answer with WebHook-Allowed-Origin: {origin}, or write \
             spec.events.callback.handshake.mode: Skip if it is known to want them",
            self.host()
        )
    }

    /// What to say where the question was not heard: the receiver is out of order, or knows no OPTIONS.
    pub(super) fn unheard(&self, origin: &str, status: StatusCode) -> String {
        let way_out = if status.is_server_error() {
            format!(
                "have the receiver answer OPTIONS with WebHook-Allowed-Origin: {origin}, or, where it knows no OPTIONS \
                 and is known to want events, write spec.events.callback.handshake.mode: Skip"
            )
        } else {
            "it is asked again".to_owned()
        };
        format!(
            "the callback {} answered {status} to OPTIONS, the question whether {origin} may post to it: {way_out}",
            self.host()
        )
    }

    /// What to say where no answer came.
    pub(super) fn unanswered(&self, error: &SendError) -> String {
        let advice = if error.blames_url() {
            format!("; check {} of the instance, and the receiver", self.field)
        } else {
            String::new()
        };
        let error = error.told(self.field, self.tls);
        format!("{} {}: {error}{advice}", self.what, self.host())
    }

    /// What to say of an answer that acknowledges nothing.
    pub(super) fn answered(&self, status: StatusCode, verdict: Verdict, body: &[u8]) -> String {
        let said = network::excerpt(body, &self.secrets);
        let said = if said.is_empty() {
            said
        } else {
            format!(": {said}")
        };
        let advice = match verdict {
            Verdict::Misdirected(blame) => format!("; {}", blame.advice(self.field, self.tls)),
            Verdict::Aborted => {
                "; by webhook-delivery: abort-message it asks not to be sent this again".to_owned()
            }
            _ => String::new(),
        };
        let (what, host) = (self.what, self.host());
        format!("{what} {host} answered {status}{said}{advice}")
    }

    /// The host alone: path and query of a callback may be its only secret.
    pub(super) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("host", &self.host())
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

fn parse(field: &str, text: &str, client: &GuardedClient) -> Result<Url, ConfigurationError> {
    let url = url::parse(field, text)?;
    client.check_url(&url).map_err(|refusal| {
        ConfigurationError::new(field, refusal.to_string()).about(Subject::Address)
    })?;
    Ok(url)
}
