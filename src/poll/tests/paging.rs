//! Pages that move, tie, hide rows or lie.

use super::world::{World, provider_error};
use crate::{category::Category, poll::End};

#[tokio::test(start_paused = true)]
async fn a_record_touched_between_two_pages_pushes_no_other_out_of_sight() {
    let world = World::started().await;
    for second in 0..30 {
        world.provider().touch_at(&format!("r{second:02}"), second);
    }
    world.pass(30).await;
    let third_request = world.provider().requests.len() + 2;
    world.provider().before.insert(
        third_request,
        Box::new(|provider| {
            provider.touch_at("r03", 29);
        }),
    );
    let mut got: Vec<_> = world
        .poll_well()
        .await
        .into_iter()
        .map(|event| (event.id, event.version))
        .collect();
    got.sort();
    let mut expected: Vec<_> = (0..30).map(|second| (format!("r{second:02}"), 1)).collect();
    expected.push(("r03".to_owned(), 2));
    expected.sort();
    assert_eq!(got, expected);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_tie_over_ten_pages_is_delivered_once() {
    let mut world = World::started().await;
    world.plan.max_events = 10;
    world.provider().paging.page_size = 500;
    for row in 0..5_000 {
        world.provider().touch_at(&format!("r{row:04}"), 7);
    }
    world.pass(10).await;
    let before = world.provider().requests.len();
    let got = world.poll_well().await;
    assert_eq!(got.len(), 5_000);
    let requests = world.provider().requests.len() - before;
    assert!(requests <= 11, "{requests} requests, ten at least");
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_tie_where_there_is_no_key_is_delivered_once() {
    let world = World::started().await;
    world.provider().paging.by_key = false;
    for row in 0..95 {
        world.provider().touch_at(&format!("r{row:02}"), 7);
    }
    world.pass(10).await;
    assert_eq!(world.poll_well().await.len(), 95);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn pages_emptied_by_access_rules_end_nothing() {
    let world = World::started().await;
    for second in 0..60 {
        world
            .provider()
            .touch_at(&format!("r{second:02}"), second)
            .hidden = (5..45).contains(&second);
    }
    world.pass(60).await;
    assert_eq!(world.poll_well().await.len(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_ignores_the_order_loses_nothing_and_is_named() {
    let world = World::started().await;
    world.provider().ignores_order = true;
    for row in 0..25 {
        world
            .provider()
            .touch_at(&format!("r{row:02}"), (row * 7) % 25);
    }
    world.pass(30).await;
    let outcome = world.poll().await;
    assert_eq!(outcome.end, End::Complete);
    assert_eq!(world.receiver.acknowledged().len(), 25);
    assert!(
        outcome
            .progress
            .unordered
            .unwrap()
            .contains("ignores the order")
    );
}

/// It moves to the end of the list, and what is behind it moves up, to where a page was read already.
#[tokio::test(start_paused = true)]
async fn what_moves_up_across_the_edge_of_a_page_when_another_changes_is_delivered() {
    for drop_after_clock in [false, true] {
        let mut world = World::started().await;
        world.plan.drop_after_clock = drop_after_clock;
        world.provider().paging.anchored = false;
        world.provider().paging.page_size = 2;
        world.provider().touch_at("a", 0);
        world.provider().touch_at("b", 1);
        world.pass(3).await;
        assert_eq!(world.poll_well().await.len(), 2);
        world.provider().touch_at("moves up", 2);
        let second_page = world.provider().requests.len() + 2;
        world.provider().before.insert(
            second_page,
            Box::new(|provider| {
                provider.touch_at("a", 4);
            }),
        );
        let got = world.poll_well().await;
        let ids: Vec<_> = got.iter().map(|event| event.id.as_str()).collect();
        assert!(ids.contains(&"moves up"), "{ids:?}");
    }
}

/// Whatever is dated earlier may stand on a page to come.
#[tokio::test(start_paused = true)]
async fn a_listing_in_no_order_that_breaks_off_moves_no_watermark() {
    let world = World::started().await;
    world.provider().paging.anchored = false;
    world.provider().ignores_order = true;
    for row in 0..20 {
        let second = if row < 10 { 300 } else { 100 };
        world.provider().touch_at(&format!("r{row:02}"), second);
    }
    world.pass(300).await;
    let cut_off = world.provider().requests.len() + 2;
    world.provider().failing.insert(cut_off, provider_error());
    assert!(matches!(world.poll().await.end, End::ProviderFailed(_)));
    assert_eq!(world.receiver.acknowledged().len(), 10);
    assert_eq!(world.poll_well().await.len(), 10);
}

/// A condition with another text is a write, and a line for a person to read.
#[tokio::test(start_paused = true)]
async fn a_provider_that_ignores_the_order_is_named_alike_at_every_poll() {
    let world = World::started().await;
    world.provider().ignores_order = true;
    let mut said = std::collections::HashSet::new();
    for poll in 0..3 {
        for row in 0..5 {
            let second = poll * 10 + (row * 3) % 5;
            world
                .provider()
                .touch_at(&format!("r{}-{row}", 9 - poll), second);
        }
        world.pass(10).await;
        said.insert(world.poll().await.progress.unordered.unwrap());
    }
    assert_eq!(said.len(), 1, "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_ignores_the_filter_causes_no_flood() {
    let world = World::started().await;
    world.provider().ignores_filter = true;
    for row in 0..40 {
        world
            .provider()
            .touch_at(&format!("old{row:02}"), -1_000 + row);
    }
    world.touch("new");
    let outcome = world.poll().await;
    assert_eq!(outcome.end, End::Complete);
    assert_eq!(world.receiver.acknowledged().len(), 1);
    assert!(
        outcome
            .progress
            .unordered
            .unwrap()
            .contains("ignores the filter")
    );
}

#[tokio::test(start_paused = true)]
async fn a_record_touched_at_every_request_keeps_no_sweep_alive() {
    let world = World::started().await;
    for second in 0..20 {
        world.provider().touch_at(&format!("r{second:02}"), second);
    }
    world.pass(20).await;
    for request in 0..40 {
        world.provider().before.insert(
            request,
            Box::new(move |provider| {
                provider.touch_at("hot", 20 + i64::try_from(request).unwrap());
            }),
        );
    }
    let outcome = world.poll().await;
    assert_eq!(outcome.end, End::Complete);
    assert!(
        outcome.progress.requests <= 4,
        "{}",
        outcome.progress.requests
    );
}

#[tokio::test(start_paused = true)]
async fn a_page_that_fails_ends_the_poll_and_the_next_goes_on() {
    let world = World::started().await;
    for second in 0..30 {
        world.provider().touch_at(&format!("r{second:02}"), second);
    }
    world.pass(30).await;
    let failing = world.provider().requests.len() + 2;
    world.provider().failing.insert(failing, provider_error());
    let outcome = world.poll().await;
    assert!(
        matches!(outcome.end, End::ProviderFailed(error) if error.category == Category::Provider)
    );
    assert_eq!(world.receiver.acknowledged().len(), 10);
    assert_eq!(world.poll_well().await.len(), 20);
}

#[tokio::test(start_paused = true)]
async fn changes_come_in_order_of_their_updated_date() {
    let world = World::started().await;
    for row in 0..25 {
        world
            .provider()
            .touch_at(&format!("r{row:02}"), (row * 7) % 25);
    }
    world.pass(30).await;
    let ids: Vec<_> = world
        .poll_well()
        .await
        .into_iter()
        .map(|event| event.id)
        .collect();
    let mut expected: Vec<_> = (0..25)
        .map(|row| ((row * 7) % 25, format!("r{row:02}")))
        .collect();
    expected.sort();
    assert_eq!(
        ids,
        expected.into_iter().map(|(_, id)| id).collect::<Vec<_>>()
    );
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_ignores_key_and_offset_is_named_and_asked_no_more() {
    for (anchored, rows) in [(true, 25), (false, 25), (true, 11), (false, 11)] {
        let world = World::started().await;
        world.provider().paging.anchored = anchored;
        world.provider().ignores_steps = true;
        let before = world.provider().requests.len();
        let now = world.now();
        for row in 0..rows {
            world.provider().touch_at(&format!("r{row:02}"), now);
        }
        let end = world.poll().await.end;
        assert!(
            matches!(&end, End::Unfinished(reason) if reason.contains("ignores the offset")),
            "{end:?}"
        );
        assert!(world.provider().requests.len() - before <= 5);
        assert_eq!(world.receiver.acknowledged().len(), 10);
    }
}

#[tokio::test(start_paused = true)]
async fn a_tie_that_comes_in_no_order_of_its_keys_is_delivered_once() {
    let world = World::started().await;
    world.provider().reverses_ties = true;
    let now = world.now();
    for row in 0..35 {
        world.provider().touch_at(&format!("r{row:02}"), now);
    }
    assert_eq!(world.poll_well().await.len(), 35);
    assert_eq!(world.poll_well().await, []);
}

/// Nothing is concluded from what never came to its end.
#[tokio::test(start_paused = true)]
async fn a_provider_that_promises_more_for_ever_ends_the_poll_and_the_next_one_tries_again() {
    for anchored in [true, false] {
        let world = World::started().await;
        world.provider().paging.anchored = anchored;
        world.touch("a");
        assert_eq!(world.poll_well().await.len(), 1);
        world.pass(100).await;
        world.touch("b");
        let before = world.store.checkpoint();
        world.provider().promises_more = true;
        for _ in 0..2 {
            let outcome = world.poll().await;
            assert!(
                matches!(&outcome.end, End::Unfinished(reason) if reason.contains("1000 pages in a row")),
                "{:?}",
                outcome.end
            );
            assert!(outcome.progress.requests <= 1_002);
            let records = world.store.checkpoint().records;
            assert_eq!(records.watermark, before.records.watermark);
        }
        world.provider().promises_more = false;
        assert_eq!(world.poll_well().await.len(), 1);
    }
}

/// All the others are known, so that nothing but the gap tells.
#[tokio::test(start_paused = true)]
async fn what_moves_up_across_the_edge_of_a_page_when_others_are_removed_is_delivered() {
    let world = World::started().await;
    world.provider().paging.anchored = false;
    world.provider().paging.page_size = 4;
    for row in (0..9).filter(|row| *row != 4) {
        world.provider().touch_at(&format!("r{row}"), row);
    }
    world.pass(9).await;
    assert_eq!(world.poll_well().await.len(), 8);
    world.provider().touch_at("r4", 4);
    let second_page = world.provider().requests.len() + 2;
    world.provider().before.insert(
        second_page,
        Box::new(|provider| {
            provider.records.remove("r0");
            provider.records.remove("r1");
        }),
    );
    let got = world.poll_well().await;
    assert_eq!(
        got.iter().map(|event| &*event.id).collect::<Vec<_>>(),
        ["r4"]
    );
}
