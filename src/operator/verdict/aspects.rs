//! What an instance's state means for `Authenticated` and `CallbackAccepting`.

use chrono::{DateTime, SecondsFormat, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::{needs_a_person, of_callback_failure};
use crate::{
    api::{
        conditions::{Aspect, Conditions, Status, find},
        reasons::{self, Reason},
    },
    fleet::InstanceState,
};

/// Why an aspect is true or false, and what a person should know.
type Said<'a> = Result<(Reason, String), (Reason, &'a str)>;

/// What an instance's aspects tell beside its state.
#[derive(Clone, Debug, Default)]
pub(in crate::operator) struct Circumstances {
    /// When the refresh token ends, if that is soon.
    pub(in crate::operator) reauthorization_due: Option<DateTime<Utc>>,
    /// Events are posted over plain http.
    pub(in crate::operator) plain_callback: bool,
    /// So are dead letters, and not to this machine.
    pub(in crate::operator) plain_dead_letters: bool,
    /// What is odd about the keys by which events are signed.
    pub(in crate::operator) doubts: Vec<String>,
}

impl Circumstances {
    fn of_credentials(&self) -> (Reason, String) {
        let Some(end) = self.reauthorization_due else {
            return (reasons::SUCCEEDED, String::new());
        };
        let end = end.to_rfc3339_opts(SecondsFormat::Secs, true);
        let message = format!(
            "the provider's authorization ends at {end}: authorize again before, with `pollen authorize` or by a new \
             code or refresh token in the Secret that spec.authentication.secretRef names"
        );
        (reasons::AUTHORIZATION_EXPIRING, message)
    }

    fn of_callback(&self) -> (Reason, String) {
        let plain = "events are posted over plain http, readable on the way: write https in \
                     spec.events.callback.url";
        let plain_letters = "dead letters are posted over plain http, readable on the way: write https in \
                             spec.events.callback.deadLetter.url";
        let plain = [
            self.plain_callback.then_some(plain),
            self.plain_dead_letters.then_some(plain_letters),
        ];
        let plain = plain.into_iter().flatten();
        let reason = match (plain.clone().next(), self.doubts.as_slice()) {
            (Some(_), _) => reasons::CALLBACK_UNENCRYPTED,
            (None, [_, ..]) => reasons::SIGNING_KEY_DOUBTFUL,
            (None, []) => reasons::SUCCEEDED,
        };
        let doubts = self.doubts.iter().map(String::as_str);
        let told: Vec<_> = plain.chain(doubts).collect();
        (reason, told.join("; "))
    }
}

/// Writes `Authenticated` and `CallbackAccepting`, as far as they are known.
pub(in crate::operator) fn set_aspects(
    state: &InstanceState,
    known: &Circumstances,
    all: &mut Vec<Condition>,
    generation: i64,
    now: DateTime<Utc>,
) {
    let was_resumed = was_resumed(state, all);
    let mut conditions = Conditions::new(std::mem::take(all), Some(generation), now);
    if was_resumed {
        let message = "delivery goes on: nothing has been answered yet";
        let (aspect, reason) = (Aspect::CallbackAccepting, reasons::PROGRESSING);
        conditions.set(aspect, Status::Unknown, reason, message);
    }
    let mut set = |aspect, said: Option<Said<'_>>| match said {
        Some(Ok((reason, message))) => conditions.set(aspect, Status::True, reason, &message),
        Some(Err((reason, message))) => conditions.set(aspect, Status::False, reason, message),
        None => {}
    };
    let authenticated = match &state.authenticated {
        Some(Ok(())) => Some(Ok(known.of_credentials())),
        Some(Err(failure)) if needs_a_person(failure.category) => Some(Err((
            reasons::AUTHENTICATION_FAILED,
            failure.message.as_str(),
        ))),
        // A provider that is down says nothing of the credentials.
        Some(Err(_)) | None => None,
    };
    set(Aspect::Authenticated, authenticated);
    let callback = state.callback.as_ref().map(|answered| match answered {
        Ok(()) => Ok(known.of_callback()),
        Err(failure) if state.callback_gone => Err((reasons::CALLBACK_GONE, failure.message())),
        Err(failure) => Err((of_callback_failure(failure), failure.message())),
    });
    set(Aspect::CallbackAccepting, callback);
    *all = conditions.into_vec();
}

/// The callback was gone, and delivery has been resumed since without an answer yet.
fn was_resumed(state: &InstanceState, all: &[Condition]) -> bool {
    let accepting = find(all, Aspect::CallbackAccepting.as_str());
    let was_gone =
        accepting.is_some_and(|condition| condition.reason == reasons::CALLBACK_GONE.as_str());
    was_gone && state.callback.is_none()
}
