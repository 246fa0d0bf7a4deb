//! Ties that nothing but offsets step through, while their rows come and go.
//!
//! Behind each tie a later record moves the watermark on, by more than the overlap: what such a poll
//! leaves out is lost.

use chrono::TimeDelta;

use super::world::{Got, World, provider_error};
use crate::poll::End;

/// A poller that finds so many records of one second, and one of a minute later. Its first two requests
/// are anchored, and each further one goes half a page on.
async fn tied(rows: usize) -> World {
    let mut world = World::started().await;
    world.plan.reach = TimeDelta::seconds(1);
    world.provider().paging.by_key = false;
    for row in 0..rows {
        world.provider().touch_at(&id(row), 7);
    }
    world.provider().touch_at("later", 60);
    world.pass(60).await;
    world
}

fn id(row: usize) -> String {
    format!("r{row:02}")
}

/// Before the next poll's request with this number the first rows are gone.
fn remove_before(world: &World, request: usize, rows: usize) {
    let mut provider = world.provider();
    let request = provider.requests.len() + request;
    provider.before.insert(
        request,
        Box::new(move |provider| {
            for row in 0..rows {
                provider.records.remove(&id(row));
            }
        }),
    );
}

/// The ids of these rows and of the later record, in their order.
fn all(rows: usize) -> Vec<String> {
    ["later".to_owned()]
        .into_iter()
        .chain((0..rows).map(id))
        .collect()
}

fn sorted(got: Vec<Got>) -> Vec<String> {
    let mut ids: Vec<_> = got.into_iter().map(|got| got.id).collect();
    ids.sort();
    ids
}

#[tokio::test(start_paused = true)]
async fn rows_that_others_pulled_behind_the_offset_are_found_by_another_pass() {
    let world = tied(40).await;
    // More than the half page by which one page overlaps the next.
    remove_before(&world, 7, 8);
    world.poll_well().await;
    assert_eq!(sorted(world.receiver.acknowledged()), all(40));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_settled_by_a_pass_that_another_one_must_follow() {
    let world = tied(40).await;
    remove_before(&world, 7, 8);
    // The first of the second pass.
    let cut_off = world.provider().requests.len() + 9;
    world.provider().failing.insert(cut_off, provider_error());
    assert!(matches!(world.poll().await.end, End::ProviderFailed(_)));
    assert!(sorted(world.receiver.acknowledged()).contains(&"later".to_owned()));
    world.poll_well().await;
    assert_eq!(sorted(world.receiver.acknowledged()), all(40));
}

/// As from two replicas, of which one has a row less: both passes see the same, and would step over the
/// same rows.
#[tokio::test(start_paused = true)]
async fn a_row_that_is_there_in_every_second_answer_pulls_no_other_over_a_pages_edge() {
    let world = tied(35).await;
    let before = world.provider().requests.len();
    for request in 4..60 {
        let visible_from = if request % 2 == 0 { i64::MAX } else { i64::MIN };
        let mut provider = world.provider();
        provider.before.insert(
            before + request,
            Box::new(move |provider| {
                provider.records.get_mut(&id(0)).unwrap().visible_from = visible_from;
            }),
        );
    }
    world.poll_well().await;
    assert_eq!(sorted(world.receiver.acknowledged()), all(35));
}
