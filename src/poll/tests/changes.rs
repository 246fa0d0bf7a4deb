//! What is a change, of which kind, and delivered how often.

use std::time::Duration;

use super::world::{BEGIN, World, at, provider_error};
use crate::{api::CreatedCheck, event::Kind, poll::End};
use chrono::TimeDelta;
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn an_idle_poll_sends_and_writes_nothing() {
    let world = World::started().await;
    let written = world.store.written();
    for _ in 0..10 {
        world.pass(60).await;
        assert_eq!(world.poll_well().await, []);
    }
    assert_eq!(world.store.written(), written);
    assert_eq!(
        world.provider().requests.len(),
        2 + 10,
        "one request per idle poll"
    );
}

#[tokio::test(start_paused = true)]
async fn idle_inside_the_overlap_repeats_nothing() {
    let world = World::started().await;
    world.touch("a");
    world.pass(1).await;
    assert_eq!(world.poll_well().await.len(), 1);
    let written = world.store.written();
    for _ in 0..5 {
        world.pass(1).await;
        assert_eq!(world.poll_well().await, []);
    }
    assert_eq!(world.store.written(), written);
}

/// The bound is rounded down to the second, and the window must reach as far.
#[tokio::test(start_paused = true)]
async fn idle_inside_an_overlap_that_is_no_multiple_of_the_unit_repeats_nothing() {
    let mut world = World::started().await;
    world.plan.reach = TimeDelta::milliseconds(1_500);
    world.provider().touch_at("a", 8);
    world.provider().touch_at("b", 10);
    world.pass(10).await;
    assert_eq!(world.poll_well().await.len(), 2);
    for _ in 0..2 {
        world.pass(1).await;
        assert_eq!(world.poll_well().await, []);
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_update_in_the_same_second_is_a_change_of_its_own() {
    let world = World::started().await;
    world.touch("a");
    let first = world.poll_well().await;
    world.touch("a");
    let second = world.poll_well().await;
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_ne!(first[0].event, second[0].event);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_new_record_tied_with_the_watermark_is_delivered() {
    let world = World::started().await;
    world.touch("b");
    assert_eq!(world.poll_well().await.len(), 1);
    world.touch("a");
    let tied = world.poll_well().await;
    assert_eq!(tied.len(), 1);
    assert_eq!(tied[0].id, "a");
}

#[tokio::test(start_paused = true)]
async fn a_late_arrival_inside_the_overlap_is_delivered_once() {
    let world = World::started().await;
    world.pass(10).await;
    world.provider().touch_at("late", 8).visible_from = 25;
    world.touch("punctual");
    world.pass(10).await;
    assert_eq!(world.poll_well().await.len(), 1);
    world.pass(10).await;
    let late = world.poll_well().await;
    assert_eq!(late.len(), 1);
    assert_eq!(late[0].id, "late");
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn created_is_told_from_updated_by_the_dates() {
    let world = World::started().await;
    world.pass(5).await;
    world.touch("new");
    world.provider().touch_at("old", 5).created = -1_000;
    let got = world.poll_well().await;
    let kind = |id: &str| got.iter().find(|event| event.id == id).unwrap().kind;
    assert_eq!((kind("new"), kind("old")), (Kind::Created, Kind::Updated));
}

#[tokio::test(start_paused = true)]
async fn created_and_edited_between_two_polls_is_created() {
    let world = World::started().await;
    world.pass(10).await;
    world.provider().touch_at("a", 5);
    world.provider().touch_at("a", 9);
    assert_eq!(world.poll_well().await[0].kind, Kind::Created);
    world.pass(10).await;
    world.touch("a");
    assert_eq!(
        world.poll_well().await[0].kind,
        Kind::Updated,
        "once created, it is updated"
    );
}

/// A provider whose page moved under it shows a row again.
#[tokio::test(start_paused = true)]
async fn a_record_that_a_page_shows_twice_comes_once() {
    let world = World::started().await;
    world.touch("a");
    world.provider().touch_at("its twin", 0).id = "a".to_owned();
    assert_eq!(world.poll_well().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn created_is_told_by_when_a_sweep_began_also_where_another_process_goes_on_with_it() {
    let world = World::started().await;
    for second in 0..25 {
        world.provider().touch_at(&format!("r{second:02}"), second);
    }
    world.provider().touch_at("edited", 5);
    world.provider().touch_at("edited", 20);
    world.pass(30).await;
    let cut_off = world.provider().requests.len() + 2;
    world.provider().failing.insert(cut_off, provider_error());
    assert!(matches!(world.poll().await.end, End::ProviderFailed(_)));
    assert!(world.store.checkpoint().records.watermark > at(5));
    let got = world.poll_well().await;
    let edited = got.iter().find(|got| got.id == "edited").unwrap();
    assert_eq!(edited.kind, Kind::Created);
}

/// Both dates are those of the creation still.
#[tokio::test(start_paused = true)]
async fn a_record_edited_in_the_second_of_its_creation_is_created_once() {
    let world = World::started().await;
    world.touch("a");
    assert_eq!(world.poll_well().await[0].kind, Kind::Created);
    world.touch("a");
    assert_eq!(world.poll_well().await[0].kind, Kind::Updated);
}

#[tokio::test(start_paused = true)]
async fn the_check_of_open_connectors_goes_by_the_dates_alone() {
    let mut world = World::started().await;
    world.plan.created_check = CreatedCheck::OpenConnectors;
    world.pass(10).await;
    world.provider().touch_at("a", 5);
    world.provider().touch_at("a", 9);
    assert_eq!(world.poll_well().await[0].kind, Kind::Updated);
}

#[tokio::test(start_paused = true)]
async fn a_tolerance_lets_the_dates_of_a_created_record_differ() {
    let mut world = World::started().await;
    world.plan.created_check = CreatedCheck::OpenConnectors;
    world.plan.created_tolerance = chrono::TimeDelta::seconds(4);
    world.pass(10).await;
    world.provider().touch_at("a", 5);
    world.provider().touch_at("a", 9);
    assert_eq!(world.poll_well().await[0].kind, Kind::Created);
}

#[tokio::test(start_paused = true)]
async fn records_dated_before_the_start_are_not_delivered() {
    let world = World::new();
    world.provider().touch_at("before", -1);
    world.provider().touch_at("at", 0);
    let got = world.poll_well().await;
    assert_eq!(got.len(), 1);
    assert_eq!(got[0].id, "at");
}

#[tokio::test(start_paused = true)]
async fn the_start_is_read_by_the_providers_clock() {
    let world = World::new();
    world.provider().skew = chrono::TimeDelta::seconds(-100);
    world.provider().touch_at("after the start there", -99);
    assert_eq!(world.poll_well().await.len(), 1);
    assert_eq!(world.store.checkpoint().started_at, at(-100));
}

#[tokio::test(start_paused = true)]
async fn a_record_dated_in_the_future_is_delivered_once_and_stops_nothing() {
    let world = World::started().await;
    world.provider().touch_at("2099", 2_000_000_000);
    assert_eq!(world.poll_well().await.len(), 1);
    assert_eq!(world.store.checkpoint().records.watermark, at(0));
    for second in 0..5 {
        world.pass(20).await;
        world.touch("a");
        assert_eq!(world.poll_well().await.len(), 1, "poll {second}");
    }
}

/// What becomes visible while the page is on its way is not on it.
#[tokio::test(start_paused = true)]
async fn where_answers_tell_no_time_the_watermark_passes_no_question() {
    let world = World::started().await;
    world.provider().tells_no_time = true;
    world.provider().page_takes = Duration::from_secs(40);
    world.provider().touch_at("2099", 2_000_000_000);
    world.provider().touch_at("late", 1).visible_from = 10;
    assert_eq!(world.poll_well().await.len(), 1);
    assert_eq!(world.poll_well().await[0].id, "late");
}

#[tokio::test(start_paused = true)]
async fn records_without_id_or_date_are_counted_and_named_and_stop_no_other() {
    let world = World::started().await;
    world.touch("good");
    world.provider().touch_at("no id", 0).odd = Some(json!({"sys_updated_on": BEGIN * 1_000}));
    world.provider().touch_at("no date", 0).odd =
        Some(json!({"sys_id": "x7", "sys_updated_on": "yesterday"}));
    let outcome = world.poll().await;
    assert_eq!(world.receiver.acknowledged().len(), 1);
    assert_eq!(outcome.progress.bad_records, 2);
    let samples = outcome.progress.bad_samples.join("; ");
    assert!(
        samples.contains("x7") && samples.contains("yesterday"),
        "{samples}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_not_utf8_is_counted_and_named_and_stops_no_other() {
    let world = World::started().await;
    world.touch("good");
    let odd = json!({"sys_id": "x7", "sys_updated_on": BEGIN * 1_000, "city": "Orl\u{fffd}"});
    world.provider().touch_at("odd", 0).odd = Some(odd);
    for delivered in [1, 0] {
        let outcome = world.poll().await;
        assert_eq!(outcome.progress.bad_records, 1);
        let samples = outcome.progress.bad_samples.join("; ");
        assert!(
            samples.contains("x7") && samples.contains("UTF-8"),
            "{samples}"
        );
        assert_eq!(
            outcome.progress.updated + outcome.progress.created,
            delivered
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_without_updated_date_goes_by_its_created_date() {
    let world = World::started().await;
    world.provider().touch_at("a", 0).odd =
        Some(json!({"sys_id": "a", "sys_updated_on": "", "sys_created_on": BEGIN * 1_000}));
    assert_eq!(world.poll_well().await[0].kind, Kind::Created);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn excluded_classes_are_not_delivered() {
    let mut world = World::started().await;
    world.plan.excluded_classes.insert("child".to_owned());
    world.provider().touch_at("a", 0).class = "child";
    let outcome = world.poll().await;
    assert_eq!(outcome.progress.excluded, 1);
    assert!(world.receiver.acknowledged().is_empty());
}

#[tokio::test(start_paused = true)]
async fn filter_by_current_date_leaves_what_is_newer_to_the_next_poll() {
    let mut world = World::started().await;
    world.plan.drop_after_clock = true;
    world.provider().touch_at("ahead", 5);
    assert_eq!(world.poll_well().await, []);
    world.pass(6).await;
    assert_eq!(world.poll_well().await.len(), 1);
}

/// Rows of any date come again, and the window keeps what a whole sweep returned.
#[tokio::test(start_paused = true)]
async fn both_filters_repeat_nothing_when_the_clock_was_set_back_for_a_while() {
    let mut world = World::started().await;
    (world.plan.drop_before_bound, world.plan.drop_after_clock) = (false, true);
    world.provider().ignores_filter = true;
    world.provider().paging.anchored = false;
    world.touch("a");
    world.pass(100).await;
    world.touch("b");
    world.pass(1).await;
    assert_eq!(world.poll_well().await.len(), 2);
    for skew in [-1, 0] {
        world.provider().skew = TimeDelta::hours(skew);
        assert_eq!(world.poll_well().await, []);
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_filter_by_updated_date_old_rows_come_once() {
    let mut world = World::started().await;
    world.plan.drop_before_bound = false;
    world.provider().ignores_filter = true;
    world.provider().paging.anchored = false;
    world.touch("a");
    assert_eq!(world.poll_well().await.len(), 1);
    for _ in 0..3 {
        world.pass(600).await;
        world.touch("b");
        let got = world.poll_well().await;
        assert_eq!(got.len(), 1, "a is still listed, and known");
        assert_eq!(got[0].id, "b");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_back_is_followed() {
    let world = World::started().await;
    world.touch("a");
    world.poll_well().await;
    world.provider().skew = TimeDelta::hours(-1);
    world.pass(60).await;
    let by_provider = world.now() - 3_600;
    world.provider().touch_at("b", by_provider);
    assert_eq!(
        world.poll().await.progress.notes,
        [""; 0],
        "it may be a glitch"
    );
    let outcome = world.poll().await;
    assert!(
        outcome.progress.notes[0].contains("set back"),
        "{outcome:?}"
    );
    assert_eq!(outcome.progress.events(), 1, "what it hid until now");
    assert_eq!(world.receiver.acknowledged()[1].id, "b");
    assert_eq!(world.poll_well().await, []);
}

/// Polls are further apart than the overlap reaches.
#[tokio::test(start_paused = true)]
async fn what_changes_between_the_two_polls_that_show_a_clock_set_back_is_delivered() {
    let world = World::started().await;
    world.pass(7_200).await;
    world.touch("a");
    world.poll_well().await;
    world.provider().skew = TimeDelta::hours(-1);
    assert_eq!(world.poll_well().await, []);
    world.pass(60).await;
    let by_provider = world.now() - 3_600;
    world.provider().touch_at("b", by_provider);
    world.pass(600).await;
    assert_eq!(world.poll_well().await.len(), 1);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn what_changed_between_a_set_back_of_the_clock_and_the_next_poll_is_delivered() {
    let world = World::started().await;
    world.pass(7_200).await;
    world.touch("a");
    world.poll_well().await;
    world.provider().skew = TimeDelta::hours(-1);
    world.pass(120).await;
    let by_provider = world.now() - 3_600;
    world.provider().touch_at("b", by_provider);
    world.pass(180).await;
    assert_eq!(world.poll_well().await, []);
    world.pass(300).await;
    assert_eq!(world.poll_well().await.len(), 1);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_single_answer_with_an_early_clock_moves_nothing() {
    let world = World::started().await;
    world.touch("a");
    world.poll_well().await;
    let watermark = world.store.checkpoint().records.watermark;
    for skew in [-1, 0, -1, 0] {
        world.provider().skew = TimeDelta::hours(skew);
        world.pass(60).await;
        assert_eq!(world.poll().await.progress.notes, [""; 0]);
    }
    assert_eq!(world.store.checkpoint().records.watermark, watermark);
}

/// What comes without its content has another id than with it: a restart must know which.
#[tokio::test(start_paused = true)]
async fn as_open_connectors_does_created_is_told_by_the_dates_alone() {
    let mut world = World::started().await;
    world.plan.created_check = CreatedCheck::OpenConnectors;
    world.plan.created_tolerance = TimeDelta::seconds(5);
    world.touch("a");
    assert_eq!(world.poll_well().await[0].kind, Kind::Created);
    world.pass(3).await;
    world.touch("a");
    assert_eq!(world.poll_well().await[0].kind, Kind::Created);
    world.pass(3).await;
    world.touch("a");
    assert_eq!(world.poll_well().await[0].kind, Kind::Updated);
}
