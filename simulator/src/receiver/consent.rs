//! The receiver's side of the validation handshake of the CloudEvents web hook specification.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

const ALLOWED_ORIGIN: HeaderName = HeaderName::from_static("webhook-allowed-origin");
const ALLOWED_RATE: HeaderName = HeaderName::from_static("webhook-allowed-rate");

/// What is said to who asks for leave to post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consent {
    /// These values of `WebHook-Allowed-Origin` and `WebHook-Allowed-Rate`.
    Granted {
        origin: String,
        rate: Option<String>,
    },
    /// This status, and none of the headers.
    Withheld(u16),
}

impl Default for Consent {
    fn default() -> Self {
        let origin = "*".to_owned();
        Self::Granted { origin, rate: None }
    }
}

impl Consent {
    fn response(&self) -> Response {
        match self {
            Self::Withheld(status) => StatusCode::from_u16(*status)
                .unwrap_or(StatusCode::NOT_IMPLEMENTED)
                .into_response(),
            Self::Granted { origin, rate } => {
                let mut response = StatusCode::OK.into_response();
                let given = [
                    (ALLOWED_ORIGIN, Some(origin)),
                    (ALLOWED_RATE, rate.as_ref()),
                ];
                for (name, value) in given {
                    let value = value.and_then(|value| HeaderValue::from_str(value).ok());
                    response
                        .headers_mut()
                        .extend(value.map(|value| (name, value)));
                }
                response
            }
        }
    }
}

/// A request for leave.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub headers: HeaderMap,
}

/// Who asked, and what is answered.
#[derive(Default)]
pub(super) struct Consents(Mutex<(Consent, Vec<Asked>)>);

impl Consents {
    pub(super) fn set(&self, consent: Consent) {
        self.lock().0 = consent;
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.lock().1.clone()
    }

    pub(super) fn answer(&self, asked: Asked) -> Response {
        let mut state = self.lock();
        state.1.push(asked);
        state.0.response()
    }

    fn lock(&self) -> MutexGuard<'_, (Consent, Vec<Asked>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
