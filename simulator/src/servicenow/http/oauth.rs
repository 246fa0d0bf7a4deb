//! `/oauth_token.do` and `/oauth_auth.do`.

use axum::{
    Form as FormBody,
    extract::{Query, State, rejection::FormRejection},
    response::{Html, IntoResponse, Response},
};
use http::{StatusCode, header::LOCATION};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{answer::Answer, fault::PAGE};
use crate::{
    served::CloseConnection,
    servicenow::{
        Instance, TokenFault, TokenRequest,
        oauth::{Form, Issued, Refusal},
    },
};

type Pairs = Vec<(String, String)>;

/// Issues tokens; the parameters must be a form.
pub(super) async fn token(
    State(instance): State<Instance>,
    form: Result<FormBody<Pairs>, FormRejection>,
) -> Response {
    let form = form.map(|FormBody(pairs)| Form(pairs));
    let fault = instance.state().faults.take_token();
    match fault {
        None => issue(&instance, form).into_response(),
        Some(TokenFault::LostAnswer) => {
            issue(&instance, form);
            CloseConnection.into_response()
        }
        Some(fault) => {
            record(&instance, form.as_ref().ok(), false);
            wrong(fault).await
        }
    }
}

fn issue(instance: &Instance, form: Result<Form, FormRejection>) -> Answer {
    let Ok(form) = form else {
        let description = "the parameters are no application/x-www-form-urlencoded";
        record(instance, None, false);
        return refusal(StatusCode::BAD_REQUEST, "invalid_request", description);
    };
    let granted = {
        let state = &mut *instance.state();
        let now = state.clock.now();
        state.tokens.grant(&form, &state.settings, now)
    };
    record(instance, Some(&form), granted.is_ok());
    match granted {
        Ok(issued) => Answer::json(StatusCode::OK, &body(&issued)),
        Err(Refusal::Client) => refusal(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "the client id or the client secret is wrong",
        ),
        // ServiceNow says no more, whatever it denies.
        Err(Refusal::Denied) => refusal(StatusCode::UNAUTHORIZED, "server_error", "access_denied"),
        Err(Refusal::Grant) => refusal(
            StatusCode::UNAUTHORIZED,
            "unsupported_grant_type",
            "the grant type is unknown",
        ),
    }
}

fn record(instance: &Instance, form: Option<&Form>, granted: bool) {
    let state = &mut *instance.state();
    state.tokens.record(TokenRequest {
        grant: form.map_or("", |form| form.get("grant_type")).to_owned(),
        at: state.clock.now(),
        granted,
    });
}

fn body(issued: &Issued) -> Value {
    let mut body = json!({
        "access_token": issued.access_token,
        "scope": "useraccount",
        "token_type": "Bearer",
        "expires_in": issued.expires_in,
    });
    if let (Some(token), Some(body)) = (&issued.refresh_token, body.as_object_mut()) {
        body.insert("refresh_token".to_owned(), token.as_str().into());
    }
    body
}

fn refusal(status: StatusCode, error: &str, description: &str) -> Answer {
    Answer::json(
        status,
        &json!({"error_description": description, "error": error}),
    )
}

async fn wrong(fault: TokenFault) -> Response {
    match fault {
        TokenFault::Status(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            refusal(status, "server_error", "the simulator was told to fail").into_response()
        }
        TokenFault::ErrorWith200 => {
            refusal(StatusCode::OK, "invalid_grant", "the grant is not valid").into_response()
        }
        TokenFault::Html => Html(PAGE).into_response(),
        TokenFault::Empty => StatusCode::OK.into_response(),
        TokenFault::Hang => std::future::pending().await,
        TokenFault::CloseConnection | TokenFault::LostAnswer => CloseConnection.into_response(),
    }
}

/// Consents for the user, and sends a code to where the client waits for it.
pub(super) async fn authorize(
    State(instance): State<Instance>,
    Query(parameters): Query<Pairs>,
) -> Response {
    let parameters = Form(parameters);
    let state = &mut *instance.state();
    let redirect_uri = parameters.get("redirect_uri");
    let registered = state.settings.redirect_uri.as_deref();
    let complaint = if parameters.get("client_id") != state.settings.client_id {
        "Invalid client_id"
    } else if parameters.get("response_type") != "code" {
        "Invalid response_type"
    } else if redirect_uri.is_empty() || registered.is_some_and(|uri| uri != redirect_uri) {
        "Invalid redirect_uri"
    } else if parameters.get("state").is_empty() {
        "Missing State parameter in request"
    } else if !state.settings.consents {
        let error = [
            ("error", "access_denied"),
            ("state", parameters.get("state")),
        ];
        return redirect(redirect_uri, &error);
    } else {
        let code = state.tokens.issue_code(&parameters);
        let answer = [("code", code.as_str()), ("state", parameters.get("state"))];
        return redirect(redirect_uri, &answer);
    };
    (StatusCode::BAD_REQUEST, complaint).into_response()
}

fn redirect(uri: &str, answer: &[(&str, &str)]) -> Response {
    let separator = if uri.contains('?') { '&' } else { '?' };
    let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let pairs = answer
        .iter()
        .map(|(name, text)| format!("{name}={}", encoded(text)));
    let location = format!("{uri}{separator}{}", pairs.collect::<Vec<_>>().join("&"));
    (StatusCode::FOUND, [(LOCATION, location)]).into_response()
}
