//! A callback's leave to post to it: the sender's side of the validation handshake of the CloudEvents
//! web hook specification (section 4).

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::{
    sync::{Mutex, MutexGuard},
    time::{Instant, sleep_until},
};

use super::{Delivery, Unavailable, retry::Attempt};
use crate::{
    api::{self, EventFormat, HandshakeMode},
    category::ConfigurationError,
};

pub(super) const REQUEST_ORIGIN: HeaderName = HeaderName::from_static("webhook-request-origin");
const ALLOWED_ORIGIN: HeaderName = HeaderName::from_static("webhook-allowed-origin");
const ALLOWED_RATE: HeaderName = HeaderName::from_static("webhook-allowed-rate");

/// Who asks, where the spec says nothing.
const ORIGIN: &str = "pollen.dev";

/// Notifications that wait for one answer take it, and do not ask again one after the other.
const ANSWER_STANDS: Duration = Duration::from_secs(1);

/// What a callback has said to who would post to it.
#[derive(Debug)]
pub(super) struct Permission {
    origin: HeaderValue,
    /// Locked while the callback is asked, so that it is asked once.
    standing: Mutex<Standing>,
    /// When the next notification may go.
    next: Mutex<Instant>,
}

/// Where the handshake stands.
#[derive(Debug)]
pub(super) enum Standing {
    Unasked,
    Granted(Rate),
    /// No answer came, or one that grants nothing.
    Withheld {
        outcome: Withheld,
        until: Instant,
    },
}

/// What becomes of a notification that may not be posted now.
pub(super) type Withheld = Attempt<Delivery, Unavailable>;

/// How often a callback lets itself be posted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate(
    /// Between two notifications; none where there is no limit.
    Option<Duration>,
);

impl Permission {
    /// What the spec asks for; `None` where the callback is not asked.
    pub(super) fn new(spec: &api::Callback) -> Result<Option<Self>, ConfigurationError> {
        let given = spec.handshake.as_ref();
        let mode = given.and_then(|handshake| handshake.mode);
        let is_required = mode.map_or_else(
            || !matches!(spec.format, None | Some(EventFormat::OpenConnectors)),
            |mode| mode == HandshakeMode::Required,
        );
        if !is_required {
            return Ok(None);
        }
        let origin = given.and_then(|handshake| handshake.origin.as_deref());
        let origin = HeaderValue::from_str(origin.unwrap_or(ORIGIN)).map_err(|_| {
            ConfigurationError::new(
                "spec.events.callback.handshake.origin",
                "this is no host's name: write one such as events.example.com",
            )
        })?;
        Ok(Some(Self {
            origin,
            standing: Mutex::new(Standing::Unasked),
            next: Mutex::new(Instant::now()),
        }))
    }

    /// What `WebHook-Request-Origin` says, in the question and with each notification.
    pub(super) const fn origin(&self) -> &HeaderValue {
        &self.origin
    }

    /// The origin as text.
    pub(super) fn name(&self) -> &str {
        self.origin.to_str().unwrap_or_default()
    }

    /// Where the handshake stands, for who may have to carry it on.
    pub(super) async fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().await
    }

    /// Waits for the turn of the next notification.
    pub(super) async fn turn(&self, Rate(pause): Rate) {
        let Some(pause) = pause else { return };
        let mut next = self.next.lock().await;
        sleep_until(*next).await;
        *next = Instant::now() + pause;
    }

    /// What the headers of an answer grant.
    ///
    /// # Errors
    ///
    /// What is missing or wrong in them, as the end of a sentence about the callback. The status says
    /// nothing: who knows nothing of the handshake may answer with any.
    pub(super) fn granted(&self, headers: &HeaderMap) -> Result<Rate, String> {
        let text = |name: HeaderName| headers.get(name).map(HeaderValue::to_str);
        let allowed = match text(ALLOWED_ORIGIN) {
            None => return Err("has no WebHook-Allowed-Origin".to_owned()),
            Some(allowed) => allowed.unwrap_or_default().trim(),
        };
        if allowed != "*" && !allowed.eq_ignore_ascii_case(self.name()) {
            return Err(format!("allows {allowed:?} alone"));
        }
        match text(ALLOWED_RATE) {
            None => Ok(Rate(None)),
            Some(rate) => Rate::read(rate.unwrap_or_default().trim()),
        }
    }
}

impl Standing {
    /// What an answer, or its absence, comes to as of now.
    pub(super) fn of(answer: Result<Rate, Withheld>) -> Self {
        match answer {
            Ok(rate) => Self::Granted(rate),
            Err(outcome) => Self::Withheld {
                outcome,
                until: Instant::now() + ANSWER_STANDS,
            },
        }
    }

    /// What holds now without asking again.
    pub(super) fn holds(&self) -> Option<Result<Rate, Withheld>> {
        match self {
            Self::Granted(rate) => Some(Ok(*rate)),
            Self::Withheld { outcome, until } if *until > Instant::now() => {
                Some(Err(outcome.clone()))
            }
            Self::Unasked | Self::Withheld { .. } => None,
        }
    }
}

impl Rate {
    /// A number of requests per minute, or `*`.
    fn read(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self(None));
        }
        match text.parse::<u32>() {
            Ok(rate) if rate > 0 => Ok(Self(Some(Duration::from_secs(60) / rate))),
            _ => Err(format!(
                "allows the rate {text:?}, which is neither a number of requests per minute nor *"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn permission(spec: Value) -> Option<Permission> {
        let mut whole = json!({"url": "https://a.example"});
        for (field, value) in spec.as_object().unwrap() {
            whole[field] = value.clone();
        }
        Permission::new(&serde_json::from_value(whole).unwrap()).unwrap()
    }

    fn required() -> Permission {
        permission(json!({"format": "CloudEvents"})).unwrap()
    }

    #[tokio::test]
    async fn a_callback_is_asked_where_the_format_or_the_spec_says_so() {
        for (spec, origin) in [
            (json!({}), None),
            (json!({"format": "OpenConnectors"}), None),
            (json!({"format": "CloudEvents"}), Some("pollen.dev")),
            (json!({"format": "CloudEventsBatch"}), Some("pollen.dev")),
            (
                json!({"format": "CloudEvents", "handshake": {"mode": "Skip"}}),
                None,
            ),
            (
                json!({"handshake": {"mode": "Required", "origin": "a.example"}}),
                Some("a.example"),
            ),
            (json!({"handshake": {"origin": "a.example"}}), None),
        ] {
            let permission = permission(spec.clone());
            assert_eq!(permission.as_ref().map(Permission::name), origin, "{spec}");
        }
    }

    #[rstest]
    #[case::anyone(&[("webhook-allowed-origin", "*")], Ok(None))]
    #[case::by_name(&[("webhook-allowed-origin", "Pollen.DEV")], Ok(None))]
    #[case::any_rate(&[("webhook-allowed-origin", "*"), ("webhook-allowed-rate", "*")], Ok(None))]
    #[case::a_rate(&[("webhook-allowed-origin", "*"), ("webhook-allowed-rate", "120")], Ok(Some(500)))]
    #[case::nothing(&[("allow", "POST, OPTIONS")], Err("has no WebHook-Allowed-Origin"))]
    #[case::another(&[("webhook-allowed-origin", "other.example")], Err("allows \"other.example\" alone"))]
    #[case::a_list(&[("webhook-allowed-origin", "pollen.dev, other.example")], Err("alone"))]
    #[case::no_rate(&[("webhook-allowed-origin", "*"), ("webhook-allowed-rate", "0")], Err("the rate \"0\""))]
    #[case::nonsense(&[("webhook-allowed-origin", "*"), ("webhook-allowed-rate", "fast")], Err("the rate \"fast\""))]
    #[tokio::test]
    async fn an_answer_grants_what_its_headers_say(
        #[case] headers: &[(&'static str, &str)],
        #[case] expected: Result<Option<u64>, &str>,
    ) {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        let granted = required().granted(&headers.collect());
        match (granted, expected) {
            (Ok(Rate(pause)), Ok(millis)) => {
                assert_eq!(pause, millis.map(Duration::from_millis));
            }
            (Err(why), Err(words)) => assert!(why.contains(words), "{why}"),
            (granted, expected) => panic!("{granted:?}, expected {expected:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn notifications_keep_to_the_rate_however_many_wait() {
        let (permission, start) = (required(), Instant::now());
        let rate = Rate::read("60").unwrap();
        let turns = (0..5).map(|_| permission.turn(rate));
        futures::future::join_all(turns).await;
        assert_eq!(start.elapsed().as_secs(), 4);
        permission.turn(Rate(None)).await;
        assert_eq!(start.elapsed().as_secs(), 4);
    }
}
