use chrono::TimeDelta;
use serde_json::{Value, json};

use super::*;
use crate::{
    api::reasons,
    operator::{
        fake_api::{FakeApi, Fault},
        fixtures::{self, checkpoint},
    },
    telemetry::Metrics,
};

const PATH: &str = "/apis/pollen.dev/v1alpha1/namespaces/helpdesk/pollerresources/accounts";

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

fn progress(events: u64) -> Progress {
    Progress {
        updated: events,
        ..Progress::default()
    }
}

async fn ledger(api: &FakeApi, per_second: u32) -> Ledger {
    api.insert(PATH, json!({"metadata": {"namespace": "helpdesk", "name": "accounts", "uid": "uid-of-accounts"}}));
    let budget = WriteBudget::new(
        std::num::NonZeroU32::new(per_second).unwrap(),
        Metrics::default(),
    );
    tokio::spawn(budget.clone().dispense());
    let clock = Clock::starting_at(at(1_000));
    Ledger::open(
        api.client(),
        budget,
        clock,
        &fixtures::poller("accounts", "prod"),
    )
    .await
    .unwrap()
}

fn status(api: &FakeApi) -> Value {
    api.object(PATH)["status"].clone()
}

fn succeeded() -> Standing {
    Standing::ready(reasons::SUCCEEDED, "polls")
}

#[tokio::test(start_paused = true)]
async fn an_idle_poll_writes_nothing() {
    let api = FakeApi::default();
    let mut ledger = ledger(&api, 50).await;
    ledger
        .save(&checkpoint(1), &[], &progress(0))
        .await
        .unwrap();
    ledger.report(Some(&succeeded())).await.unwrap();
    let written = api.writes().len();
    ledger.end_poll();
    ledger
        .save(&checkpoint(1), &[], &progress(0))
        .await
        .unwrap();
    ledger.report(Some(&succeeded())).await.unwrap();
    assert_eq!(api.writes().len(), written);
}

#[tokio::test(start_paused = true)]
async fn events_are_counted_once_over_the_saves_of_a_poll_and_over_polls() {
    let api = FakeApi::default();
    let mut ledger = ledger(&api, 50).await;
    ledger
        .save(&checkpoint(1), &[], &progress(2))
        .await
        .unwrap();
    ledger
        .save(&checkpoint(2), &[], &progress(5))
        .await
        .unwrap();
    ledger.end_poll();
    ledger
        .save(&checkpoint(3), &[], &progress(1))
        .await
        .unwrap();
    assert_eq!(status(&api)["events"], 6);
}

#[tokio::test(start_paused = true)]
async fn a_watermark_in_the_future_is_shown_as_settled_now() {
    let api = FakeApi::default();
    let mut ledger = ledger(&api, 50).await;
    ledger
        .save(&checkpoint(2_000), &[], &progress(0))
        .await
        .unwrap();
    assert_eq!(status(&api)["lastSettled"], "1970-01-01T00:16:40Z");
}

#[tokio::test(start_paused = true)]
async fn without_room_in_the_budget_delivery_goes_on_and_the_report_carries_the_checkpoint() {
    let api = FakeApi::default();
    let mut ledger = ledger(&api, 1).await;
    ledger
        .save(&checkpoint(1), &[], &progress(1))
        .await
        .unwrap();
    let begun = Instant::now();
    ledger
        .save(&checkpoint(2), &[], &progress(2))
        .await
        .unwrap();
    ledger
        .save(&checkpoint(3), &[], &progress(3))
        .await
        .unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(api.writes().len(), 1);
    ledger.report(Some(&succeeded())).await.unwrap();
    assert_eq!(api.writes().len(), 2);
    assert_eq!(
        status(&api)["checkpoint"]["records"]["watermark"],
        "1970-01-01T00:00:03Z"
    );
    assert_eq!(status(&api)["events"], 3);
}

#[tokio::test(start_paused = true)]
async fn the_first_checkpoint_waits_for_the_budget() {
    let api = FakeApi::default();
    let mut ledger = ledger(&api, 1).await;
    ledger.budget.acquire(Write::Event).await;
    let begun = Instant::now();
    ledger
        .save(&checkpoint(1), &[], &progress(0))
        .await
        .unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(900));
    assert_eq!(api.writes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_checkpoint_is_kept_until_the_server_takes_it() {
    let api = FakeApi::default();
    let mut ledger = ledger(&api, 50).await;
    let outdated = Fault::Refused(
        400,
        "strict decoding error: unknown field \"status.checkpoint\"".into(),
    );
    api.fail_next(outdated.clone());
    assert!(matches!(
        ledger.save(&checkpoint(1), &[], &progress(1)).await,
        Err(StoreError::Refused(_))
    ));
    assert_eq!(
        ledger.refused().refusal().unwrap().reason,
        reasons::CRD_OUTDATED
    );
    api.fail_next(outdated);
    assert!(!ledger.retry_refused().await);
    assert!(ledger.retry_refused().await);
    assert_eq!(ledger.refused().refusal(), None);
    assert_eq!(
        status(&api)["checkpoint"]["records"]["watermark"],
        "1970-01-01T00:00:01Z"
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_lost_claim_the_next_poll_starts_from_what_is_stored() {
    let api = FakeApi::default();
    let mut ledger = ledger(&api, 50).await;
    assert_eq!(ledger.load().await, Ok(None));
    api.fail_next(Fault::Overtaken(
        json!({"status": {"checkpoint": checkpoint(9)}}),
    ));
    assert!(matches!(
        ledger.save(&checkpoint(1), &[], &progress(1)).await,
        Err(StoreError::ClaimLost(_))
    ));
    assert_eq!(ledger.load().await, Ok(Some(checkpoint(9))));
}

#[tokio::test(start_paused = true)]
async fn a_start_is_known_once_it_is_stored_and_not_before() {
    let api = FakeApi::default();
    let mut ledger = ledger(&api, 50).await;
    let stored = ledger.stored();
    let unknown = "strict decoding error: unknown field \"status.checkpoint\"";
    api.fail_next(Fault::Refused(400, unknown.into()));
    ledger
        .save(&checkpoint(1), &[], &progress(0))
        .await
        .unwrap_err();
    assert_eq!(stored.since(&checkpoint(1).query_fingerprint), None);
    ledger
        .save(&checkpoint(1), &[], &progress(0))
        .await
        .unwrap();
    assert_eq!(stored.since(&checkpoint(1).query_fingerprint), Some(at(1)));
}

#[tokio::test(start_paused = true)]
async fn what_was_put_off_is_stored_before_an_edited_poller_begins_from_what_is_stored() {
    let api = FakeApi::default();
    let mut ledger = ledger(&api, 1).await;
    ledger
        .save(&checkpoint(1), &[], &progress(1))
        .await
        .unwrap();
    ledger
        .save(&checkpoint(2), &[], &progress(2))
        .await
        .unwrap();
    ledger.begin(8).await.unwrap();
    assert_eq!(ledger.load().await.unwrap(), Some(checkpoint(2)));
    assert_eq!(status(&api)["events"], 2);
}
