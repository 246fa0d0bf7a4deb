//! What an instance and its pollers should be doing, decided from their specs alone: no client
//! required.

use chrono::{DateTime, Utc};

use super::{
    cache::{InstanceItem, PollerItem},
    status::conditions::Standing,
};
use crate::api::{ConnectorInstanceStatus, reasons};

/// What should be done with an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// It should be at work.
    Run,
    /// It should be at rest, and its conditions should say why.
    Rest(Standing),
}

/// Plans an instance; `missing` are the Secrets that it names and that do not exist.
pub(super) fn instance(item: &InstanceItem, missing: &[String]) -> Plan {
    if item.spec.suspend == Some(true) {
        return Plan::Rest(Standing::ready(
            reasons::SUSPENDED,
            "suspended by spec.suspend",
        ));
    }
    if !events_enabled(item) {
        let message = "no events are wanted: set spec.events.enabled to true to poll";
        return Plan::Rest(Standing::ready(reasons::EVENTS_DISABLED, message));
    }
    if let Some(first) = missing.first() {
        let namespace = &item.key.namespace;
        let message = format!(
            "namespace {namespace:?} has no Secret {first:?}: create it there; one of another namespace does not count"
        );
        return Plan::Rest(Standing::waiting(reasons::SECRET_NOT_FOUND, message));
    }
    Plan::Run
}

/// Plans a poller of the instance called `name`; `instance` is that one's plan, `None` where it
/// does not exist.
pub(super) fn poller(item: &PollerItem, instance: Option<&Plan>) -> Plan {
    let name = &item.spec.instance_ref.name;
    if item.spec.suspend == Some(true) {
        return Plan::Rest(Standing::ready(
            reasons::SUSPENDED,
            "suspended by spec.suspend",
        ));
    }
    match instance {
        None => {
            let message = format!(
                "ConnectorInstance {name:?} does not exist in namespace {:?}",
                item.key.namespace
            );
            Plan::Rest(Standing::waiting(reasons::INSTANCE_NOT_FOUND, message))
        }
        Some(Plan::Run) => Plan::Run,
        // A rest that its user asked for is nobody's failure.
        Some(Plan::Rest(standing)) if standing.is_ready() => Plan::Rest(standing.clone()),
        Some(Plan::Rest(_)) => {
            let message =
                format!("ConnectorInstance {name:?} is not ready: its conditions say why");
            Plan::Rest(Standing::waiting(reasons::INSTANCE_NOT_READY, message))
        }
    }
}

fn events_enabled(item: &InstanceItem) -> bool {
    item.spec.events.as_ref().and_then(|events| events.enabled) == Some(true)
}

/// When the instance's events were first switched on; `None` while they never were.
///
/// An instance that is new to the operator had them on from its creation: nothing may be lost
/// between `kubectl apply` and the first look.
pub(super) fn events_enabled_at(
    item: &InstanceItem,
    status: &ConnectorInstanceStatus,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    if status.events_enabled_at.is_some() || !events_enabled(item) {
        return status.events_enabled_at;
    }
    Some(if status.observed_generation.is_none() {
        item.created_at
    } else {
        now
    })
}

/// The callback that is known to be gone, unless somebody has asked to resume delivery since.
pub(super) fn gone_callback(
    item: &InstanceItem,
    status: &ConnectorInstanceStatus,
) -> Option<String> {
    let asked = item.resume_delivery.is_some();
    let handled = item.resume_delivery == status.last_handled_resume;
    status.gone_callback.clone().filter(|_| !asked || handled)
}

/// The moment that `startFrom: Now` means for a poller.
pub(super) fn start_of(
    poller: &PollerItem,
    events_enabled_at: Option<DateTime<Utc>>,
) -> DateTime<Utc> {
    events_enabled_at.map_or(poller.created_at, |enabled| enabled.max(poller.created_at))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::operator::fixtures;

    fn reason(plan: &Plan) -> String {
        let Plan::Rest(standing) = plan else {
            return "runs".into();
        };
        let mut all = Vec::new();
        standing.apply(&mut all, 1, DateTime::UNIX_EPOCH);
        format!("{} {} {}", all[0].status, all[0].reason, all.len())
    }

    #[test]
    fn a_poller_without_its_instance_waits_and_is_not_stalled() {
        assert_eq!(
            reason(&poller(&fixtures::poller("accounts", "prod"), None)),
            "False InstanceNotFound 1"
        );
    }

    #[test]
    fn suspended_or_switched_off_is_a_ready_state_of_instance_and_pollers() {
        let accounts = fixtures::poller("accounts", "prod");
        let mut item = fixtures::instance("prod");
        item.spec.events = None;
        let plan = instance(&item, &[]);
        assert_eq!(reason(&plan), "True EventsDisabled 1");
        assert_eq!(
            reason(&poller(&accounts, Some(&plan))),
            "True EventsDisabled 1"
        );
        item.spec.suspend = Some(true);
        let plan = instance(&item, &[]);
        assert_eq!(reason(&poller(&accounts, Some(&plan))), "True Suspended 1");
    }

    #[test]
    fn a_suspended_poller_rests_while_its_instance_runs() {
        let mut accounts = fixtures::poller("accounts", "prod");
        assert_eq!(poller(&accounts, Some(&Plan::Run)), Plan::Run);
        accounts.spec.suspend = Some(true);
        assert_eq!(
            reason(&poller(&accounts, Some(&Plan::Run))),
            "True Suspended 1"
        );
    }

    #[test]
    fn pollers_wait_for_a_missing_secret_and_the_instance_names_it() {
        let plan = instance(&fixtures::instance("prod"), &["oauth".into()]);
        assert_eq!(reason(&plan), "False SecretNotFound 1");
        assert_eq!(
            reason(&poller(&fixtures::poller("a", "prod"), Some(&plan))),
            "False InstanceNotReady 1"
        );
    }

    #[test]
    fn now_is_when_events_were_first_switched_on() {
        let at = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let item = fixtures::instance("prod");
        let mut status = ConnectorInstanceStatus::default();
        assert_eq!(
            events_enabled_at(&item, &status, at(90)),
            Some(item.created_at),
            "on from the beginning"
        );
        status.observed_generation = Some(1);
        assert_eq!(
            events_enabled_at(&item, &status, at(90)),
            Some(at(90)),
            "seen off before"
        );
        status.events_enabled_at = Some(at(30));
        assert_eq!(
            events_enabled_at(&item, &status, at(90)),
            Some(at(30)),
            "once for all"
        );
        assert_eq!(
            start_of(&fixtures::poller("a", "prod"), Some(at(30))),
            at(30)
        );
    }

    #[test]
    fn a_callback_stays_gone_until_the_annotation_has_a_new_value() {
        let mut item = fixtures::instance("prod");
        let mut status = ConnectorInstanceStatus {
            gone_callback: Some("digest".into()),
            ..ConnectorInstanceStatus::default()
        };
        assert_eq!(gone_callback(&item, &status), status.gone_callback);
        item.resume_delivery = Some("1".into());
        assert_eq!(gone_callback(&item, &status), None);
        status.last_handled_resume = Some("1".into());
        assert_eq!(gone_callback(&item, &status), status.gone_callback);
    }
}
