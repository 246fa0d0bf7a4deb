//! Kubernetes events (`events.k8s.io`) for what a person should know.
//!
//! They are made of changes of conditions, which are stored: so nothing is told twice, not even
//! after a restart.

use k8s_openapi::{api::core::v1::ObjectReference, apimachinery::pkg::apis::meta::v1::Condition};
use kube::{
    Client, Resource,
    core::ApiResource,
    runtime::events::{Event, EventType, Recorder, Reporter},
};
use tokio::sync::mpsc;

use super::{
    budget::{Write, WriteBudget},
    item::{Item, Key},
    status::conditions::{READY, status_of},
};

use crate::{
    api::{
        conditions::find,
        reasons::{self, Reason},
    },
    poll::{How, SetAside},
};

const STALLED: &str = "Stalled";
const RECONCILING: &str = "Reconciling";

/// Events that may wait; above it they are dropped, since conditions say the same.
const QUEUE: usize = 256;
/// The server takes notes of at most a kilobyte.
const LONGEST_NOTE: usize = 1_000;

/// One thing that a person should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    warning: bool,
    reason: String,
    note: String,
}

impl Notice {
    pub(super) fn warning(reason: Reason, note: impl Into<String>) -> Self {
        Self {
            warning: true,
            reason: reason.as_str().to_owned(),
            note: note.into(),
        }
    }

    /// What became of an event that the callback refused.
    pub(super) fn of_refused(event: &SetAside) -> Self {
        let reason = match event.how {
            How::DeadLettered => reasons::EVENT_DEAD_LETTERED,
            How::Skipped => reasons::EVENT_SKIPPED,
        };
        Self::warning(reason, event.told())
    }

    fn of(condition: &Condition) -> Self {
        Self {
            warning: true,
            reason: condition.reason.clone(),
            note: condition.message.clone(),
        }
    }

    fn recovered(note: impl Into<String>) -> Self {
        Self {
            warning: false,
            reason: reasons::RECOVERED.as_str().to_owned(),
            note: note.into(),
        }
    }
}

/// Publishes events in the background; clones share one queue.
#[derive(Clone, Debug)]
pub(super) struct Notices(mpsc::Sender<(ObjectReference, Notice)>);

/// The queue's other end.
pub(super) struct Publisher {
    queue: mpsc::Receiver<(ObjectReference, Notice)>,
    recorder: Recorder,
    budget: WriteBudget,
}

impl Notices {
    pub(super) fn new(
        client: Client,
        controller: &str,
        identity: &str,
        budget: WriteBudget,
    ) -> (Self, Publisher) {
        let (sender, queue) = mpsc::channel(QUEUE);
        let reporter = Reporter {
            controller: controller.to_owned(),
            instance: Some(identity.to_owned()),
        };
        (
            Self(sender),
            Publisher {
                queue,
                recorder: Recorder::new(client, reporter),
                budget,
            },
        )
    }

    /// What an event about an object of kind `K` refers to.
    pub(super) fn about<K: Resource<DynamicType = ()>, S>(item: &Item<S>) -> ObjectReference {
        Self::subject(&ApiResource::erase::<K>(&()), &item.key, Some(&item.uid))
    }

    /// The same about one record, which `kubectl get events -o wide` shows as the subobject. Events
    /// about different records are not taken for repetitions of one.
    pub(super) fn about_record<K: Resource<DynamicType = ()>, S>(
        item: &Item<S>,
        record: &str,
    ) -> ObjectReference {
        ObjectReference {
            field_path: Some(format!("records{{{record}}}")),
            ..Self::about::<K, S>(item)
        }
    }

    pub(super) fn subject(kind: &ApiResource, key: &Key, uid: Option<&str>) -> ObjectReference {
        ObjectReference {
            api_version: Some(kind.api_version.clone()),
            kind: Some(kind.kind.clone()),
            namespace: Some(key.namespace.clone()),
            name: Some(key.name.clone()),
            uid: uid.map(str::to_owned),
            ..ObjectReference::default()
        }
    }

    /// Queues one event.
    pub(super) fn publish(&self, subject: ObjectReference, notice: Notice) {
        if self.0.try_send((subject, notice)).is_err() {
            tracing::debug!("a Kubernetes event is dropped: too many are waiting");
        }
    }
}

impl Publisher {
    /// Publishes what is queued, for ever.
    pub(super) async fn run(mut self) {
        while let Some((subject, notice)) = self.queue.recv().await {
            self.budget.acquire(Write::Event).await;
            let event = Event {
                type_: if notice.warning {
                    EventType::Warning
                } else {
                    EventType::Normal
                },
                action: "Reconcile".to_owned(),
                note: Some(notice.note.chars().take(LONGEST_NOTE / 4).collect()),
                reason: notice.reason,
                secondary: None,
            };
            match self.recorder.publish(&event, &subject).await {
                // A namespace that is being deleted refuses creations; there is nobody to tell.
                Err(kube::Error::Api(status)) if status.is_forbidden() || status.is_not_found() => {
                    tracing::debug!(%status, "a Kubernetes event was refused");
                }
                Err(error) => tracing::warn!(%error, "a Kubernetes event could not be published"),
                Ok(()) => {}
            }
        }
    }
}

/// What a change of conditions is worth telling.
pub(super) fn of_change(before: &[Condition], after: &[Condition]) -> Vec<Notice> {
    let new = after.iter().filter(|condition| is_new(before, condition));
    let mut notices: Vec<Notice> = Vec::new();
    let stalled = find(before, STALLED).is_some() && status_of(after, READY) == Some("True");
    let moved_again = stalled.then(|| Notice::recovered("no longer stalled"));
    for notice in new
        .filter_map(|condition| tell(before, condition))
        .chain(moved_again)
    {
        // An instance whose credentials were refused is also stalled by it.
        if !notices.iter().any(|told| told.reason == notice.reason) {
            notices.push(notice);
        }
    }
    notices
}

fn tell(before: &[Condition], condition: &Condition) -> Option<Notice> {
    let kind = condition.type_.as_str();
    let is_aspect = kind != READY && kind != STALLED && kind != RECONCILING;
    match condition.status.as_str() {
        "True" if kind == STALLED => Some(Notice::of(condition)),
        "True" if kind == READY && is_telling(&condition.reason) => Some(Notice::of(condition)),
        "True" if is_aspect && condition.reason == reasons::AUTHORIZATION_EXPIRING.as_str() => {
            Some(Notice::of(condition))
        }
        "True" if is_aspect && status_of(before, kind) == Some("False") => {
            Some(Notice::recovered(format!("{kind} again")))
        }
        "False" if is_aspect => Some(Notice::of(condition)),
        _ => None,
    }
}

/// Reasons of a ready object that a person should know nevertheless.
fn is_telling(reason: &str) -> bool {
    let telling = [
        reasons::FINDINGS,
        reasons::BAD_RECORDS,
        reasons::QUERY_EDITED,
        reasons::START_FROM_IGNORED,
        reasons::DELETES_HELD,
    ];
    telling.iter().any(|telling| telling.as_str() == reason)
}

fn is_new(before: &[Condition], condition: &Condition) -> bool {
    !before.iter().any(|earlier| {
        earlier.type_ == condition.type_
            && earlier.status == condition.status
            && earlier.reason == condition.reason
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::{
        api::conditions::{Aspect, Conditions, Status},
        operator::status::conditions::Standing,
    };

    fn conditions_of(standing: &Standing) -> Vec<Condition> {
        let mut all = Vec::new();
        standing.apply(&mut all, 1, DateTime::UNIX_EPOCH);
        all
    }

    fn with_aspect(before: &[Condition], status: Status, reason: Reason) -> Vec<Condition> {
        let mut all = Conditions::new(before.to_vec(), Some(1), DateTime::UNIX_EPOCH);
        all.set(Aspect::Authenticated, status, reason, "");
        all.into_vec()
    }

    #[test]
    fn a_refused_event_that_is_settled_names_its_record_and_events_of_two_are_no_series() {
        let skipped = SetAside {
            object_id: "r07".to_owned(),
            how: How::Skipped,
            status: 422,
            message: "the callback answered 422".to_owned(),
        };
        let notice = Notice::of_refused(&skipped);
        assert_eq!(notice.reason, "EventSkipped");
        assert!(
            notice.warning && notice.note.contains("\"r07\""),
            "{notice:?}"
        );
        let poller = crate::operator::fixtures::poller("accounts", "prod");
        let about = |record| {
            Notices::about_record::<crate::api::PollerResource, _>(&poller, record).field_path
        };
        assert_eq!(about("r07").as_deref(), Some("records{r07}"));
        assert_ne!(about("r07"), about("r08"));
    }

    fn told(before: &[Condition], after: &[Condition]) -> Vec<String> {
        of_change(before, after)
            .into_iter()
            .map(|notice| notice.reason)
            .collect()
    }

    #[test]
    fn a_poller_that_stalls_is_told_once_and_so_is_its_recovery() {
        let healthy = conditions_of(&Standing::ready(reasons::SUCCEEDED, ""));
        let stalled = conditions_of(&Standing::stalled(reasons::CALLBACK_REJECTED, "422"));
        assert_eq!(told(&healthy, &stalled), ["CallbackRejected"]);
        assert!(told(&stalled, &stalled).is_empty());
        assert_eq!(told(&stalled, &healthy), ["Recovered"]);
    }

    #[test]
    fn refused_credentials_make_one_event_although_two_conditions_show_them() {
        let reason = reasons::AUTHENTICATION_FAILED;
        let stalled = conditions_of(&Standing::stalled(reason, "invalid_grant"));
        assert_eq!(
            told(&[], &with_aspect(&stalled, Status::False, reason)),
            ["AuthenticationFailed"]
        );
    }

    #[test]
    fn a_first_token_is_no_recovery() {
        let first = with_aspect(&[], Status::True, reasons::SUCCEEDED);
        assert!(told(&[], &first).is_empty());
        let refused = with_aspect(&first, Status::False, reasons::AUTHENTICATION_FAILED);
        assert_eq!(told(&refused, &first), ["Recovered"]);
    }

    #[test]
    fn an_authorization_that_ends_soon_is_told_once_and_its_renewal_is_not() {
        let good = with_aspect(&[], Status::True, reasons::SUCCEEDED);
        let expiring = with_aspect(&good, Status::True, reasons::AUTHORIZATION_EXPIRING);
        assert_eq!(told(&good, &expiring), ["AuthorizationExpiring"]);
        assert!(told(&expiring, &expiring).is_empty());
        assert!(told(&expiring, &good).is_empty());
    }

    #[test]
    fn a_transient_failure_is_nobody_s_event() {
        let healthy = conditions_of(&Standing::ready(reasons::SUCCEEDED, ""));
        let mut failing = healthy.clone();
        Standing::transient(reasons::PROVIDER_UNAVAILABLE, "503").apply(
            &mut failing,
            1,
            DateTime::UNIX_EPOCH,
        );
        assert!(told(&healthy, &failing).is_empty());
    }
}
