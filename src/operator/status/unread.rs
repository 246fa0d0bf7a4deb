//! Conditions on an object whose status this release cannot read, and must not write over.

use chrono::{DateTime, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::Client;
use serde_json::{Value, json};

use super::{
    Reported, WriteError,
    conditions::Standing,
    request::{Failed, Target},
};
use crate::{
    api::Checkpoint,
    operator::{
        budget::{Write, WriteBudget},
        item::Item,
    },
};

/// Writes the conditions alone; the rest of the status goes back as it came. Answers whether there
/// was anything new to write.
pub(in crate::operator) async fn report_unread<K: Reported, S>(
    client: &Client,
    budget: &WriteBudget,
    item: &Item<S>,
    standing: &Standing,
    now: DateTime<Utc>,
) -> Result<bool, WriteError> {
    report_where::<K, S>(client, budget, item, standing, now, |_| true).await
}

/// Like [`report_unread`], for an object whose status the server refuses. A definition that lacks
/// fields shows what is stored without them, and a write would store it so: where `known`, the
/// checkpoint that is stored, would lose by it, nothing is written.
pub(in crate::operator) async fn report_refused<K: Reported, S>(
    client: &Client,
    budget: &WriteBudget,
    item: &Item<S>,
    standing: &Standing,
    known: Option<&Checkpoint>,
    now: DateTime<Utc>,
) -> Result<bool, WriteError> {
    let known = json!(known);
    let is_whole = |status: &Value| *status.get("checkpoint").unwrap_or(&Value::Null) == known;
    report_where::<K, S>(client, budget, item, standing, now, is_whole).await
}

async fn report_where<K: Reported, S>(
    client: &Client,
    budget: &WriteBudget,
    item: &Item<S>,
    standing: &Standing,
    now: DateTime<Utc>,
    may_be_stored: impl Fn(&Value) -> bool,
) -> Result<bool, WriteError> {
    let target = Target {
        namespace: item.key.namespace.clone(),
        name: item.key.name.clone(),
        uid: item.uid.clone(),
    };
    let found = target
        .get::<K>(client)
        .await
        .map_err(WriteError::Unavailable)?;
    let found = found.filter(|found| found.metadata.uid.as_ref() == Some(&item.uid));
    let Some(found) = found else { return Ok(false) };
    let before = found.status.unwrap_or_else(|| json!({}));
    let next = with_conditions(&before, standing, item.generation, now);
    if next == before || !may_be_stored(&before) {
        return Ok(false);
    }
    budget.acquire(Write::Condition).await;
    let version = found.metadata.resource_version.unwrap_or_default();
    match target.put::<K>(client, &version, &next).await {
        Ok(_) => Ok(true),
        Err(Failed::Refused(refusal)) => Err(WriteError::Refused(refusal)),
        Err(Failed::InDoubt(message)) => Err(WriteError::Unavailable(message)),
    }
}

fn with_conditions(
    before: &Value,
    standing: &Standing,
    generation: i64,
    now: DateTime<Utc>,
) -> Value {
    let read = |value: &Value| serde_json::from_value::<Vec<Condition>>(value.clone()).ok();
    let mut conditions = before.get("conditions").and_then(read).unwrap_or_default();
    standing.apply(&mut conditions, generation, now);
    let mut next = before.clone();
    if let Some(fields) = next.as_object_mut() {
        fields.insert("conditions".to_owned(), json!(conditions));
        fields.insert("observedGeneration".to_owned(), json!(generation));
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::{PollerResource, reasons},
        operator::{fake_api::FakeApi, fixtures},
        telemetry::Metrics,
    };

    fn outdated() -> Standing {
        Standing::stalled(reasons::CRD_OUTDATED, "apply the CRDs of this release")
    }

    async fn tell_refused(api: &FakeApi, known: &Checkpoint) -> bool {
        let budget = WriteBudget::new(std::num::NonZeroU32::MIN, Metrics::default());
        let known = Some(known);
        let item = fixtures::poller("accounts", "prod");
        let now = DateTime::UNIX_EPOCH;
        report_refused::<PollerResource, _>(&api.client(), &budget, &item, &outdated(), known, now)
            .await
            .unwrap()
    }

    fn with_checkpoint(api: &FakeApi, checkpoint: &Value) {
        let uid = "uid-of-accounts";
        let metadata = json!({"namespace": "helpdesk", "name": "accounts", "uid": uid});
        api.insert(
            PATH,
            json!({"metadata": metadata, "status": {"checkpoint": checkpoint}}),
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_told_without_what_the_server_refuses() {
        let (api, checkpoint) = (FakeApi::default(), fixtures::checkpoint(1));
        with_checkpoint(&api, &json!(checkpoint));
        assert!(tell_refused(&api, &checkpoint).await);
        let status = &api.object(PATH)["status"];
        assert_eq!(status["conditions"][0]["reason"], "CRDOutdated");
        assert_eq!(status["checkpoint"], json!(checkpoint));
    }

    #[tokio::test(start_paused = true)]
    async fn a_checkpoint_that_an_older_definition_shows_cut_is_not_stored_so() {
        let (api, checkpoint) = (FakeApi::default(), fixtures::checkpoint(1));
        let mut cut = json!(checkpoint);
        cut.as_object_mut().unwrap().remove("queryFingerprint");
        with_checkpoint(&api, &cut);
        assert!(!tell_refused(&api, &checkpoint).await);
        assert!(api.writes().is_empty());
    }

    const PATH: &str = "/apis/pollen.dev/v1alpha1/namespaces/helpdesk/pollerresources/accounts";

    #[tokio::test(start_paused = true)]
    async fn a_checkpoint_of_a_newer_release_is_left_as_it_is() {
        let api = FakeApi::default();
        let item = fixtures::poller("accounts", "prod");
        let checkpoint = json!({"version": 3, "what": "only a later release knows"});
        let metadata = json!({"namespace": "helpdesk", "name": "accounts", "uid": item.uid});
        api.insert(
            PATH,
            json!({"metadata": metadata, "status": {"checkpoint": checkpoint}}),
        );
        let budget = WriteBudget::new(std::num::NonZeroU32::MIN, Metrics::default());
        let standing = Standing::stalled(reasons::CHECKPOINT_TOO_NEW, "format 3");
        for _ in 0..2 {
            let now = DateTime::UNIX_EPOCH;
            report_unread::<PollerResource, _>(&api.client(), &budget, &item, &standing, now)
                .await
                .unwrap();
        }
        let status = &api.object(PATH)["status"];
        assert_eq!(status["checkpoint"], checkpoint);
        assert_eq!(status["conditions"][0]["reason"], "CheckpointTooNew");
        assert_eq!(api.writes().len(), 1);
    }
}
