//! One instance's connection: where the provider is, and requests with the right to be answered.

mod base_url;
mod body;
mod failures;

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, Response, StatusCode, Url};

use super::{
    FetchError,
    answer::Answer,
    auth::{Attempt, Authorize, Place, Verdict},
};
use crate::{
    catalog::Connector,
    category::ConfigurationError,
    clock::Clock,
    network::{self, GuardedClient},
};

pub(super) use base_url::below;
pub use base_url::{address, base_url};
pub(super) use failures::subject;

/// Bodies above this are refused, and a smaller page is asked for.
pub const MAX_BODY: usize = 256 * 1024 * 1024;

/// A provider that sends nothing for so long has given up. ServiceNow cancels a request over REST
/// after 60 s and says so, which must still be heard.
const IDLE: Duration = Duration::from_secs(75);

/// A page takes no longer, however steadily it trickles.
const TOTAL: Duration = Duration::from_secs(600);

/// What to look at where a provider cannot be reached.
pub(super) const ADVICE: &str =
    "; check spec.baseUrl or spec.configuration of the instance, and the provider";

/// Blots out the secrets in hand, for the provider's text that is shown.
pub type Redact = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// One instance's connection to its provider; a clone is the same connection.
///
/// The authorization goes to the host of
/// the base URL and nowhere else.
#[derive(Clone)]
pub struct Connection {
    connector: Arc<Connector>,
    base: Url,
    /// Where the credential stands.
    place: Place,
    headers: HeaderMap,
    client: GuardedClient,
    authorizer: Arc<dyn Authorize>,
    redact: Redact,
    clock: Clock,
    max_body: usize,
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Connection")
            .field("base", &self.base.as_str())
            .finish_non_exhaustive()
    }
}

/// A good answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) headers: HeaderMap,
    /// `None` where the answer stands for a page without records.
    pub(super) body: Option<Bytes>,
}

/// Why there is no good answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// A smaller page may do.
    TooMuch(FetchError),
    Other(FetchError),
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        Self::Other(error)
    }
}

impl Connection {
    /// A connection to `base` (see [`base_url`]).
    ///
    /// # Errors
    ///
    /// The connector names a header that can't be one.
    pub fn new(
        connector: Arc<Connector>,
        base: Url,
        client: GuardedClient,
        authorizer: Arc<dyn Authorize>,
        redact: Redact,
        clock: Clock,
    ) -> Result<Self, ConfigurationError> {
        let place = match authorizer.place() {
            Some(place) => place.clone(),
            None => Place::Header(header_name(&connector.authentication.header)?),
        };
        let headers = connector.request.headers.iter().map(|(name, value)| {
            let invalid = |_| {
                ConfigurationError::new("spec.connector", format!("{name}: not a header's value"))
            };
            Ok((
                header_name(name)?,
                HeaderValue::from_str(value).map_err(invalid)?,
            ))
        });
        let headers = headers.collect::<Result<_, ConfigurationError>>()?;
        Ok(Self {
            connector,
            base,
            place,
            headers,
            client,
            authorizer,
            redact,
            clock,
            max_body: MAX_BODY,
        })
    }

    /// The same with another limit for bodies, in bytes.
    #[must_use]
    pub const fn with_max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// What Pollen knows of the provider.
    #[must_use]
    pub const fn connector(&self) -> &Arc<Connector> {
        &self.connector
    }

    /// Where the provider is.
    #[must_use]
    pub const fn base(&self) -> &Url {
        &self.base
    }

    pub(super) const fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(super) const fn redact(&self) -> &Redact {
        &self.redact
    }

    /// Asks for `url`, which must be on the base URL's host; a 401 is met with one refresh.
    pub(super) async fn get(&self, url: &Url) -> Result<Reply, Failure> {
        if url.origin() != self.base.origin() {
            return Err(self.elsewhere(url).into());
        }
        let attempt = self.authorizer.attempt().await?;
        let used = attempt.authorization.clone();
        let answer = self.ask(url, attempt).await?;
        if !matches!(answer, Answered::Refused(_)) {
            return answer.into_reply();
        }
        self.authorizer.refused(&used).await?;
        let renewed = self.authorizer.attempt().await?;
        self.ask(url, renewed).await?.into_reply()
    }

    async fn ask(&self, url: &Url, attempt: Attempt) -> Result<Answered, FetchError> {
        let whole = tokio::time::timeout(TOTAL, async {
            match self.begin(url, attempt).await? {
                Begun::Page(response) => self.read(url, response).await,
                Begun::Ended(_, answered) => Ok(answered),
            }
        });
        whole.await.unwrap_or_else(|_| Err(self.slow(url, TOTAL)))
    }

    /// Sends a request and looks at the answer's head. Where a password is on trial, on a task of its own: if
    /// nobody waits for the answer any more, what it says of the password must be stored all the same.
    async fn begin(&self, url: &Url, attempt: Attempt) -> Result<Begun, FetchError> {
        if !attempt.is_on_trial() {
            return self.try_once(url, attempt).await;
        }
        let (connection, to) = (self.clone(), url.clone());
        let begun = tokio::spawn(async move { connection.try_once(&to, attempt).await });
        let interrupted = |_| Err(self.broken(url, "the request was interrupted"));
        begun.await.unwrap_or_else(interrupted)
    }

    async fn try_once(&self, url: &Url, attempt: Attempt) -> Result<Begun, FetchError> {
        let begun = match self.send(url, &attempt.authorization).await {
            Ok(response) => Ok(self.look(url, response).await),
            Err(error) => Err(error),
        };
        attempt.end(verdict(&begun)).await;
        begun
    }

    async fn send(&self, url: &Url, authorization: &HeaderValue) -> Result<Response, FetchError> {
        let mut request = Request::new(Method::GET, url.clone());
        request.headers_mut().clone_from(&self.headers);
        self.place.put(&mut request, authorization);
        // The limits that hold are IDLE and TOTAL; the client's own fits no long page.
        *request.timeout_mut() = Some(TOTAL + IDLE);
        let sent = tokio::time::timeout(IDLE, self.client.execute(request))
            .await
            .map_err(|_| self.slow(url, IDLE))?;
        sent.map_err(|error| {
            let is_unreached = error.is_unsent();
            let advice = if error.blames_url() { ADVICE } else { "" };
            let error = error.told("spec.baseUrl", "spec.tls");
            FetchError {
                is_unreached,
                ..self.broken(url, &format!("{error}{advice}"))
            }
        })
    }

    async fn look(&self, url: &Url, response: Response) -> Begun {
        let (status, headers) = (response.status(), response.headers().clone());
        let answer = Answer {
            status,
            headers: &headers,
            body: None,
        };
        if answer.reaction(&self.connector).is_none() {
            return Begun::Page(response);
        }
        Begun::Ended(status, self.failed(url, status, &headers, response).await)
    }

    async fn read(&self, url: &Url, response: Response) -> Result<Answered, FetchError> {
        let headers = response.headers().clone();
        match body::read(response, self.max_body, IDLE).await {
            Ok(body) => Ok(Answered::Good(Reply {
                headers,
                body: Some(body),
            })),
            Err(body::Broken::TooLarge) => Ok(Answered::TooMuch(self.too_large(url))),
            Err(body::Broken::Idle) => Err(self.slow(url, IDLE)),
            Err(body::Broken::Transport(error)) => {
                Err(self.broken(url, &network::describe(&error)))
            }
        }
    }
}

/// An answer whose head is here.
enum Begun {
    /// Nothing is wrong with it, and its body is to be read.
    Page(Response),
    /// It is no page, and known to its end.
    Ended(StatusCode, Answered),
}

/// An answer, by what follows from it.
enum Answered {
    Good(Reply),
    Refused(FetchError),
    TooMuch(FetchError),
    Failed(FetchError),
}

impl Answered {
    fn into_reply(self) -> Result<Reply, Failure> {
        match self {
            Self::Good(reply) => Ok(reply),
            Self::TooMuch(error) => Err(Failure::TooMuch(error)),
            Self::Refused(error) | Self::Failed(error) => Err(Failure::Other(error)),
        }
    }
}

/// What an answer says of the credentials that the request carried.
fn verdict(begun: &Result<Begun, FetchError>) -> Verdict {
    match begun {
        Ok(Begun::Page(response)) => verdict_on(response.status(), None),
        Ok(Begun::Ended(status, answered)) => verdict_on(*status, Some(answered)),
        Err(error) if error.is_unreached => Verdict::Unlooked,
        Err(_) => Verdict::Unanswered,
    }
}

/// The same of one with this status, which is a page unless it `ended`.
fn verdict_on(status: StatusCode, ended: Option<&Answered>) -> Verdict {
    match ended {
        None | Some(Answered::Good(_) | Answered::TooMuch(_)) if status.is_success() => {
            Verdict::Accepted
        }
        Some(Answered::Refused(error)) if status == StatusCode::UNAUTHORIZED => {
            Verdict::Refused(error.message.clone())
        }
        _ if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            Verdict::Unlooked
        }
        // Some providers look at the credentials before they answer so, and some do not.
        _ => Verdict::Open,
    }
}

fn header_name(name: &str) -> Result<HeaderName, ConfigurationError> {
    name.parse().map_err(|_| {
        ConfigurationError::new("spec.connector", format!("{name:?} is not a header's name"))
    })
}

#[cfg(test)]
pub(in crate::provider) mod tests;
