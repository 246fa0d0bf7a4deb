//! Requests to a token service (RFC 6749 §3.2).

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{
    RequestBuilder, Response, Url,
    header::{ACCEPT, CONTENT_TYPE},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    ClientCredentials, CredentialsIn,
    answer::{self, Issued, Refusal, RefusalKind},
};
use crate::{
    catalog::TokenBody,
    clock::Clock,
    network::{self, GuardedClient, SendError},
};

/// More than any token; what follows is not read.
const ANSWER_LIMIT: usize = 64 * 1024;

/// A service that asks for more is asked again after an hour.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// RFC 6749 §2.3.1 wants id and secret encoded before they are joined; what is the same in every
/// encoding stays, for services that do not decode.
const BASIC: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A token service and the client that asks it.
pub(super) struct Endpoint {
    pub(super) client: GuardedClient,
    pub(super) url: Url,
    pub(super) body: TokenBody,
    pub(super) credentials: ClientCredentials,
    pub(super) clock: Clock,
}

impl Endpoint {
    /// One request for tokens. `secrets` are those in `form`.
    pub(super) async fn request<'a>(
        &'a self,
        form: Vec<(&'static str, &'a str)>,
        mut secrets: Vec<SecretString>,
    ) -> Result<Issued, Refusal> {
        secrets.extend([self.credentials.id.clone(), self.credentials.secret.clone()]);
        self.demand_https().await?;
        let request = self.authenticated(form).build();
        let request = request.map_err(|error| {
            Refusal::new(RefusalKind::Unsent, network::describe(&error.without_url()))
        })?;
        let answer = self.client.execute(request).await;
        self.read(answer.map_err(|error| unanswered(&error))?, &secrets)
            .await
    }

    /// The host's name, for messages.
    pub(super) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    async fn demand_https(&self) -> Result<(), Refusal> {
        let trusted = self.url.scheme() == "https" || self.client.is_allowed_host(&self.url).await;
        if trusted {
            return Ok(());
        }
        let words = "credentials are sent over https alone: write an https URL, or have the \
                     cluster admin allow the address with --allow-address";
        Err(Refusal::new(RefusalKind::Setup, words.to_owned()))
    }

    fn authenticated<'a>(&'a self, mut form: Vec<(&'static str, &'a str)>) -> RequestBuilder {
        let request = self
            .client
            .post(self.url.clone())
            .header(ACCEPT, "application/json");
        let id = self.credentials.id.expose_secret();
        let secret = self.credentials.secret.expose_secret();
        match self.credentials.sent_in {
            CredentialsIn::Body => {
                form.extend([("client_id", id), ("client_secret", secret)]);
                self.written(request, form)
            }
            CredentialsIn::Header => {
                let encoded = |text| utf8_percent_encode(text, BASIC).to_string();
                self.written(request, form)
                    .basic_auth(encoded(id), Some(encoded(secret)))
            }
        }
    }

    /// RFC 6749 knows forms alone, but some services want the same names in JSON.
    fn written(&self, request: RequestBuilder, form: Vec<(&'static str, &str)>) -> RequestBuilder {
        match self.body {
            TokenBody::Form => request.form(&form),
            TokenBody::Json => {
                let names = form
                    .into_iter()
                    .map(|(name, text)| (name.into(), text.into()));
                let body = serde_json::Value::Object(names.collect());
                request
                    .header(CONTENT_TYPE, "application/json")
                    .body(body.to_string())
            }
        }
    }

    async fn read(&self, answer: Response, secrets: &[SecretString]) -> Result<Issued, Refusal> {
        let status = answer.status();
        let retry_after = network::retry_after(answer.headers(), self.clock.now(), LONGEST_WAIT);
        let body = network::read_limited(answer, ANSWER_LIMIT)
            .await
            .map_err(|error| Refusal::new(RefusalKind::Unclear, network::describe(&error)))?;
        answer::read(status, &body, secrets).map_err(|refusal| Refusal {
            retry_after,
            ..refusal
        })
    }
}

fn unanswered(error: &SendError) -> Refusal {
    let kind = match error {
        SendError::Refused(_) => RefusalKind::Setup,
        SendError::Failed(_) if error.is_unsent() => RefusalKind::Unsent,
        SendError::Failed(_) => RefusalKind::Unclear,
    };
    Refusal::new(kind, error.to_string())
}
