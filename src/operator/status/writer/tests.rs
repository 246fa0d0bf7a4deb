use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::{
    api::{PollerResource, PollerResourceStatus, reasons},
    operator::{
        fake_api::{FakeApi, Fault},
        fixtures::checkpoint,
    },
    telemetry::Metrics,
};

const PATH: &str = "/apis/pollen.dev/v1alpha1/namespaces/helpdesk/pollerresources/accounts";

fn status(seconds: i64) -> PollerResourceStatus {
    PollerResourceStatus {
        checkpoint: Some(checkpoint(seconds)),
        ..PollerResourceStatus::default()
    }
}

fn object(status: &PollerResourceStatus) -> Value {
    json!({"metadata": {"namespace": "helpdesk", "name": "accounts", "uid": "u1"}, "status": status})
}

async fn open(api: &FakeApi) -> Result<StatusWriter<PollerResource>, OpenError> {
    let budget = WriteBudget::new(
        std::num::NonZeroU32::new(1_000).unwrap(),
        Metrics::default(),
    );
    StatusWriter::open(api.client(), budget, "helpdesk", "accounts", "u1").await
}

async fn opened(api: &FakeApi) -> StatusWriter<PollerResource> {
    api.insert(PATH, object(&status(1)));
    open(api).await.unwrap()
}

fn stored(api: &FakeApi) -> Value {
    api.object(PATH)["status"]["checkpoint"]["records"]["watermark"].clone()
}

#[tokio::test(start_paused = true)]
async fn a_write_asks_for_strict_validation_and_carries_the_version_read() {
    let api = FakeApi::default();
    let mut writer = opened(&api).await;
    writer.write(status(2), Write::Checkpoint).await.unwrap();
    writer.write(status(3), Write::Checkpoint).await.unwrap();
    let writes = api.writes();
    assert_eq!(
        writes[0].1,
        format!("{PATH}/status?fieldValidation=Strict&fieldManager=pollen")
    );
    assert_eq!(writes[0].2["metadata"]["resourceVersion"], "1");
    assert_eq!(writes[1].2["metadata"]["resourceVersion"], "2");
}

#[tokio::test(start_paused = true)]
async fn an_equal_status_is_not_written() {
    let api = FakeApi::default();
    let mut writer = opened(&api).await;
    writer.write(status(1), Write::Checkpoint).await.unwrap();
    assert!(api.writes().is_empty());
}

#[rstest]
#[case::an_edit_of_the_spec(Fault::Overtaken(json!({"spec": {"pageSize": 10}})), Ok(()))]
#[case::a_lost_answer(Fault::AnswerLost, Ok(()))]
#[case::a_server_s_hiccup(Fault::Refused(500, "etcd".into()), Ok(()))]
#[case::another_writer_s_checkpoint(
    Fault::Overtaken(json!({"status": status(9)})),
    Err(WriteError::Lost("another writer has stored a checkpoint".into()))
)]
#[case::a_new_object_of_that_name(
    Fault::Overtaken(json!({"metadata": {"uid": "u2"}})),
    Err(WriteError::Lost("another object has its name".into()))
)]
#[tokio::test(start_paused = true)]
async fn a_write_survives(#[case] fault: Fault, #[case] expected: Result<(), WriteError>) {
    let api = FakeApi::default();
    let mut writer = opened(&api).await;
    api.fail_next(fault);
    let written = writer.write(status(2), Write::Checkpoint).await;
    assert_eq!(written, expected);
    if written.is_ok() {
        assert_eq!(stored(&api), "1970-01-01T00:00:02Z");
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_stored_during_an_outage_is_not_taken_for_another_writer_s() {
    let api = FakeApi::default();
    let mut writer = opened(&api).await;
    writer.doubt(&status(2));
    api.insert(PATH, object(&status(2)));
    writer.write(status(3), Write::Checkpoint).await.unwrap();
    assert_eq!(stored(&api), "1970-01-01T00:00:03Z");
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_reported_and_not_retried_for_ever() {
    let api = FakeApi::default();
    let mut writer = opened(&api).await;
    for _ in 0..ATTEMPTS {
        api.fail_next(Fault::Refused(500, "etcd".into()));
    }
    let error = writer
        .write(status(2), Write::Checkpoint)
        .await
        .unwrap_err();
    assert_eq!(
        error,
        WriteError::Unavailable("writing the status of helpdesk/accounts: etcd".into())
    );
}

#[tokio::test(start_paused = true)]
async fn a_definition_that_lacks_our_fields_refuses_with_its_reason() {
    let api = FakeApi::default();
    let mut writer = opened(&api).await;
    api.fail_next(Fault::Refused(
        400,
        "strict decoding error: unknown field \"status.checkpoint\"".into(),
    ));
    let WriteError::Refused(refusal) = writer
        .write(status(2), Write::Checkpoint)
        .await
        .unwrap_err()
    else {
        panic!("not refused")
    };
    assert_eq!(refusal.reason, reasons::CRD_OUTDATED);
}

#[rstest]
#[case::another_uid(json!({"metadata": {"uid": "u2"}}), OpenError::Gone)]
#[case::a_newer_format(
    json!({"metadata": {"uid": "u1"}, "status": {"checkpoint": {"version": 3}}}),
    OpenError::CheckpointTooNew(3)
)]
#[case::a_newer_field(
    json!({"metadata": {"uid": "u1"}, "status": {"checkpoint": with("cursor", json!({"at": 1}))}}),
    OpenError::UnknownField("status.checkpoint.cursor".into())
)]
#[case::a_lost_checkpoint(
    json!({"metadata": {"uid": "u1"}, "status": {"lastSettled": "2026-01-01T00:00:00Z"}}),
    OpenError::Unreadable(
        "status.checkpoint is missing, though status.lastSettled shows that it was there".into()
    )
)]
#[case::a_checkpoint_cut_short(
    json!({"metadata": {"uid": "u1"}, "status": {"checkpoint": {"version": 1, "uid": "u1"}}}),
    OpenError::Unreadable("missing field `queryFingerprint`".into())
)]
#[tokio::test(start_paused = true)]
async fn what_cannot_be_taken_over_is_left_alone(
    #[case] object: Value,
    #[case] expected: OpenError,
) {
    let api = FakeApi::default();
    api.insert(PATH, object);
    assert_eq!(open(&api).await.err(), Some(expected));
}

/// A checkpoint with one more field.
fn with(field: &str, value: Value) -> Value {
    let mut stored = json!(checkpoint(1));
    stored[field] = value;
    stored
}
