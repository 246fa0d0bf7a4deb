//! Requests to a token service (RFC 6749 §3.2).

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{
    Method, Request, Response, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    ClientCredentials, ClientProof,
    answer::{self, Credential, Issued, Refusal, RefusalKind, Sent},
    assertion::Unsigned,
    grant::Form,
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

/// RFC 7523 §2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

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
    /// What every request says besides.
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) credentials: ClientCredentials,
    pub(super) clock: Clock,
}

impl Endpoint {
    /// One request for tokens. `secrets` are those in `form`.
    pub(super) async fn request<'a>(
        &'a self,
        form: Form<'a>,
        mut secrets: Vec<SecretString>,
    ) -> Result<Issued, Refusal> {
        secrets = self.credentials.beside(secrets);
        self.demand_https().await?;
        let credential = credential_in(&form);
        let form = self.signed(form)?;
        secrets.extend(assertions(&form));
        let request = self.authenticated(form)?;
        secrets.extend(basic_of(&request));
        let answer = self.client.execute(request).await;
        let sent = Sent {
            secrets,
            credential,
        };
        self.read(answer.map_err(|error| unanswered(&error))?, &sent)
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
        let words = "credentials are sent over https alone: write an https URL, or have its \
                     address allowed (--allow-address)";
        Err(Refusal::new(RefusalKind::Setup, words.to_owned()))
    }

    /// The form with the client's own assertion, where it shows by one who it is.
    fn signed<'a>(&'a self, mut form: Form<'a>) -> Result<Form<'a>, Refusal> {
        if let ClientProof::Assertion(assertions) = &self.credentials.proof {
            let assertion = assertions.make(self.clock.now())?;
            form.extend([
                ("client_assertion_type", ASSERTION_TYPE.into()),
                (
                    "client_assertion",
                    assertion.expose_secret().to_owned().into(),
                ),
            ]);
        }
        Ok(form)
    }

    fn authenticated<'a>(&'a self, mut form: Form<'a>) -> Result<Request, Refusal> {
        let mut request = Request::new(Method::POST, self.url.clone());
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let id = self.credentials.id.expose_secret();
        match &self.credentials.proof {
            ClientProof::Body(secret) => {
                let secret = secret.expose_secret();
                form.extend([("client_id", id.into()), ("client_secret", secret.into())]);
            }
            ClientProof::Header(secret) => {
                headers.insert(AUTHORIZATION, basic(id, secret.expose_secret())?);
            }
            ClientProof::Assertion(_) | ClientProof::None => form.push(("client_id", id.into())),
        }
        let parameters = self.parameters.iter();
        form.extend(parameters.map(|(name, text)| (name.as_str(), text.as_str().into())));
        self.write(&mut request, &form);
        Ok(request)
    }

    /// RFC 6749 knows forms alone, but some services want the same names in JSON.
    fn write(&self, request: &mut Request, form: &Form<'_>) {
        let (media_type, body) = match self.body {
            TokenBody::Form => (
                "application/x-www-form-urlencoded",
                form_encoded(self.url.clone(), form),
            ),
            TokenBody::Json => {
                let names = form
                    .iter()
                    .map(|(name, text)| ((*name).to_owned(), text.as_ref().into()));
                let body = serde_json::Value::Object(names.collect());
                ("application/json", body.to_string())
            }
        };
        let media_type = HeaderValue::from_static(media_type);
        request.headers_mut().insert(CONTENT_TYPE, media_type);
        *request.body_mut() = Some(body.into());
    }

    async fn read(&self, answer: Response, sent: &Sent) -> Result<Issued, Refusal> {
        let status = answer.status();
        let retry_after = network::retry_after(answer.headers(), self.clock.now(), LONGEST_WAIT);
        let body = network::read_limited(answer, ANSWER_LIMIT)
            .await
            .map_err(|error| Refusal::new(RefusalKind::Unclear, network::describe(&error)))?;
        answer::read(status, &body, sent).map_err(|refusal| Refusal {
            retry_after,
            ..refusal
        })
    }
}

fn credential_in(form: &Form<'_>) -> Credential {
    let has = |name| form.iter().any(|(key, _)| *key == name);
    match (has("code"), has("refresh_token")) {
        (true, _) => Credential::Code,
        (_, true) => Credential::RefreshToken,
        _ => Credential::Lasting,
    }
}

/// What was signed for this one request, and is good for another until it ends.
fn assertions(form: &Form<'_>) -> Vec<SecretString> {
    let signed = form.iter().filter(|(name, _)| name.ends_with("assertion"));
    signed.map(|(_, text)| text.as_ref().into()).collect()
}

/// Id and secret as HTTP Basic writes them.
fn basic_of(request: &Request) -> Option<SecretString> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    Some(value.rsplit(' ').next()?.into())
}

/// HTTP Basic (RFC 7617) with an id and a secret encoded as OAuth wants them.
fn basic(id: &str, secret: &str) -> Result<HeaderValue, Refusal> {
    let encoded = |text| utf8_percent_encode(text, BASIC);
    let credentials = STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
    let mut value = HeaderValue::try_from(format!("Basic {credentials}"))
        .map_err(|error| Refusal::new(RefusalKind::Setup, error.to_string()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// A form is written like the query of a URL.
fn form_encoded(mut url: Url, form: &Form<'_>) -> String {
    url.query_pairs_mut().clear().extend_pairs(form);
    url.query().unwrap_or_default().to_owned()
}

impl From<Unsigned> for Refusal {
    fn from(error: Unsigned) -> Self {
        Self::new(RefusalKind::Unsent, error.to_string())
    }
}

fn unanswered(error: &SendError) -> Refusal {
    let kind = match error {
        SendError::Refused(_) => RefusalKind::Setup,
        SendError::Proxy(fault) if fault.is_lasting() => RefusalKind::Setup,
        _ if error.is_unsent() => RefusalKind::Unsent,
        _ => RefusalKind::Unclear,
    };
    Refusal::new(kind, error.told("spec.baseUrl", "spec.tls"))
}
