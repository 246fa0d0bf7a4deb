//! Answers that a provider should not give and gives: each fails the poll, loses nothing, and is
//! explained.

use std::{collections::HashSet, time::Duration};

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::json;
use simulator::{
    RetryAfter,
    servicenow::{Fault, Instance},
};

use crate::harness::World;

const ROWS: usize = 25;
const PAGE: usize = 10;

/// A poller in pages of ten that has started, and incidents that it has not read yet.
async fn world() -> World {
    let world = World::new().await;
    world.poller("incident", json!({"pageSize": PAGE}));
    assert_eq!(world.poll_well().await, []);
    create(&world.instance, ROWS);
    world
}

fn create(instance: &Instance, rows: usize) {
    for row in 0..rows {
        let updated = format!("2026-01-02 03:04:{row:02}");
        instance.create(
            "incident",
            &[("sys_created_on", &updated), ("sys_updated_on", &updated)],
        );
    }
}

/// Has the second page of the next sweep answered with `fault`.
fn fail_in_mid_sweep(world: &World, fault: Fault) {
    world.before_page(2, PAGE, |instance| instance.fail_next(fault));
}

/// Every incident arrived, and each in one event alone.
fn assert_each_arrived_once(world: &World) {
    let got = world.receiver.acknowledged();
    let distinct: HashSet<_> = got.iter().map(|event| &event.object_id).collect();
    assert_eq!((got.len(), distinct.len()), (ROWS, ROWS));
}

#[rstest]
#[case::server_error(Fault::Status(500), "HTTP 500: Internal Server Error")]
#[case::unavailable(Fault::Status(503), "HTTP 503: Service Unavailable")]
#[case::forbidden(Fault::Status(403), "give the account's user read access to the table")]
#[case::html(Fault::Html, "the provider may be asleep or asking a person to log in")]
#[case::cut_off(Fault::Truncated, "the page ends in the middle of its JSON")]
#[case::error_after_rows(Fault::ErrorAfterRows, "maximum execution time exceeded")]
#[case::string_among_rows(Fault::StringAmongRows, "item 5 of the page is no JSON object")]
#[case::nothing(Fault::EmptyBody, "the page has no body")]
#[case::closed(Fault::CloseConnection, "the connection broke")]
#[tokio::test]
async fn an_answer_that_is_no_page_ends_the_poll_and_loses_nothing(
    #[case] fault: Fault,
    #[case] words: &str,
) {
    let world = world().await;
    fail_in_mid_sweep(&world, fault);
    let ended = world.poll_once().await;
    let subject = "GET /api/now/table/incident of 127.0.0.1";
    ended.assert_said(1, &["incident", "error: provider: ", subject, words]);
    let before = world.receiver.acknowledged().len();
    assert!(before < ROWS, "the page was taken as if it were whole");
    world.poll_well().await;
    assert_each_arrived_once(&world);
}

#[tokio::test]
async fn a_provider_that_recovers_is_asked_again_in_the_same_run() {
    let world = world().await;
    fail_in_mid_sweep(&world, Fault::ErrorAfterRows);
    let ended = world.poll_once_retrying("10s").await;
    ended.assert_said(0, &["maximum execution time exceeded", "well again"]);
    assert_each_arrived_once(&world);
}

/// ServiceNow cancels what takes too long: a smaller page may do.
#[tokio::test]
async fn a_page_that_takes_too_long_is_asked_for_in_smaller_ones() {
    let world = world().await;
    fail_in_mid_sweep(&world, Fault::Status(408));
    world.poll_well().await;
    assert_each_arrived_once(&world);
    assert!(world.pages(PAGE / 2) > 0);
}

#[tokio::test]
async fn a_refused_token_in_mid_sweep_is_renewed_once_and_the_sweep_goes_on() {
    let world = world().await;
    let before = world.instance.token_requests().len();
    fail_in_mid_sweep(&world, Fault::Unauthorized);
    world.poll_well().await;
    assert_each_arrived_once(&world);
    let renewals = world.instance.token_requests().len() - before;
    assert_eq!(renewals, 2, "the first token and its renewal");
}

#[tokio::test]
async fn a_token_that_is_refused_again_after_its_renewal_is_a_persons_matter() {
    let world = world().await;
    world.instance.fail_always(Some(Fault::Unauthorized));
    world.instance.clear_requests();
    let ended = world.poll_once_retrying("20s").await;
    ended.assert_said(
        1,
        &["User Not Authenticated", "spec.authentication.secretRef"],
    );
    assert_eq!(world.instance.table_requests().len(), 2);
}

#[tokio::test]
async fn a_body_that_trickles_is_read_to_its_end() {
    let world = world().await;
    fail_in_mid_sweep(&world, Fault::Drip(Duration::from_millis(50)));
    world.poll_well().await;
    assert_each_arrived_once(&world);
}

#[tokio::test]
async fn a_provider_that_asks_to_be_left_alone_for_seconds_is() {
    let world = world().await;
    fail_in_mid_sweep(&world, Fault::Throttle(RetryAfter::Seconds(3)));
    world.instance.clear_requests();
    let ended = world.poll_once_retrying("10s").await;
    ended.assert_said(0, &["HTTP 429: Rate limit exceeded", "well again"]);
    assert!(longest_pause(&world) >= TimeDelta::seconds(3));
    assert_each_arrived_once(&world);
}

#[tokio::test]
async fn a_provider_that_asks_to_be_left_alone_until_a_date_is() {
    let world = world().await;
    fail_in_mid_sweep(&world, Fault::Throttle(RetryAfter::HttpDate(4)));
    world.instance.clear_requests();
    let pollen = world.start();
    world.events(ROWS).await;
    pollen
        .terminate()
        .await
        .assert_said(0, &["HTTP 429: Rate limit exceeded"]);
    // A date is whole seconds.
    assert!(longest_pause(&world) >= TimeDelta::seconds(3));
    assert_each_arrived_once(&world);
}

/// Between two requests of the Table API.
fn longest_pause(world: &World) -> TimeDelta {
    let asked = world.instance.table_requests();
    let pauses = asked.windows(2).map(|pair| pair[1].at - pair[0].at);
    pauses.max().unwrap()
}

/// ServiceNow names the end of its period beside `Retry-After`, and nothing else without it.
#[tokio::test]
async fn a_throttled_run_ends_with_what_the_provider_said_and_the_next_leaves_it_alone() {
    let world = world().await;
    fail_in_mid_sweep(&world, Fault::Throttle(RetryAfter::Absent));
    world
        .poll_once_retrying("2s")
        .await
        .assert_said(1, &["HTTP 429: Rate limit exceeded"]);
    world.instance.clear_requests();
    let ended = world.poll_once().await;
    ended.assert_said(1, &["the provider asked to be left alone"]);
    assert_eq!(world.instance.requests(), []);
}

#[tokio::test]
async fn a_provider_that_never_answers_does_not_keep_the_process_from_ending() {
    let world = world().await;
    fail_in_mid_sweep(&world, Fault::Hang);
    let before = world.pages(PAGE);
    let pollen = world.start();
    world.until(|world| world.pages(PAGE) == before + 2).await;
    let begun = tokio::time::Instant::now();
    assert_eq!(pollen.terminate().await.code, Some(0));
    assert!(begun.elapsed() < Duration::from_secs(5));
    world.poll_well().await;
    assert_each_arrived_once(&world);
}
