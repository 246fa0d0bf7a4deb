//! What a failed renewal is called in a condition: what happened, and what a person can do.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};

use super::{
    ClientProof, Grant, TokenStoreError, TriedPassword,
    answer::{Refusal, RefusalKind},
    endpoint::Endpoint,
};
use crate::{
    category::Category,
    provider::{FetchError, connection},
};

/// Another replica's refresh takes about this long.
const BUSY: Duration = Duration::from_secs(5);

/// The grant's own request was refused or failed.
pub(super) fn refused(endpoint: &Endpoint, grant: &Grant, refusal: Refusal) -> FetchError {
    let secret = &endpoint.credentials.secret_name;
    let advice = match grant {
        Grant::AuthorizationCode { .. } => new_code(secret),
        Grant::RefreshToken { .. } | Grant::Authorized => authorize_again(secret),
        Grant::ClientCredentials => format!(
            "check clientId and clientSecret in Secret {secret:?}, and that the provider lets \
             this client use client credentials"
        ),
        Grant::Password { .. } => format!(
            "check username and password in Secret {secret:?}, and that the user is active and \
             not locked out"
        ),
        Grant::JwtBearer(_) => format!(
            "check privateKey, keyId and subject in Secret {secret:?}, that the provider knows the key and \
             lets this client act for the subject, and this machine's clock"
        ),
    };
    error(endpoint, what(grant), refusal, &advice)
}

/// A user and password that were sent and not accepted are not sent now.
pub(super) fn left_alone(
    host: &str,
    secret: &str,
    last: &TriedPassword,
    is_asked: bool,
) -> FetchError {
    let cause = match last.answer() {
        Some(answer) => format!("{host} refused the user or password ({answer})"),
        None => {
            let at = second(last.at());
            format!("no answer came from {host} to the user and password that were sent at {at}")
        }
    };
    let (sooner, later) = (second(last.until(true)), second(last.until(false)));
    let next = if is_asked {
        format!("at {sooner}, since a poll is requested")
    } else {
        format!("at {later}, or when a poll is requested, at {sooner} at the earliest")
    };
    let message = format!(
        "{cause}: check username and password in Secret {secret:?}, and that the user is active and not locked \
         out; so that nobody is, they are sent again at once when the Secret changes, else {next}"
    );
    failure(Category::Authentication, message)
}

fn second(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A refresh token was refused, or the request with it failed.
pub(super) fn refresh_refused(endpoint: &Endpoint, refusal: Refusal) -> FetchError {
    let advice = authorize_again(&endpoint.credentials.secret_name);
    error(endpoint, "the refresh token", refusal, &advice)
}

/// A code that was refused, and is spent.
pub(super) fn code_refused(endpoint: &Endpoint, refusal: Refusal) -> FetchError {
    let advice = new_code(&endpoint.credentials.secret_name);
    error(endpoint, "the authorization code", refusal, &advice)
}

/// A code that was exchanged before, and left no refresh token.
pub(super) fn code_used(endpoint: &Endpoint) -> FetchError {
    let secret = &endpoint.credentials.secret_name;
    failure(
        Category::Authentication,
        format!(
            "the authorization code in Secret {secret:?} has been used and no refresh token came \
             of it: {}",
            new_code(secret)
        ),
    )
}

/// A code that was sent and never accepted, and is too old by now; `why` the last attempt failed.
pub(super) fn code_lapsed(endpoint: &Endpoint, why: Option<&str>) -> FetchError {
    let (secret, host) = (&endpoint.credentials.secret_name, endpoint.host());
    let why = why.map_or_else(String::new, |why| format!(" (at last: {why})"));
    failure(
        Category::Authentication,
        format!(
            "the authorization code in Secret {secret:?} was sent to {host}, which never accepted it, and no code \
             lives longer than ten minutes{why}: run `pollen authorize` again or put the new code into \
             Secret {secret:?}"
        ),
    )
}

/// Nobody has authorized the instance yet.
pub(super) fn unauthorized(endpoint: &Endpoint) -> FetchError {
    let secret = &endpoint.credentials.secret_name;
    let message = format!(
        "nobody has authorized this instance at {} yet: run `pollen authorize`, or put a code or refresh \
         token into Secret {secret:?}",
        endpoint.host()
    );
    failure(Category::Authentication, message)
}

/// The token store refused or failed.
pub(super) fn unstored(endpoint: &Endpoint, problem: &TokenStoreError) -> FetchError {
    let host = endpoint.host();
    of_store(
        problem,
        format!("the tokens of {host} cannot be stored or read"),
    )
}

/// A password must not be sent before it is recorded that it is.
pub(super) fn unrecorded(host: &str, problem: &TokenStoreError) -> FetchError {
    let what = format!("the password is not sent to {host}, since that cannot be recorded before");
    match problem {
        TokenStoreError::Busy => FetchError {
            retry_after: Some(BUSY),
            ..failure(
                Category::Internal,
                format!("{what}: another replica has changed what is stored of this instance"),
            )
        },
        TokenStoreError::Unavailable(_) => of_store(problem, what),
    }
}

fn of_store(problem: &TokenStoreError, what: String) -> FetchError {
    let retry_after = matches!(problem, TokenStoreError::Busy).then_some(BUSY);
    FetchError {
        retry_after,
        ..failure(Category::Internal, format!("{what}: {problem}"))
    }
}

/// The renewal ended without an outcome.
pub(super) fn interrupted() -> FetchError {
    failure(
        Category::Internal,
        "the renewal of the access token was interrupted".to_owned(),
    )
}

/// A password's trial ended without an outcome.
pub(super) fn trial_interrupted() -> FetchError {
    failure(
        Category::Internal,
        "the password was not sent, since recording that was interrupted".to_owned(),
    )
}

/// Other credentials count by now.
pub(super) fn superseded() -> FetchError {
    failure(
        Category::Internal,
        "the credentials have been replaced meanwhile".to_owned(),
    )
}

const fn proof(endpoint: &Endpoint) -> &'static str {
    match endpoint.credentials.proof {
        ClientProof::Body(_) | ClientProof::Header(_) => "clientId and clientSecret",
        ClientProof::Assertion(_) => {
            "this machine's clock, that the provider knows the key's public half, and clientId, privateKey \
             and keyId"
        }
        ClientProof::None => "clientId",
    }
}

const fn what(grant: &Grant) -> &'static str {
    match grant {
        Grant::AuthorizationCode { .. } => "the authorization code",
        Grant::RefreshToken { .. } | Grant::Authorized => "the refresh token",
        Grant::ClientCredentials => "the client",
        Grant::Password { .. } => "the user or password",
        Grant::JwtBearer(_) => "the assertion",
    }
}

fn new_code(secret: &str) -> String {
    format!(
        "a code works once, for a few minutes, and only for the clientId and the redirectUri that it \
         was issued for: check both, then run `pollen authorize` again or put the new code into \
         Secret {secret:?}"
    )
}

fn authorize_again(secret: &str) -> String {
    format!(
        "it has expired or was revoked; authorize again with `pollen authorize`, or put a new code or \
         refresh token into Secret {secret:?}"
    )
}

fn error(endpoint: &Endpoint, what: &str, refusal: Refusal, advice: &str) -> FetchError {
    let Refusal {
        kind,
        words,
        retry_after,
        ..
    } = refusal;
    let host = endpoint.host();
    let secret = &endpoint.credentials.secret_name;
    let (category, message) = match kind {
        RefusalKind::Grant | RefusalKind::Unnamed => (
            Category::Authentication,
            format!("{host} refused {what} ({words}): {advice}"),
        ),
        RefusalKind::Client => (
            Category::Authentication,
            format!(
                "{host} refused the client ({words}): check {} in Secret {secret:?}",
                proof(endpoint)
            ),
        ),
        RefusalKind::RedirectUri => (
            Category::Authentication,
            format!(
                "{host} refused the redirect URI ({words}): write spec.authentication.redirectUri as it is \
                 registered there and as the code was asked for with, letter by letter; then run \
                 `pollen authorize`, or put a new code into Secret {secret:?}"
            ),
        ),
        RefusalKind::Setup => (
            Category::Configuration,
            format!(
                "{host} cannot be asked for tokens ({words}): check the connector's configuration, \
                 the host first, and the authentication's type"
            ),
        ),
        RefusalKind::Throttled => (
            Category::RateLimited,
            format!("{host} issues no token now ({words}): it asks for fewer requests"),
        ),
        RefusalKind::Unsent => (
            Category::Provider,
            format!("{host} issued no token: {words}{}", connection::ADVICE),
        ),
        RefusalKind::Failed | RefusalKind::Unclear => (
            Category::Provider,
            format!("{host} issued no token: {words}"),
        ),
    };
    FetchError {
        retry_after,
        is_unreached: kind == RefusalKind::Unsent,
        ..failure(category, message)
    }
}

fn failure(category: Category, message: String) -> FetchError {
    FetchError::new(category, message)
}
