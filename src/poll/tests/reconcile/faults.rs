//! Lists that are not complete, crashes and failures: no deletion is invented, lost or repeated.

use std::collections::BTreeSet;

use tokio_util::sync::CancellationToken;

use super::{BY_LIST, DAY, compared, deleted, id, told};
use crate::{
    category::Category,
    poll::{
        End, StoreError,
        tests::{
            crashes,
            world::{Provider, provider_error, unavailable},
        },
    },
    provider::{FetchError, IdAsk, Listing},
};

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
async fn a_list_goes_on_where_a_question_was_not_answered() {
    let world = compared(35).await;
    world.delete([1]);
    world.pass(DAY).await;
    let before = world.provider().listed.len();
    let throttled = FetchError {
        category: Category::RateLimited,
        ..provider_error()
    };
    world.provider().failing_list.insert(before + 3, throttled);
    let outcome = world.poll().await;
    assert!(matches!(outcome.end, End::ProviderFailed(_)));
    world.pass(60).await;
    world.poll_on(outcome).await;
    assert_eq!(deleted(&world.receiver.acknowledged()), [id(1)]);
    let provider = world.provider();
    let begun = provider.listed.iter().skip(before);
    assert_eq!(begun.filter(|ask| **ask == IdAsk::First).count(), 1);
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

/// A table from which something is deleted all the time is compared all the same.
#[tokio::test(start_paused = true)]
async fn deletions_while_a_list_is_read_by_key_leave_it_complete() {
    let world = compared(45).await;
    world.provider().listing = Listing {
        by_key: true,
        ..BY_LIST
    };
    world.delete([1]);
    let listed = world.provider().listed.len();
    for (request, gone) in [(2, 40), (3, 41), (4, 42)] {
        let delete = move |provider: &mut Provider| drop(provider.records.remove(&id(gone)));
        let requests = &mut world.provider().before_list;
        requests.insert(listed + request, Box::new(delete));
    }
    assert_eq!(deleted(&world.compare().await), [1, 40, 41, 42].map(id));
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_await_point_repeats_deletions_only_under_their_ids() {
    for turns in 1..600 {
        let world = compared(35).await;
        world.delete([1, 2, 3]);
        world.provider().touch_at("imported", -90_000);
        world.pass(DAY).await;
        let crashed = crashes::crash_after(&world, turns).await;
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
                let error = StoreError::Unavailable("refused".to_owned());
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
async fn a_missing_segment_is_never_read_as_no_ids() {
    let world = compared(2_000).await;
    world.store.segments.lock().unwrap().clear();
    world.pass(DAY).await;
    let outcome = world.poll().await;
    assert!(matches!(outcome.end, End::Unusable(_)), "{:?}", outcome.end);
}

#[tokio::test(start_paused = true)]
async fn counts_that_no_comparison_has_written_are_refused() {
    let world = compared(60).await;
    world.delete(0..20);
    world.compare().await;
    for settled in [-1, 21] {
        world.store.edit(|checkpoint| {
            let part = checkpoint.reconcile.as_mut().unwrap();
            part.missing.as_mut().unwrap().settled = settled;
        });
        let end = world.poll().await.end;
        assert!(matches!(end, End::Unusable(_)), "{end:?}");
    }
}
