//! Deletions found by comparing lists of ids.

mod faults;
mod held;

use std::{
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use super::world::{Got, Provider, World, at, provider_error};
use crate::{
    api::HeldDeletes,
    event::Kind,
    poll::{Child, End, Held, Outcome, Reached, Reconciliation},
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

/// Where ids cannot be asked for, it is read twice to prove what it doesn't show.
#[tokio::test(start_paused = true)]
async fn a_first_list_delivers_none_of_what_it_shows() {
    let mut world = World::new();
    world.plan.reconcile = compared(0).await.plan.reconcile;
    world.provider().listing = BY_LIST;
    for number in 0..35 {
        world.provider().touch_at(&id(number), -1_000);
    }
    world.touch("new");
    let got = world.poll_well().await;
    assert_eq!(got.len(), 1, "{got:?}");
    world.delete([7]);
    assert_eq!(deleted(&world.compare().await), [id(7)]);
}

/// A comparison goes on from poll to poll, and these deliver what it showed in its first list.
#[tokio::test(start_paused = true)]
async fn what_a_poll_delivers_while_a_list_is_read_is_not_delivered_by_it() {
    let world = compared(35).await;
    world.provider().listing = BY_LIST;
    world.delete([7]);
    world.pass(DAY).await;
    world.provider().list_takes = Duration::from_secs(6);
    let now = world.now();
    world.provider().touch_at("new", now + 5).visible_from = now + 5;
    let mut outcome = world.poll().await;
    while outcome.checkpoint.as_ref().is_some_and(Held::is_comparing) {
        world.pass(20).await;
        world.touch("hot");
        outcome = world.poll_on(outcome).await;
    }
    let got = world.receiver.acknowledged();
    let new = got.iter().filter(|event| event.id == "new");
    assert_eq!(new.count(), 1, "{got:?}");
}

#[tokio::test(start_paused = true)]
async fn what_was_delivered_and_gone_before_the_first_comparison_is_deleted() {
    let mut world = World::new();
    world.plan.reconcile = compared(0).await.plan.reconcile;
    for number in 0..12 {
        world.touch(&id(number));
    }
    let second_page = world.provider().requests.len() + 3;
    world
        .provider()
        .failing
        .insert(second_page, provider_error());
    assert!(matches!(world.poll().await.end, End::ProviderFailed(_)));
    assert_eq!(world.receiver.acknowledged().len(), 10);
    world.delete([7]);
    let got = world.poll_well().await;
    let gone = got.iter().filter(|event| event.kind == Kind::Deleted);
    assert_eq!(
        gone.map(|event| event.id.clone()).collect::<Vec<_>>(),
        [id(7)]
    );
}

/// Where ids cannot be asked for, what is left is proved anew.
#[tokio::test(start_paused = true)]
async fn deletions_told_before_a_stop_are_not_told_again() {
    let mut world = compared(35).await;
    world.plan.max_events = 1;
    world.provider().listing = BY_LIST;
    world.delete([7, 8]);
    world.pass(DAY).await;
    let (stop, told) = (CancellationToken::new(), world.receiver.clone());
    let asked = stop.clone();
    told.script(move |_| {
        asked.cancel();
        None
    });
    assert_eq!(world.poll_until(&stop).await.end, End::Stopped);
    assert_eq!(deleted(&world.receiver.acknowledged()), [id(7)]);
    assert_eq!(deleted(&world.poll_well().await), [id(8)]);
    assert_eq!(world.compare().await, []);
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
async fn where_no_id_can_be_asked_for_a_second_list_proves_and_shows_what_is_new() {
    let world = compared(35).await;
    world.provider().listing = BY_LIST;
    world.delete([1, 2]);
    world.provider().touch_at("imported", -90_000);
    let record = world.provider().records[&id(3)].clone();
    world.delete([3]);
    let second = world.provider().listed.len() + 5;
    let back = move |provider: &mut Provider| {
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
        reached: Some(Reached {
            records: at(0),
            deletions: None,
        }),
    };
    world.plan.children.push(child);
    world.provider().records.get_mut(&id(3)).unwrap().class = "customer";
    // Settled since the first list.
    world.touch("new");
    assert_eq!(world.poll_well().await.len(), 1);
    world.provider().records.get_mut("new").unwrap().class = "customer";
    assert_eq!(world.compare().await, []);
    world.delete([3]);
    world.provider().records.remove("new");
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
