use std::num::NonZeroU32;

use http::Method;
use serde_json::{Value, json};

use super::*;
use crate::{
    api::{CHECKPOINT_VERSION, Checkpoint, Window, WindowSegment, reasons},
    clock::Clock,
    operator::{
        fake_api::{FakeApi, Fault},
        fixtures::{self, checkpoint},
        ledger::Ledger,
    },
    poll::Progress,
    telemetry::Metrics,
};

const POLLER: &str = "/apis/pollen.dev/v1alpha1/namespaces/helpdesk/pollerresources/accounts";
const WINDOWS: &str = "/apis/pollen.dev/v1alpha1/namespaces/helpdesk/pollerwindows";

async fn ledger(api: &FakeApi, per_second: u32) -> Ledger {
    if api.object(POLLER).is_null() {
        let metadata =
            json!({"namespace": "helpdesk", "name": "accounts", "uid": "uid-of-accounts"});
        api.insert(POLLER, json!({ "metadata": metadata }));
    }
    let budget = WriteBudget::new(NonZeroU32::new(per_second).unwrap(), Metrics::default());
    tokio::spawn(budget.clone().dispense());
    let (clock, item) = (Clock::system(), fixtures::poller("accounts", "prod"));
    Ledger::open(api.client(), budget, clock, &item)
        .await
        .unwrap()
}

/// A checkpoint of this second that names these segments.
fn naming(second: i64, segments: &[&Segment]) -> Checkpoint {
    let mut checkpoint = checkpoint(second);
    let named = segments.iter().map(|segment| WindowSegment {
        name: segment.name().to_string(),
        since: checkpoint.started_at,
        until: checkpoint.started_at,
        count: 1,
    });
    checkpoint.version = CHECKPOINT_VERSION;
    checkpoint.records.window = Some(Window {
        key: String::new(),
        count: 1,
        entries: String::new(),
        segments: named.collect(),
    });
    checkpoint
}

async fn save(
    ledger: &mut Ledger,
    second: i64,
    all: &[&Segment],
    new: &[&Segment],
) -> Result<(), StoreError> {
    let new: Vec<_> = new.iter().map(|segment| (*segment).clone()).collect();
    ledger
        .save(&naming(second, all), &new, &Progress::default())
        .await
}

fn path(segment: &Segment) -> String {
    format!("{WINDOWS}/uid-of-accounts-{}", segment.name())
}

/// The writes so far: the method, and `status` or the segment's name.
fn writes(api: &FakeApi) -> Vec<(Method, String)> {
    let name = |path: &str, body: &Value| match body["metadata"]["name"].as_str() {
        Some(name) if name.starts_with("uid-") => name.to_owned(),
        _ if path.contains("/status") => "status".to_owned(),
        _ => path
            .rsplit('/')
            .next()
            .unwrap()
            .trim_end_matches('?')
            .to_owned(),
    };
    let writes = api.writes().into_iter();
    writes
        .map(|(method, path, body)| (method, name(&path, &body)))
        .collect()
}

fn object_name(segment: &Segment) -> String {
    format!("uid-of-accounts-{}", segment.name())
}

#[tokio::test(start_paused = true)]
async fn segments_are_stored_before_their_checkpoint_and_removed_behind_it() {
    let api = FakeApi::default();
    let mut ledger = ledger(&api, 50).await;
    let (first, second) = (Segment::of("first"), Segment::of("second"));
    save(&mut ledger, 1, &[&first], &[&first]).await.unwrap();
    save(&mut ledger, 2, &[&second], &[&second]).await.unwrap();
    let wanted = [
        (Method::POST, object_name(&first)),
        (Method::PUT, "status".to_owned()),
        (Method::POST, object_name(&second)),
        (Method::PUT, "status".to_owned()),
        (Method::DELETE, object_name(&first)),
    ];
    assert_eq!(writes(&api), wanted);
    assert_eq!(
        ledger.segments.reader().read(second.name()).await,
        Ok(Some(second.content().clone()))
    );
    assert_eq!(ledger.segments.reader().read(first.name()).await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn an_object_belongs_to_its_poller_and_says_so() {
    let api = FakeApi::default();
    let mut ledger = ledger(&api, 50).await;
    let segment = Segment::of("first");
    save(&mut ledger, 1, &[&segment], &[&segment])
        .await
        .unwrap();
    let object = api.object(&path(&segment));
    let owner = json!([{
        "apiVersion": "pollen.dev/v1alpha1",
        "kind": "PollerResource",
        "name": "accounts",
        "uid": "uid-of-accounts",
        "controller": true,
    }]);
    assert_eq!(object["metadata"]["ownerReferences"], owner);
    assert_eq!(
        object["metadata"]["labels"][POLLER_UID_LABEL],
        "uid-of-accounts"
    );
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_that_is_not_stored_removes_nothing_and_its_segments_serve_the_next() {
    let api = FakeApi::default();
    let mut ledger = ledger(&api, 50).await;
    let (first, second) = (Segment::of("first"), Segment::of("second"));
    save(&mut ledger, 1, &[&first], &[&first]).await.unwrap();
    // The segment is created; then the status is refused.
    api.fail_next(Fault::None);
    api.fail_next(Fault::Refused(400, "strict decoding error".into()));
    save(&mut ledger, 2, &[&second], &[&second])
        .await
        .unwrap_err();
    assert!(!api.object(&path(&first)).is_null() && !api.object(&path(&second)).is_null());
    save(&mut ledger, 3, &[&second], &[&second]).await.unwrap();
    assert!(api.object(&path(&first)).is_null() && !api.object(&path(&second)).is_null());
}

#[tokio::test(start_paused = true)]
async fn what_a_crash_left_goes_with_the_next_checkpoint() {
    let api = FakeApi::default();
    let (named, orphan) = (Segment::of("named"), Segment::of("orphan"));
    let mut crashed = ledger(&api, 50).await;
    save(&mut crashed, 1, &[&named], &[&named]).await.unwrap();
    api.fail_next(Fault::None);
    api.fail_next(Fault::Refused(400, "strict decoding error".into()));
    save(&mut crashed, 2, &[&named, &orphan], &[&orphan])
        .await
        .unwrap_err();
    assert!(!api.object(&path(&orphan)).is_null());
    let mut next = ledger(&api, 50).await;
    save(&mut next, 3, &[&named], &[]).await.unwrap();
    assert!(api.object(&path(&orphan)).is_null());
    assert!(!api.object(&path(&named)).is_null());
}

#[tokio::test(start_paused = true)]
async fn without_room_in_the_budget_segments_wait_with_their_checkpoint() {
    let api = FakeApi::default();
    let mut ledger = ledger(&api, 1).await;
    ledger
        .save(&checkpoint(1), &[], &Progress::default())
        .await
        .unwrap();
    let (first, second) = (Segment::of("first"), Segment::of("second"));
    save(&mut ledger, 2, &[&first], &[&first]).await.unwrap();
    save(&mut ledger, 3, &[&first, &second], &[&second])
        .await
        .unwrap();
    assert_eq!(writes(&api).len(), 1);
    ledger.report(None).await.unwrap();
    for segment in [&first, &second] {
        assert!(!api.object(&path(segment)).is_null());
    }
    assert_eq!(writes(&api).last().unwrap().1, "status");
}

#[tokio::test(start_paused = true)]
async fn a_segment_whose_answer_was_lost_is_stored_once() {
    let api = FakeApi::default();
    let mut ledger = ledger(&api, 50).await;
    let segment = Segment::of("first");
    api.fail_next(Fault::AnswerLost);
    save(&mut ledger, 1, &[&segment], &[&segment])
        .await
        .unwrap();
    assert!(!api.object(&path(&segment)).is_null());
}

#[tokio::test(start_paused = true)]
async fn a_name_that_something_else_has_is_told_and_tried_again() {
    let api = FakeApi::default();
    let mut ledger = ledger(&api, 50).await;
    let segment = Segment::of("first");
    let other = json!({"metadata": {"name": object_name(&segment)}, "spec": {"content": "AAAA"}});
    api.insert(&path(&segment), other);
    let refused = save(&mut ledger, 1, &[&segment], &[&segment]).await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
    let refusal = ledger.refused().refusal().unwrap();
    assert!(refusal.message.contains("delete it"), "{}", refusal.message);
    assert!(!ledger.retry_refused().await);
    api.remove(&path(&segment));
    assert!(ledger.retry_refused().await);
    assert_eq!(ledger.refused().refusal(), None);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_without_the_kind_is_told_to_get_it() {
    let api = FakeApi::default();
    let mut ledger = ledger(&api, 50).await;
    let segment = Segment::of("first");
    api.fail_next(Fault::Refused(404, "404 page not found".into()));
    let refused = save(&mut ledger, 1, &[&segment], &[&segment]).await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
    assert_eq!(
        ledger.refused().refusal().unwrap().reason,
        reasons::CRD_OUTDATED
    );
}

#[tokio::test(start_paused = true)]
async fn what_no_checkpoint_names_is_bounded_while_the_budget_is_always_short() {
    let api = FakeApi::default();
    let mut ledger = ledger(&api, 1).await;
    ledger.segments.look().await;
    for second in 0..50 {
        let segment = Segment::of(&second.to_string());
        let checkpoint = naming(second, &[&segment]);
        ledger.segments.add(std::slice::from_ref(&segment));
        ledger.segments.create(Some(&checkpoint)).await.unwrap();
        ledger.segments.remove_unnamed(Some(&checkpoint)).await;
    }
    let present = ledger.segments.present.as_ref().unwrap().len();
    assert!(present <= LEFT_FOR_LATER + 1, "{present}");
}
