//! What a token service answers (RFC 6749 §5), and what services answer instead.

use std::time::Duration;

use reqwest::{StatusCode, header::HeaderValue};
use secrecy::SecretString;
use serde_json::Value;

use crate::network;

/// Tokens that a provider has issued.
#[derive(Debug)]
pub(super) struct Issued {
    /// The `Authorization` that carries the access token.
    pub(super) authorization: HeaderValue,
    pub(super) expires_in: Option<Duration>,
    pub(super) refresh_token: Option<SecretString>,
    pub(super) refresh_expires_in: Option<Duration>,
}

/// An answer without an access token, or none at all.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) kind: RefusalKind,
    /// What the service said: one bounded line without the secrets that were sent.
    pub(super) words: String,
    pub(super) retry_after: Option<Duration>,
    /// A refresh token that came nevertheless: the one before may be dead by now.
    pub(super) refresh_token: Option<SecretString>,
}

/// Whose fault it is, and whether what was sent can be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefusalKind {
    /// The code, the refresh token or the user.
    Grant,
    /// The same, perhaps: what can be sent again met a 403 without an error of OAuth.
    Unnamed,
    /// The client id or the client secret.
    Client,
    /// The redirect URI, which must be the registered one and the one that the code was asked for with.
    RedirectUri,
    /// The URL, the kind of grant, the scope.
    Setup,
    Throttled,
    /// The service failed, and did so saying that it did.
    Failed,
    /// The request did not leave.
    Unsent,
    /// The request may have been carried out, but its answer is lost or makes no sense.
    Unclear,
}

impl Refusal {
    pub(super) const fn new(kind: RefusalKind, words: String) -> Self {
        Self {
            kind,
            words,
            retry_after: None,
            refresh_token: None,
        }
    }
}

/// What was sent, as far as its answer is read by it.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) secrets: Vec<SecretString>,
    pub(super) credential: Credential,
}

/// What a request asks with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Credential {
    /// It works once, and beside it alone a redirect URI matters.
    Code,
    RefreshToken,
    /// It works again and again, unless it is tried too often.
    #[default]
    Lasting,
}

/// Reads an answer to what was sent.
pub(super) fn read(
    status: StatusCode,
    body: &[u8],
    Sent {
        secrets,
        credential,
    }: &Sent,
) -> Result<Issued, Refusal> {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    if status.is_success()
        && let Some(issued) = issued(&json)
    {
        return Ok(issued);
    }
    let kind = kind(status, &json, *credential);
    Err(Refusal {
        refresh_token: refresh_token(&json).filter(|_| kind == RefusalKind::Unclear),
        ..Refusal::new(kind, words(status, &json, body, secrets))
    })
}

fn issued(json: &Value) -> Option<Issued> {
    let access_token = text(json, "access_token")?;
    let mut authorization = HeaderValue::from_str(&format!("Bearer {access_token}")).ok()?;
    authorization.set_sensitive(true);
    // Intuit writes the latter.
    let refresh_expires_in = seconds(json, "refresh_token_expires_in")
        .or_else(|| seconds(json, "x_refresh_token_expires_in"));
    Some(Issued {
        authorization,
        expires_in: seconds(json, "expires_in"),
        refresh_token: refresh_token(json),
        refresh_expires_in,
    })
}

fn refresh_token(json: &Value) -> Option<SecretString> {
    text(json, "refresh_token").map(SecretString::from)
}

fn text<'a>(json: &'a Value, field: &str) -> Option<&'a str> {
    json.get(field)?
        .as_str()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

/// A number of seconds, which some services write as text.
fn seconds(json: &Value, field: &str) -> Option<Duration> {
    let value = json.get(field)?;
    let seconds = value
        .as_f64()
        .or_else(|| value.as_str()?.trim().parse().ok())?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|lifetime| !lifetime.is_zero())
}

fn kind(status: StatusCode, json: &Value, credential: Credential) -> RefusalKind {
    match status.as_u16() {
        429 => return RefusalKind::Throttled,
        408 | 500..=599 => return RefusalKind::Failed,
        300..=399 | 404 | 405 | 415 => return RefusalKind::Setup,
        _ => {}
    }
    // ServiceNow calls a refused token a server_error, described as access_denied.
    if text(json, "error_description") == Some("access_denied") {
        return RefusalKind::Grant;
    }
    let is_of_redirects = credential == Credential::Code && speaks_of_redirects(json);
    match text(json, "error") {
        // ServiceNow writes access_denied, GitHub bad_verification_code, Slack and Zoho the other codes;
        // OpenID Connect Core §3.1.2.6 has what only a person can do.
        Some(
            "invalid_grant"
            | "access_denied"
            | "invalid_token"
            | "expired_token"
            | "invalid_code"
            | "code_already_used"
            | "bad_verification_code"
            | "invalid_refresh_token"
            | "interaction_required"
            | "login_required"
            | "consent_required",
        ) if !is_of_redirects => RefusalKind::Grant,
        Some("invalid_client" | "unauthorized_client") => RefusalKind::Client,
        Some("unsupported_grant_type" | "invalid_scope") => RefusalKind::Setup,
        Some("temporarily_unavailable" | "server_error") => RefusalKind::Failed,
        _ if is_of_redirects => RefusalKind::RedirectUri,
        Some("invalid_request") => RefusalKind::Setup,
        _ => unnamed(status, json, credential),
    }
}

/// An answer without an error of OAuth. A firewall or a gateway may have given it (Spring Boot writes
/// `"error": "Forbidden"`), and nobody looked at what was sent.
fn unnamed(status: StatusCode, json: &Value, credential: Credential) -> RefusalKind {
    let makes_no_sense = status.is_success() && json.get("error").is_none();
    match credential {
        _ if makes_no_sense => RefusalKind::Unclear,
        Credential::Code => RefusalKind::Unclear,
        Credential::RefreshToken if status == StatusCode::FORBIDDEN => RefusalKind::Unclear,
        Credential::Lasting if status == StatusCode::FORBIDDEN => RefusalKind::Unnamed,
        Credential::RefreshToken | Credential::Lasting => RefusalKind::Grant,
    }
}

/// RFC 6749 has no error for it: services say it in an error of their own, or in the description.
fn speaks_of_redirects(json: &Value) -> bool {
    let said = [text(json, "error"), text(json, "error_description")];
    let mut said = said.into_iter().flatten().map(str::to_lowercase);
    said.any(|said| said.contains("redirect_uri") || said.contains("redirect uri"))
}

fn words(status: StatusCode, json: &Value, body: &[u8], secrets: &[SecretString]) -> String {
    let said = match (text(json, "error"), text(json, "error_description")) {
        (Some(error), Some(description)) if error != description => {
            format!("{error}, {description}")
        }
        (Some(said), _) | (None, Some(said)) => said.to_owned(),
        (None, None) => unexplained(&String::from_utf8_lossy(body)),
    };
    let said = network::excerpt(said.as_bytes(), secrets);
    if said.is_empty() {
        format!("{status}, and no more")
    } else {
        format!("{status}: {said}")
    }
}

/// An answer without an error that it names. Tokens in it are ones that nobody has in hand yet.
fn unexplained(body: &str) -> String {
    let carries_tokens = ["access_token", "refresh_token", "id_token"]
        .iter()
        .any(|name| body.contains(name));
    if carries_tokens {
        "no usable access_token".to_owned()
    } else {
        body.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn refusal(status: u16, body: &str) -> Refusal {
        refusal_of(status, body, Credential::Lasting)
    }

    fn refusal_of(status: u16, body: &str, credential: Credential) -> Refusal {
        let secrets = vec!["s3cr3t".into()];
        let sent = Sent {
            secrets,
            credential,
        };
        let status = StatusCode::from_u16(status).unwrap();
        read(status, body.as_bytes(), &sent).unwrap_err()
    }

    /// Some services describe every `invalid_grant` by all that may be the cause of it.
    #[test]
    fn a_refresh_is_never_refused_for_a_redirect_uri() {
        let body = r#"{"error":"invalid_grant","error_description":"The grant is invalid, expired, revoked or does not match the redirect URI"}"#;
        let kind = |credential| refusal_of(400, body, credential).kind;
        assert_eq!(kind(Credential::RefreshToken), RefusalKind::Grant);
        assert_eq!(kind(Credential::Code), RefusalKind::RedirectUri);
    }

    #[rstest]
    #[case::number(r#"1799"#, Some(1799))]
    #[case::text(r#""1799""#, Some(1799))]
    #[case::zero("0", None)]
    #[case::negative("-1", None)]
    #[case::huge("1e300", None)]
    #[case::null("null", None)]
    #[case::nonsense(r#""soon""#, None)]
    fn a_lifetime_is_read_where_there_is_one(#[case] value: &str, #[case] expected: Option<u64>) {
        let body = format!(
            r#"{{"access_token":"a","refresh_token":"r","expires_in":{value},"refresh_token_expires_in":{value}}}"#
        );
        let issued = read(StatusCode::OK, body.as_bytes(), &Sent::default()).unwrap();
        let expected = expected.map(Duration::from_secs);
        assert_eq!(
            (issued.expires_in, issued.refresh_expires_in),
            (expected, expected)
        );
    }

    /// A firewall or a gateway says so, and has not looked at what was sent.
    #[rstest]
    #[case::page(
        403,
        "<html>Blocked</html>",
        RefusalKind::Unclear,
        RefusalKind::Unclear
    )]
    #[case::wordless(401, "", RefusalKind::Unclear, RefusalKind::Grant)]
    #[case::odd_json(
        400,
        r#"{"error":{"message":"no"}}"#,
        RefusalKind::Unclear,
        RefusalKind::Grant
    )]
    #[case::gateway(
        403,
        r#"{"timestamp":1704067200000,"status":403,"error":"Forbidden","path":"/oauth_token.do"}"#,
        RefusalKind::Unclear,
        RefusalKind::Unclear
    )]
    #[case::gateway_without_a_parse(
        400,
        r#"{"error":"Bad Request"}"#,
        RefusalKind::Unclear,
        RefusalKind::Grant
    )]
    #[case::of_a_provider(
        200,
        r#"{"error":"bad_verification_code"}"#,
        RefusalKind::Grant,
        RefusalKind::Grant
    )]
    #[case::named(
        403,
        r#"{"error":"invalid_grant"}"#,
        RefusalKind::Grant,
        RefusalKind::Grant
    )]
    fn only_an_error_of_oauth_settles_a_code(
        #[case] status: u16,
        #[case] body: &str,
        #[case] code: RefusalKind,
        #[case] refresh_token: RefusalKind,
    ) {
        let kind = |credential| refusal_of(status, body, credential).kind;
        assert_eq!(kind(Credential::Code), code);
        assert_eq!(kind(Credential::RefreshToken), refresh_token);
    }

    #[rstest]
    #[case(
        r#"{"error":"invalid_client","error_description":"unknown client, or redirect_uri not registered"}"#,
        RefusalKind::Client
    )]
    #[case(
        r#"{"error":"invalid_request","error_description":"redirect_uri is missing"}"#,
        RefusalKind::RedirectUri
    )]
    #[case(r#"{"error":"invalid_request"}"#, RefusalKind::Setup)]
    #[case(
        r#"{"error":"invalid_grant","error_description":"The redirect URI does not match"}"#,
        RefusalKind::RedirectUri
    )]
    #[case(r#"{"error":"redirect_uri_mismatch"}"#, RefusalKind::RedirectUri)]
    #[case(r#"{"error":"server_error"}"#, RefusalKind::Failed)]
    fn what_the_error_names_outranks_its_description(
        #[case] body: &str,
        #[case] expected: RefusalKind,
    ) {
        assert_eq!(refusal_of(400, body, Credential::Code).kind, expected);
    }

    #[test]
    fn issued_tokens_are_not_shown() {
        let body = br#"{"access_token":"s3cr3t","refresh_token":"s3cr3t"}"#;
        let issued = read(StatusCode::OK, body, &Sent::default()).unwrap();
        assert_eq!(issued.authorization, "Bearer s3cr3t");
        assert!(!format!("{issued:?}").contains("s3cr3t"));
    }

    #[rstest]
    #[case::rfc(400, r#"{"error":"invalid_grant"}"#, RefusalKind::Grant)]
    #[case::servicenow(
        401,
        r#"{"error":"access_denied","error_description":"access_denied"}"#,
        RefusalKind::Grant
    )]
    #[case::servicenow_code(
        401,
        r#"{"error":"server_error","error_description":"access_denied"}"#,
        RefusalKind::Grant
    )]
    #[case::client(401, r#"{"error":"invalid_client"}"#, RefusalKind::Client)]
    #[case::grant_type(400, r#"{"error":"unsupported_grant_type"}"#, RefusalKind::Setup)]
    #[case::wordless(401, "", RefusalKind::Grant)]
    #[case::forbidden(403, "<html>", RefusalKind::Unnamed)]
    #[case::gateway(403, r#"{"error":"Forbidden"}"#, RefusalKind::Unnamed)]
    #[case::error_in_success(200, r#"{"error":"invalid_grant"}"#, RefusalKind::Grant)]
    #[case::object_in_success(
        200,
        r#"{"error":{"message":"no"},"status":"failure"}"#,
        RefusalKind::Grant
    )]
    #[case::html_in_success(200, "<html>Sign in</html>", RefusalKind::Unclear)]
    #[case::nothing_in_success(200, "", RefusalKind::Unclear)]
    #[case::empty_token(200, r#"{"access_token":""}"#, RefusalKind::Unclear)]
    #[case::no_header(200, r#"{"access_token":"a\nb"}"#, RefusalKind::Unclear)]
    #[case::wrong_place(404, "", RefusalKind::Setup)]
    #[case::redirect(302, "", RefusalKind::Setup)]
    #[case::throttled(429, r#"{"error":"invalid_grant"}"#, RefusalKind::Throttled)]
    #[case::maintenance(503, "<html>", RefusalKind::Failed)]
    fn an_answer_without_tokens_has_a_kind(
        #[case] status: u16,
        #[case] body: &str,
        #[case] expected: RefusalKind,
    ) {
        assert_eq!(refusal(status, body).kind, expected);
    }

    #[rstest]
    #[case::no_access_token(200, r#"{"refresh_token":"fresh-t0ken","expires_in":1799}"#)]
    #[case::no_header(200, r#"{"access_token":"fresh-t0ken\nx"}"#)]
    #[case::cut_off(200, r#"{"access_token":"fresh-t0ken","refr"#)]
    #[case::no_success(300, r#"{"access_token":"fresh-t0ken"}"#)]
    fn an_answer_with_tokens_that_cannot_be_used_is_not_repeated(
        #[case] status: u16,
        #[case] body: &str,
    ) {
        let words = refusal(status, body).words;
        assert!(!words.contains("fresh-t0ken"), "{words}");
        assert!(words.ends_with(": no usable access_token"), "{words}");
    }

    #[rstest]
    #[case(
        r#"{"error":"invalid_grant","error_description":"token s3cr3t\nis unknown"}"#,
        "400 Bad Request: invalid_grant, token [redacted] is unknown"
    )]
    #[case(
        r#"{"error":"access_denied","error_description":"access_denied"}"#,
        "400 Bad Request: access_denied"
    )]
    #[case("<h1>s3cr3t</h1>", "400 Bad Request: <h1>[redacted]</h1>")]
    #[case(
        r#"{"error":{"message":"no such client"}}"#,
        r#"400 Bad Request: {"error":{"message":"no such client"}}"#
    )]
    #[case("", "400 Bad Request, and no more")]
    fn the_words_are_the_services_without_the_secrets(#[case] body: &str, #[case] expected: &str) {
        assert_eq!(refusal(400, body).words, expected);
    }
}
