//! Deletions found by comparing lists of ids.

use std::{
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use super::world::{Got, World, at, provider_error, unavailable};
use crate::{
    api::HeldDeletes,
    event::Kind,
    poll::{Child, End, Outcome, Reconciliation},
    provider::{IdAsk, Listing},
};

const DAY: u64 = 24 * 60 * 60;

/// A provider that only lists, in no order.
const BY_LIST: Listing = Listing {
    by_key: false,
    by_offset: true,
    linked: false,
    by_id: false,
    shows_hidden: false,
};

/// A poller that has compared once, with so many records older than itself.
async fn compared(records: usize) -> World {
    let mut world = World::new();
    world.plan.reconcile = Some(Reconciliation {
        interval: TimeDelta::days(1),
        max_share_percent: 10,
        place: "here".to_owned(),
        confirmed: None,
    });
    for number in 0..records {
        world.provider().touch_at(&id(number), -1_000);
    }
    assert_eq!(world.poll_well().await, []);
    world
}

fn id(number: usize) -> String {
    format!("r{number:04}")
}

/// An id that shares little with its neighbours.
fn random(number: u64) -> String {
    format!("{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 1)
}

impl World {
    /// The comparison that is due a day later.
    async fn compare(&self) -> Vec<Got> {
        self.pass(DAY).await;
        self.poll_well().await
    }

    /// The next poll of the same process.
    async fn poll_on(&self, last: Outcome) -> Outcome {
        let held = last.checkpoint.unwrap();
        self.poll_from(held, &CancellationToken::new()).await
    }

    fn delete(&self, ids: impl IntoIterator<Item = usize>) {
        for number in ids {
            self.provider().records.remove(&id(number));
        }
    }

    fn held(&self) -> Option<HeldDeletes> {
        self.store.checkpoint().reconcile?.held()
    }

    fn confirm(&mut self, run: &str) {
        let plan = self.plan.reconcile.as_mut().unwrap();
        plan.confirmed = Some(run.to_owned());
    }
}

fn deleted(got: &[Got]) -> Vec<&str> {
    assert!(
        got.iter().all(|event| event.kind == Kind::Deleted),
        "{got:?}"
    );
    got.iter().map(|event| event.id.as_str()).collect()
}

fn told(outcome: &Outcome) -> &str {
    outcome
        .progress
        .deletes_unavailable
        .as_deref()
        .unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_gone_is_deleted_once() {
    let world = compared(35).await;
    world.delete([7]);
    world.pass(60).await;
    assert_eq!(world.poll_well().await, [], "nothing is due yet");
    assert_eq!(deleted(&world.compare().await), [id(7)]);
    assert_eq!(world.compare().await, []);
    assert_eq!(world.compare().await, []);
}

#[tokio::test(start_paused = true)]
async fn an_id_settled_since_the_last_list_is_known() {
    let world = compared(3).await;
    world.touch("new");
    assert_eq!(world.poll_well().await.len(), 1);
    world.provider().records.remove("new");
    assert_eq!(deleted(&world.compare().await), ["new"]);
    assert_eq!(world.compare().await, []);
}

#[tokio::test(start_paused = true)]
async fn between_comparisons_an_idle_poll_asks_for_no_id_and_writes_nothing() {
    let world = compared(25).await;
    let (written, listed) = (world.store.written(), world.provider().listed.len());
    for _ in 0..5 {
        world.pass(60).await;
        assert_eq!(world.poll_well().await, []);
    }
    assert_eq!(world.store.written(), written);
    assert_eq!(world.provider().listed.len(), listed);
}

#[tokio::test(start_paused = true)]
async fn a_record_from_before_the_bound_that_nobody_knew_is_delivered_once() {
    let world = compared(12).await;
    world.provider().touch_at("imported", -90_000);
    let got = world.compare().await;
    assert_eq!(got.len(), 1);
    assert_eq!(
        (got[0].id.as_str(), got[0].kind),
        ("imported", Kind::Created)
    );
    assert_eq!(world.compare().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_record_restored_with_its_old_date_comes_under_an_id_of_its_own() {
    let world = compared(3).await;
    world.touch("r");
    let record = world.provider().records["r"].clone();
    let created = world.poll_well().await;
    world.provider().records.remove("r");
    let deleted = world.compare().await;
    world.provider().records.insert("r".to_owned(), record);
    let restored = world.compare().await;
    let events: BTreeSet<_> = [&created, &deleted, &restored]
        .map(|got| got[0].event.clone())
        .into();
    assert_eq!(events.len(), 3);
    assert_eq!(restored[0].kind, Kind::Created);
}

#[tokio::test(start_paused = true)]
async fn an_error_in_mid_list_concludes_nothing_and_is_told_until_a_list_is_complete() {
    let world = compared(35).await;
    world.delete([1]);
    let next = world.provider().listed.len() + 3;
    world.provider().failing_list.insert(next, provider_error());
    world.pass(DAY).await;
    let mut outcome = world.poll().await;
    for _ in 0..2 {
        assert_eq!(outcome.end, End::Complete);
        assert!(
            told(&outcome).contains("answered 500"),
            "{}",
            told(&outcome)
        );
        outcome = world.poll_on(outcome).await;
    }
    assert_eq!(world.receiver.acknowledged(), []);
    world.pass(60).await;
    assert_eq!(told(&world.poll_on(outcome).await), "");
    assert_eq!(deleted(&world.receiver.acknowledged()), [id(1)]);
}

#[tokio::test(start_paused = true)]
async fn a_page_hidden_by_access_rules_concludes_nothing() {
    let world = compared(35).await;
    world.delete([1]);
    for number in 11..=20 {
        world
            .provider()
            .records
            .get_mut(&id(number))
            .unwrap()
            .hidden = true;
    }
    world.pass(DAY).await;
    let outcome = world.poll().await;
    assert!(
        told(&outcome).contains("access rules"),
        "{}",
        told(&outcome)
    );
    assert_eq!(world.receiver.acknowledged(), []);
}

#[tokio::test(start_paused = true)]
async fn records_hidden_one_by_one_are_not_gone() {
    let world = compared(35).await;
    world.delete([1]);
    for number in [2, 13, 34] {
        world
            .provider()
            .records
            .get_mut(&id(number))
            .unwrap()
            .hidden = true;
    }
    assert_eq!(deleted(&world.compare().await), [id(1)]);
    for record in world.provider().records.values_mut() {
        record.hidden = false;
    }
    assert_eq!(world.compare().await, [], "shown again is nothing new");
}

#[tokio::test(start_paused = true)]
async fn a_total_that_contradicts_a_list_concludes_nothing_where_no_id_can_be_asked_for() {
    let world = compared(35).await;
    world.provider().listing = BY_LIST;
    world.delete([1]);
    world.provider().records.get_mut(&id(20)).unwrap().hidden = true;
    world.pass(DAY).await;
    let outcome = world.poll().await;
    assert!(
        told(&outcome).contains("shorter than its total"),
        "{}",
        told(&outcome)
    );
    assert_eq!(world.receiver.acknowledged(), []);
}

#[tokio::test(start_paused = true)]
async fn where_no_id_can_be_asked_for_a_second_list_proves_and_shows_what_is_new() {
    let world = compared(35).await;
    world.provider().listing = BY_LIST;
    world.delete([1, 2]);
    world.provider().touch_at("imported", -90_000);
    let record = world.provider().records[&id(3)].clone();
    world.delete([3]);
    let second = world.provider().listed.len() + 5;
    let back = move |provider: &mut super::world::Provider| {
        provider.records.insert(id(3), record);
    };
    world.provider().before_list.insert(second, Box::new(back));
    let got = world.compare().await;
    let ids: HashSet<_> = got
        .iter()
        .map(|event| (event.id.clone(), event.kind))
        .collect();
    let expected = [
        (id(1), Kind::Deleted),
        (id(2), Kind::Deleted),
        ("imported".to_owned(), Kind::Created),
    ];
    assert_eq!(got.len(), 3);
    assert_eq!(ids, expected.into());
    assert_eq!(world.compare().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_mass_of_deletions_is_held_until_a_person_confirms_it() {
    let mut world = compared(60).await;
    world.delete(0..20);
    assert_eq!(world.compare().await, []);
    let held = world.held().unwrap();
    assert_eq!(held.count, 20);
    let written = world.store.written();
    world.confirm("another run");
    assert_eq!(world.poll_well().await, []);
    assert_eq!(world.store.written(), written, "waiting writes nothing");
    world.confirm(&held.id);
    let got = world.poll_well().await;
    assert_eq!(deleted(&got).len(), 20);
    assert_eq!(world.held(), None);
    assert_eq!(world.compare().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_confirmation_releases_only_what_is_still_missing() {
    let mut world = compared(60).await;
    world.delete(0..20);
    world.compare().await;
    let held = world.held().unwrap();
    world.provider().touch_at(&id(3), -1_000);
    world.provider().touch_at(&id(4), -1_000);
    world.confirm(&held.id);
    let got = world.poll_well().await;
    assert_eq!(deleted(&got).len(), 18);
    assert!(!deleted(&got).contains(&id(3).as_str()));
    assert_eq!(world.compare().await, [], "what came back is known");
}

#[tokio::test(start_paused = true)]
async fn records_that_come_back_are_held_no_longer() {
    let world = compared(60).await;
    world.delete(0..20);
    world.compare().await;
    for number in 0..5 {
        world.provider().touch_at(&id(number), -1_000);
    }
    assert_eq!(world.poll_well().await, []);
    assert_eq!(world.held().unwrap().count, 15);
    for number in 5..20 {
        world.provider().touch_at(&id(number), -1_000);
    }
    assert_eq!(world.poll_well().await, []);
    assert_eq!(world.held(), None);
    assert_eq!(world.compare().await, []);
}

#[tokio::test(start_paused = true)]
async fn the_next_comparison_replaces_what_is_held() {
    let world = compared(60).await;
    world.delete(0..20);
    world.compare().await;
    let first = world.held().unwrap();
    world.delete(20..25);
    assert_eq!(world.compare().await, []);
    let second = world.held().unwrap();
    assert_ne!(first.id, second.id);
    assert_eq!(second.count, 25);
}

#[tokio::test(start_paused = true)]
async fn what_a_person_confirmed_is_proved_by_a_list_where_no_id_can_be_asked_for() {
    let mut world = compared(60).await;
    world.provider().listing = BY_LIST;
    world.delete(0..20);
    assert_eq!(world.compare().await, []);
    let held = world.held().unwrap();
    world.provider().touch_at(&id(3), -1_000);
    world.delete([30]);
    world.confirm(&held.id);
    assert_eq!(deleted(&world.poll_well().await).len(), 19);
    assert_eq!(deleted(&world.compare().await), [id(30)]);
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_await_point_repeats_deletions_only_under_their_ids() {
    for turns in 1..600 {
        let world = compared(35).await;
        world.delete([1, 2, 3]);
        world.provider().touch_at("imported", -90_000);
        world.pass(DAY).await;
        let crashed = super::crashes::crash_after(&world, turns).await;
        for _ in 0..2 {
            assert_eq!(world.poll().await.end, End::Complete);
            world.pass(DAY).await;
        }
        let got = world.receiver.acknowledged();
        let events: BTreeSet<_> = got.iter().map(|event| (&event.id, &event.event)).collect();
        assert_eq!(events.len(), 4, "after {turns} turns: {got:?}");
        if !crashed {
            return;
        }
    }
    panic!("the poll never ended");
}

#[tokio::test(start_paused = true)]
async fn a_failure_at_any_request_write_or_delivery_loses_and_repeats_nothing() {
    for fault in 1..40 {
        let world = compared(35).await;
        world.delete([1, 2, 3, 4, 5]);
        world.pass(DAY).await;
        match fault % 3 {
            0 => {
                let number = world.provider().listed.len() + fault / 3 + 1;
                world
                    .provider()
                    .failing_list
                    .insert(number, provider_error());
            }
            1 => {
                let mut left = fault / 3;
                world.receiver.script(move |_| {
                    let fails = left == 0;
                    left = left.wrapping_sub(1);
                    fails.then(unavailable)
                });
            }
            _ => {
                let error = crate::poll::StoreError::Unavailable("refused".to_owned());
                world.store.failing.lock().unwrap().push(error);
            }
        }
        let mut held = world.poll().await.checkpoint;
        for _ in 0..4 {
            world.pass(600).await;
            let Some(from) = held.take() else { break };
            held = world
                .poll_from(from, &CancellationToken::new())
                .await
                .checkpoint;
        }
        let got = world.receiver.acknowledged();
        assert_eq!(
            deleted(&got),
            [id(1), id(2), id(3), id(4), id(5)],
            "fault {fault}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_edited_query_shows_in_addition_is_no_change() {
    let mut world = compared(12).await;
    for number in 20..30 {
        world.provider().touch_at(&id(number), -1_000);
    }
    world.delete([1]);
    world.plan.query_fingerprint = "something wider".to_owned();
    assert_eq!(deleted(&world.compare().await), [id(1)]);
    world.delete([25]);
    assert_eq!(deleted(&world.compare().await), [id(25)]);
}

#[tokio::test(start_paused = true)]
async fn ids_of_another_place_are_not_compared() {
    let mut world = compared(12).await;
    world.delete(0..12);
    world.plan.reconcile.as_mut().unwrap().place = "elsewhere".to_owned();
    assert_eq!(world.compare().await, []);
    assert_eq!(world.held(), None);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_changes_to_a_class_of_anothers_is_not_deleted() {
    let mut world = compared(12).await;
    let child = Child {
        uid: "child-uid".to_owned(),
        class: "customer".to_owned(),
        query_fingerprint: "customers".to_owned(),
        started_at: Some(at(0)),
        watermark: Some(at(0)),
    };
    world.plan.children.push(child);
    world.provider().records.get_mut(&id(3)).unwrap().class = "customer";
    assert_eq!(world.compare().await, []);
    world.delete([3]);
    assert_eq!(
        world.compare().await,
        [],
        "its deletion is the other's to tell"
    );
}

#[tokio::test(start_paused = true)]
async fn more_ids_than_are_kept_are_refused() {
    let mut world = World::new();
    world.store.known_capacity = Some(20);
    world.plan.reconcile = compared(0).await.plan.reconcile;
    for number in 0..25 {
        world.provider().touch_at(&id(number), -1_000);
    }
    for _ in 0..2 {
        let outcome = world.poll().await;
        assert!(
            told(&outcome).contains("more than 20 ids"),
            "{}",
            told(&outcome)
        );
    }
    world.delete(0..15);
    world.pass(DAY).await;
    assert_eq!(told(&world.poll().await), "");
    world.delete([24]);
    assert_eq!(deleted(&world.compare().await), [id(24)]);
}

#[tokio::test(start_paused = true)]
async fn many_ids_stand_in_segments() {
    let world = compared(2_000).await;
    let known = world.store.checkpoint().reconcile.unwrap().known;
    assert_eq!((known.count, known.entries.as_str()), (2_000, ""));
    assert_eq!(
        world.store.segments.lock().unwrap().len(),
        known.segments.len()
    );
    for number in 0..600 {
        world.touch(&random(number));
    }
    assert_eq!(world.poll_well().await.len(), 600);
    let since = world.store.checkpoint().reconcile.unwrap().since;
    assert_eq!(since.count, 600);
    assert!(!since.segments.is_empty());
    let new = random(5);
    world.provider().records.remove(&new);
    world.delete([1_999]);
    assert_eq!(deleted(&world.compare().await), [new, id(1_999)]);
    assert_eq!(world.compare().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_missing_segment_is_never_read_as_no_ids() {
    let world = compared(2_000).await;
    world.store.segments.lock().unwrap().clear();
    world.pass(DAY).await;
    let outcome = world.poll().await;
    assert!(matches!(outcome.end, End::Unusable(_)), "{:?}", outcome.end);
}

#[tokio::test(start_paused = true)]
async fn a_long_list_lets_polls_in_between_and_goes_on_where_it_was() {
    let world = compared(50).await;
    world.delete([1]);
    world.pass(DAY).await;
    let before = world.provider().listed.len();
    world.provider().list_takes = Duration::from_secs(6);
    let mut outcome = world.poll().await;
    world.touch("meanwhile");
    let mut polls = 1;
    while outcome.checkpoint.as_ref().unwrap().is_comparing() {
        outcome = world.poll_on(outcome).await;
        polls += 1;
    }
    assert!(polls > 2, "{polls}");
    let got = world.receiver.acknowledged();
    let got: Vec<_> = got
        .iter()
        .map(|event| (event.id.clone(), event.kind))
        .collect();
    let expected = [
        ("meanwhile".to_owned(), Kind::Created),
        (id(1), Kind::Deleted),
    ];
    assert_eq!(got, expected);
    let provider = world.provider();
    let lists = provider.listed.iter().skip(before);
    let begun = lists.filter(|ask| **ask == IdAsk::First).count();
    assert_eq!(begun, 1, "the list is not begun anew");
}
