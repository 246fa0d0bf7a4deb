mod faults;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret as _;

use super::*;
use crate::{
    operator::fake_api::{FakeApi, Fault},
    provider::auth::fixtures::{
        assert_keeps_a_token_beside_a_code, assert_keeps_what_was_tried, token, tried,
    },
    telemetry::Metrics,
};

fn secrets(client: Client, identity: &str, clock: Clock) -> TokenSecrets {
    TokenSecrets {
        client,
        namespace: "pollen".into(),
        release: "pollen".into(),
        watched: Vec::new(),
        identity: identity.into(),
        clock,
        budget: WriteBudget::new(
            std::num::NonZeroU32::new(1_000).unwrap(),
            Metrics::default(),
        ),
    }
}

fn store(api: &FakeApi, identity: &str, now: DateTime<Utc>) -> KubeTokenStore {
    let secrets = secrets(api.client(), identity, Clock::starting_at(now));
    secrets.of(&Key::new("helpdesk", "prod"))
}

#[tokio::test(start_paused = true)]
async fn the_token_in_whose_place_a_code_would_bring_one_is_kept_beside_it() {
    let store = store(&FakeApi::default(), "a", DateTime::UNIX_EPOCH);
    assert_keeps_a_token_beside_a_code(&store).await;
}

#[tokio::test(start_paused = true)]
async fn that_a_password_is_left_alone_outlasts_the_process() {
    let store = store(&FakeApi::default(), "a", DateTime::UNIX_EPOCH);
    assert_keeps_what_was_tried(&store).await;
}

#[tokio::test(start_paused = true)]
async fn a_password_goes_out_from_one_replica_alone() {
    let api = FakeApi::default();
    let now = DateTime::UNIX_EPOCH;
    let (first, second) = (store(&api, "a", now), store(&api, "b", now));
    for store in [&first, &second] {
        assert!(store.tried().await.unwrap().is_none());
    }
    first.note_tried(Some(tried())).await.unwrap();
    assert_eq!(
        second.note_tried(Some(tried())).await,
        Err(TokenStoreError::Busy)
    );
}

async fn stored(api: &FakeApi) -> String {
    let loaded = store(api, "reader", DateTime::UNIX_EPOCH)
        .load()
        .await
        .unwrap()
        .unwrap();
    loaded.refresh_token.unwrap().expose_secret().to_owned()
}

fn path() -> String {
    format!(
        "/api/v1/namespaces/pollen/secrets/{}",
        secret_name(&Key::new("helpdesk", "prod"))
    )
}

#[tokio::test(start_paused = true)]
async fn a_token_is_found_again_in_the_operator_s_namespace_without_an_owner() {
    let api = FakeApi::default();
    let store = store(&api, "a", DateTime::UNIX_EPOCH);
    assert!(store.load().await.unwrap().is_none());
    store.begin_refresh().await.unwrap();
    assert!(
        store.load().await.unwrap().is_none(),
        "a mark alone is no token"
    );
    store.store(token("first")).await.unwrap();
    assert_eq!(stored(&api).await, "first");
    let secret = api.object(&path());
    assert_eq!(
        secret["metadata"]["labels"]["app.kubernetes.io/managed-by"],
        "pollen"
    );
    assert!(secret["metadata"]["ownerReferences"].is_null());
    assert!(
        secret["data"]["refreshing"].is_null(),
        "the refresh is over"
    );
}

#[tokio::test(start_paused = true)]
async fn one_replica_refreshes_at_a_time_until_its_mark_is_stale() {
    let api = FakeApi::default();
    let now = DateTime::UNIX_EPOCH;
    let (first, second) = (store(&api, "a", now), store(&api, "b", now));
    first.store(token("first")).await.unwrap();
    first.begin_refresh().await.unwrap();
    // However old it is by the clock: the first may have stored nothing while no API server answered.
    tokio::time::advance(Duration::from_secs(3_600)).await;
    assert_eq!(second.begin_refresh().await, Err(TokenStoreError::Busy));
    tokio::time::advance(Duration::from_secs(59)).await;
    assert_eq!(second.begin_refresh().await, Err(TokenStoreError::Busy));
    tokio::time::advance(Duration::from_secs(1)).await;
    second.begin_refresh().await.unwrap();
    assert_eq!(
        first.store(token("stale")).await,
        Err(TokenStoreError::Busy),
        "its refresh was taken over"
    );
    second.store(token("second")).await.unwrap();
    assert_eq!(
        first.store(token("stale")).await,
        Err(TokenStoreError::Busy),
        "and has ended"
    );
    assert_eq!(stored(&api).await, "second");
}

#[tokio::test(start_paused = true)]
async fn a_mark_is_a_compare_and_swap_against_what_was_loaded() {
    let api = FakeApi::default();
    let now = DateTime::UNIX_EPOCH;
    let (first, second) = (store(&api, "a", now), store(&api, "b", now));
    first.store(token("first")).await.unwrap();
    second.load().await.unwrap();
    first.store(token("newer")).await.unwrap();
    assert_eq!(second.begin_refresh().await, Err(TokenStoreError::Busy));
}

#[tokio::test(start_paused = true)]
async fn a_rotated_token_survives_a_server_that_fails_or_forgets_to_answer() {
    let api = FakeApi::default();
    let store = store(&api, "a", DateTime::UNIX_EPOCH);
    store.store(token("first")).await.unwrap();
    store.begin_refresh().await.unwrap();
    api.fail_next(Fault::Refused(500, "etcd".into()));
    api.fail_next(Fault::AnswerLost);
    store.store(token("rotated")).await.unwrap();
    assert_eq!(stored(&api).await, "rotated");
}
