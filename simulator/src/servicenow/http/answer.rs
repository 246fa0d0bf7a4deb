//! What the REST API answers.

use axum::response::{IntoResponse, Response};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONTENT_TYPE, IntoHeaderName, WWW_AUTHENTICATE},
};
use serde_json::json;

const JSON: HeaderValue = HeaderValue::from_static("application/json;charset=UTF-8");

/// An answer whose rows are still apart, so that a fault can come between them.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Body(Vec<u8>),
    /// Rows of a list, each in JSON.
    Rows(Vec<Vec<u8>>),
}

impl Answer {
    pub(super) fn new(content: Content) -> Self {
        Self {
            status: StatusCode::OK,
            headers: HeaderMap::from_iter([(CONTENT_TYPE, JSON)]),
            content,
        }
    }

    pub(super) fn json(status: StatusCode, body: &serde_json::Value) -> Self {
        let answer = Self::new(Content::Body(body.to_string().into_bytes()));
        Self { status, ..answer }
    }

    pub(super) fn error(status: StatusCode, message: &str, detail: Option<&str>) -> Self {
        let error = json!({"message": message, "detail": detail});
        Self::json(status, &json!({"error": error, "status": "failure"}))
    }

    pub(super) fn unauthorized() -> Self {
        let detail = "Required to provide Auth information";
        let answer = Self::error(
            StatusCode::UNAUTHORIZED,
            "User Not Authenticated",
            Some(detail),
        );
        let challenge = HeaderValue::from_static(r#"BASIC realm="Service-now""#);
        answer.with(WWW_AUTHENTICATE, Some(challenge))
    }

    pub(super) fn invalid_table(name: &str) -> Self {
        Self::error(
            StatusCode::BAD_REQUEST,
            &format!("Invalid table {name}"),
            None,
        )
    }

    pub(super) fn forbidden() -> Self {
        let detail = "ACL Exception Query Failed due to security constraints";
        Self::error(StatusCode::FORBIDDEN, "Operation Failed", Some(detail))
    }

    pub(super) fn no_record() -> Self {
        let detail = "Record doesn't exist or ACL restricts the record retrieval";
        Self::error(StatusCode::NOT_FOUND, "No Record found", Some(detail))
    }

    pub(super) fn unsupported(part: &str) -> Self {
        let message = format!("the simulator cannot carry out {part} of sysparm_query");
        Self::error(StatusCode::NOT_IMPLEMENTED, &message, None)
    }

    /// With a header, if there is a value for it.
    pub(super) fn with(mut self, name: impl IntoHeaderName, value: Option<HeaderValue>) -> Self {
        if let Some(value) = value {
            self.headers.insert(name, value);
        }
        self
    }
}

impl Content {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Body(body) => body,
            Self::Rows(rows) => list(&rows, "}"),
        }
    }
}

/// The body of a list, up to what comes behind its last row's bracket.
pub(super) fn list(rows: &[Vec<u8>], end: &str) -> Vec<u8> {
    let mut body = br#"{"result":["#.to_vec();
    body.extend(rows.join(&b','));
    body.push(b']');
    body.extend(end.as_bytes());
    body
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.status, self.headers, self.content.into_bytes()).into_response()
    }
}
