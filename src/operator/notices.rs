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
    vocabulary::{conditions, reasons},
};

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
    pub(super) fn warning(reason: &str, note: impl Into<String>) -> Self {
        Self {
            warning: true,
            reason: reason.to_owned(),
            note: note.into(),
        }
    }

    fn normal(reason: &str, note: &str) -> Self {
        Self {
            warning: false,
            reason: reason.to_owned(),
            note: note.to_owned(),
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
    let mut notices: Vec<_> = after
        .iter()
        .filter(|condition| is_new(before, condition))
        .filter_map(|condition| tell(before, condition))
        .collect();
    if has(before, conditions::STALLED) && ready(after) {
        notices.push(Notice::normal(reasons::RECOVERED, "no longer stalled"));
    }
    // An instance whose credentials were refused is also stalled by it.
    notices.dedup_by(|later, earlier| later.reason == earlier.reason);
    notices
}

fn tell(before: &[Condition], condition: &Condition) -> Option<Notice> {
    let warning = || {
        Some(Notice::warning(
            &condition.reason,
            condition.message.as_str(),
        ))
    };
    match (condition.type_.as_str(), condition.status.as_str()) {
        (conditions::STALLED, _)
        | (conditions::AUTHENTICATED | conditions::CALLBACK_ACCEPTING, "False") => warning(),
        (conditions::AUTHENTICATED, "True") if was_false(before, condition) => Some(
            Notice::normal(reasons::AUTHENTICATION_RECOVERED, &condition.message),
        ),
        (conditions::CALLBACK_ACCEPTING, "True") if was_false(before, condition) => Some(
            Notice::normal(reasons::CALLBACK_RECOVERED, &condition.message),
        ),
        (conditions::READY, "True")
            if matches!(
                condition.reason.as_str(),
                reasons::FINDINGS | reasons::BAD_RECORDS
            ) =>
        {
            warning()
        }
        _ => None,
    }
}

fn is_new(before: &[Condition], condition: &Condition) -> bool {
    !before.iter().any(|earlier| {
        earlier.type_ == condition.type_
            && earlier.status == condition.status
            && earlier.reason == condition.reason
    })
}

fn was_false(before: &[Condition], condition: &Condition) -> bool {
    before
        .iter()
        .any(|earlier| earlier.type_ == condition.type_ && earlier.status == "False")
}

fn has(all: &[Condition], type_: &str) -> bool {
    all.iter().any(|condition| condition.type_ == type_)
}

fn ready(all: &[Condition]) -> bool {
    all.iter()
        .any(|condition| condition.type_ == conditions::READY && condition.status == "True")
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::operator::status::conditions::{Standing, set};

    fn conditions_of(standing: &Standing) -> Vec<Condition> {
        let mut all = Vec::new();
        standing.apply(&mut all, 1, DateTime::UNIX_EPOCH);
        all
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
        let stalled = conditions_of(&Standing::stalled(reasons::EVENT_REJECTED, "422"));
        assert_eq!(told(&healthy, &stalled), [reasons::EVENT_REJECTED]);
        assert!(told(&stalled, &stalled).is_empty());
        assert_eq!(told(&stalled, &healthy), [reasons::RECOVERED]);
    }

    #[test]
    fn refused_credentials_make_one_event_although_two_conditions_show_them() {
        let mut after = Vec::new();
        let reason = reasons::AUTHENTICATION_FAILED;
        set(
            &mut after,
            conditions::AUTHENTICATED,
            "False",
            reason,
            "invalid_grant",
            1,
            DateTime::UNIX_EPOCH,
        );
        Standing::stalled(reason, "invalid_grant").apply(&mut after, 1, DateTime::UNIX_EPOCH);
        assert_eq!(told(&[], &after), [reason]);
    }

    #[test]
    fn a_first_token_is_no_recovery() {
        let mut first = Vec::new();
        let (type_, epoch) = (conditions::AUTHENTICATED, DateTime::UNIX_EPOCH);
        set(&mut first, type_, "True", reasons::SUCCEEDED, "", 1, epoch);
        assert!(told(&[], &first).is_empty());
        let mut refused = first.clone();
        set(
            &mut refused,
            type_,
            "False",
            reasons::AUTHENTICATION_FAILED,
            "",
            1,
            epoch,
        );
        assert_eq!(told(&refused, &first), [reasons::AUTHENTICATION_RECOVERED]);
    }

    #[test]
    fn a_transient_failure_is_nobody_s_event() {
        let healthy = conditions_of(&Standing::ready(reasons::SUCCEEDED, ""));
        let mut failing = healthy.clone();
        Standing::transient(reasons::PROVIDER_FAILED, "503").apply(
            &mut failing,
            1,
            DateTime::UNIX_EPOCH,
        );
        assert!(told(&healthy, &failing).is_empty());
    }
}
