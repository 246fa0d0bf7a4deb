//! Classes that other pollers take: each record from one poller, whoever comes and goes.

use chrono::TimeDelta;

use super::world::{Got, World, at, provider_error};
use crate::{
    api::{ChildProgress, MAX_CHILDREN},
    poll::{Child, End, Reached, Start},
};

/// The poller of the class `child`, which started and has settled so far.
fn child(started_at: Option<i64>, watermark: Option<i64>) -> Child {
    Child {
        uid: "child-uid".to_owned(),
        class: "child".to_owned(),
        query_fingerprint: "all of the class".to_owned(),
        started_at: started_at.map(at),
        reached: watermark.map(records_until),
    }
}

fn records_until(second: i64) -> Reached {
    Reached {
        records: at(second),
        deletions: None,
    }
}

/// A parent that has settled until 500, with a child that has settled until 100.
async fn behind() -> World {
    let mut world = World::started().await;
    world.plan.children.push(child(Some(10), Some(100)));
    for (id, second) in [("c90", 90), ("c100", 100), ("c150", 150), ("c490", 490)] {
        world.provider().touch_at(id, second).class = "child";
    }
    for (id, second) in [("early", 5), ("p200", 200), ("p480", 480), ("p500", 500)] {
        world.provider().touch_at(id, second);
    }
    world.pass(500).await;
    assert_eq!(
        ids(&world.poll_well().await),
        ["early", "p200", "p480", "p500"]
    );
    world
}

fn ids(got: &[Got]) -> Vec<&str> {
    got.iter().map(|got| got.id.as_str()).collect()
}

fn entries(world: &World) -> Vec<ChildProgress> {
    world.store.checkpoint().children
}

#[tokio::test(start_paused = true)]
async fn a_class_is_left_to_its_poller_from_the_start_of_that_one() {
    let mut world = World::started().await;
    world.plan.children.push(child(Some(10), None));
    world.provider().touch_at("early", 5).class = "child";
    world.provider().touch_at("late", 15).class = "child";
    world.pass(15).await;
    assert_eq!(ids(&world.poll_well().await), ["early"]);
}

#[tokio::test(start_paused = true)]
async fn until_a_child_has_started_the_parent_delivers() {
    let mut world = World::started().await;
    world.plan.children.push(child(None, None));
    world.provider().touch_at("a", 0).class = "child";
    assert_eq!(world.poll_well().await.len(), 1);
    assert_eq!(entries(&world), []);
}

#[tokio::test(start_paused = true)]
async fn what_a_child_that_is_gone_had_not_settled_comes_from_the_parent_once() {
    let mut world = behind().await;
    world.plan.children.clear();
    assert_eq!(ids(&world.poll_well().await), ["c150", "c490"]);
    assert_eq!(world.store.checkpoint().records.watermark, at(500));
    assert_eq!(world.poll_well().await, []);
    world.pass(100).await;
    world.touch("p600");
    assert_eq!(ids(&world.poll_well().await), ["p600"]);
    assert_eq!(entries(&world), [], "nothing of it is read any more");
}

#[tokio::test(start_paused = true)]
async fn what_a_child_settled_after_its_parents_last_write_is_not_repeated() {
    let mut world = behind().await;
    world.plan.children.clear();
    world
        .plan
        .gone
        .insert("child-uid".to_owned(), records_until(150));
    assert_eq!(ids(&world.poll_well().await), ["c490"]);
    assert_eq!(world.poll_well().await, []);
}

/// Both go by the provider's list of deletions: the parent has read it until 500, the child until 300.
#[tokio::test(start_paused = true)]
async fn deletions_that_a_child_that_is_gone_had_not_told_come_from_the_parent_once() {
    let mut world = World::started_with_deletions().await;
    world
        .plan
        .deletions
        .as_mut()
        .unwrap()
        .classes
        .insert("child".to_owned());
    let reached = Reached {
        records: at(500),
        deletions: Some(at(300)),
    };
    world.plan.children.push(Child {
        reached: Some(reached),
        ..child(Some(10), None)
    });
    for (id, second, class) in [
        ("told", 250, "child"),
        ("owed", 310, "child"),
        ("own", 350, "account"),
        ("owed inside the reach", 400, "child"),
    ] {
        world.provider().delete_at(id, second).class = Some(class);
    }
    world.pass(500).await;
    assert_eq!(ids(&world.poll_well().await), ["own"]);
    world.plan.children.clear();
    assert_eq!(
        ids(&world.poll_well().await),
        ["owed", "owed inside the reach"]
    );
    assert_eq!(world.poll_well().await, []);
    world.provider().delete_at("later", 510);
    world.pass(100).await;
    world.touch("p600");
    assert_eq!(ids(&world.poll_well().await), ["later", "p600"]);
    assert_eq!(world.poll_well().await, []);
    assert_eq!(entries(&world), [], "nothing of it is read any more");
}

/// A parent that has polled beside a child that came as far as second 100.
async fn with_a_first_child() -> World {
    let mut world = World::started_with_deletions().await;
    let first = Reached {
        records: at(100),
        deletions: Some(at(100)),
    };
    world.plan.children.push(Child {
        reached: Some(first),
        ..child(Some(10), None)
    });
    world.provider().touch_at("p500", 500);
    world.pass(500).await;
    assert_eq!(ids(&world.poll_well().await), ["p500"]);
    world
}

/// The entry of the first is kept for the list of deletions, in which nothing happens.
#[tokio::test(start_paused = true)]
async fn what_two_children_in_turn_had_not_settled_comes_from_the_parent() {
    let mut world = with_a_first_child().await;
    world.plan.children.clear();
    assert_eq!(world.poll_well().await, []);

    world.plan.children.push(Child {
        uid: "second-uid".to_owned(),
        ..child(Some(510), None)
    });
    world.provider().touch_at("c650", 650).class = "child";
    world.provider().touch_at("p900", 900);
    world.pass(400).await;
    assert_eq!(ids(&world.poll_well().await), ["p900"]);
    world.plan.children.clear();
    assert_eq!(ids(&world.poll_well().await), ["c650"]);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn what_the_parent_told_of_a_class_before_its_second_child_started_is_not_told_again() {
    let mut world = with_a_first_child().await;

    // It came no further than to the unit of dates before its start.
    let second = Reached {
        records: at(299),
        deletions: Some(at(299)),
    };
    world.plan.children[0] = Child {
        uid: "second-uid".to_owned(),
        reached: Some(second),
        ..child(Some(301), None)
    };
    world.provider().touch_at("c300", 300).class = "child";
    world.provider().touch_at("p900", 900);
    world.pass(400).await;
    assert_eq!(ids(&world.poll_well().await), ["c300", "p900"]);
    world.plan.children.clear();
    assert_eq!(world.poll_well().await, []);
}

/// What its parents have stored is dated by the provider's clock, its creation by ours.
#[tokio::test(start_paused = true)]
async fn a_child_of_a_provider_whose_clock_is_behind_starts_behind_what_its_parents_have_read() {
    let mut plan = World::started().await.plan;
    plan.start = Start::Created(at(100));
    let day = TimeDelta::days(1);
    let started_at = |parents_polled: i64| {
        let plan = plan.starting_behind(None, Some(at(parents_polled) - day));
        plan.start_instant(at(200), at(200) - day)
    };
    assert_eq!(started_at(150), at(201) - day);
    assert_eq!(started_at(50), at(100) - day);
}

/// Until it stores what it asks now, how far it came is known by what it asked before.
#[tokio::test(start_paused = true)]
async fn a_child_that_is_about_to_ask_something_else_is_known_by_what_it_asked() {
    let mut world = behind().await;
    world.plan.children = vec![Child {
        query_fingerprint: "some of the class".to_owned(),
        ..child(None, None)
    }];
    assert_eq!(world.poll_well().await, []);
    let entry = entries(&world).remove(0);
    assert_eq!(entry.query_fingerprint, "all of the class");
}

/// Where a sweep begins more may come under that very date.
#[tokio::test(start_paused = true)]
async fn what_is_dated_where_the_next_sweep_begins_is_not_settled_when_another_child_comes() {
    let mut world = World::started().await;
    world.plan.children.push(child(Some(-60), Some(-60)));
    assert_eq!(world.poll_well().await, []);
    world.plan.children.clear();
    assert_eq!(world.poll_well().await, []);

    world.plan.children.push(Child {
        uid: "second-uid".to_owned(),
        ..child(Some(1), None)
    });
    world.provider().touch_at("c0", 0).class = "child";
    assert_eq!(ids(&world.poll_well().await), ["c0"]);
}

/// The overlap may end in the midst of a unit, the whole of which is asked for.
#[tokio::test(start_paused = true)]
async fn what_appears_in_the_second_in_which_a_sweep_begins_comes_while_a_class_is_read_again() {
    let mut world = World::started().await;
    world.plan.reach = TimeDelta::milliseconds(30_500);
    world.plan.children.push(child(Some(0), Some(100)));
    world.provider().touch_at("p200", 200);
    world.pass(200).await;
    assert_eq!(ids(&world.poll_well().await), ["p200"]);
    world.plan.children.clear();
    world.provider().touch_at("p169", 169);
    assert_eq!(ids(&world.poll_well().await), ["p169"]);
}

#[tokio::test(start_paused = true)]
async fn reading_a_class_again_survives_failures_and_repeats_nothing() {
    let mut world = behind().await;
    world.plan.children.clear();
    world.provider().paging.page_size = 2;
    let mut got = Vec::new();
    for _ in 0..8 {
        // Each poll reads two pages and is then cut off.
        let next = world.provider().requests.len() + 3;
        world.provider().failing.insert(next, provider_error());
        let before = world.receiver.acknowledged().len();
        let end = world.poll().await.end;
        got.extend(world.receiver.acknowledged().split_off(before));
        world.provider().failing.clear();
        if end == End::Complete {
            break;
        }
    }
    assert_eq!(ids(&got), ["c150", "c490"]);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_class_that_another_poller_takes_while_it_is_read_again_is_that_ones() {
    let mut world = behind().await;
    world.plan.children.clear();
    world.plan.children.push(Child {
        uid: "second-uid".to_owned(),
        ..child(Some(300), None)
    });
    assert_eq!(ids(&world.poll_well().await), ["c150"]);
    assert_eq!(world.poll_well().await, []);
    // The second is gone before it has settled anything.
    world.plan.children.clear();
    assert_eq!(ids(&world.poll_well().await), ["c490"]);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn an_unordered_provider_too_gives_back_what_the_child_left() {
    let mut world = behind().await;
    world.provider().paging.anchored = false;
    world.plan.children.clear();
    assert_eq!(ids(&world.poll_well().await), ["c150", "c490"]);
    assert_eq!(world.poll_well().await, []);
}

#[tokio::test(start_paused = true)]
async fn the_entry_of_a_child_that_catches_up_follows_it_quietly() {
    let mut world = behind().await;
    let written = world.store.written();
    let mut held = world.poll().await.checkpoint.unwrap();
    world.plan.children = vec![child(Some(10), Some(490))];
    held = world
        .poll_from(held, &Default::default())
        .await
        .checkpoint
        .unwrap();
    assert_eq!(
        world.store.written(),
        written,
        "an idle poll writes nothing"
    );
    assert_eq!(held.checkpoint.children[0].watermark, at(490));
}

/// The poller that takes a class cannot be read: nothing of its own may come from here meanwhile.
#[tokio::test(start_paused = true)]
async fn a_child_that_cannot_be_read_still_counts() {
    let mut world = behind().await;
    world.plan.children = vec![Child {
        uid: String::new(),
        ..child(Some(-1_000), None)
    }];
    world.provider().touch_at("c500", 500).class = "child";
    assert_eq!(world.poll_well().await, []);
    assert_eq!(entries(&world)[0].settled_before, None);
}

#[tokio::test(start_paused = true)]
async fn what_is_dated_exactly_when_a_child_started_is_not_lost_with_it() {
    let mut world = World::started().await;
    world.plan.children.push(child(Some(10), None));
    world.provider().touch_at("c10", 10).class = "child";
    world.pass(20).await;
    assert_eq!(world.poll_well().await, []);
    world.plan.children.clear();
    assert_eq!(ids(&world.poll_well().await), ["c10"]);
}

/// Everything is dated anew from there on, also what was settled before a child left.
#[tokio::test(start_paused = true)]
async fn a_clock_set_back_behind_a_child_that_is_gone_loses_nothing() {
    let mut world = behind().await;
    world.plan.children.clear();
    world
        .plan
        .gone
        .insert("child-uid".to_owned(), records_until(490));
    assert_eq!(world.poll_well().await, []);
    world.provider().skew = TimeDelta::seconds(-300);
    world.poll().await;
    world.poll().await;
    world.provider().touch_at("own", 250);
    world.provider().touch_at("class", 250).class = "child";
    let got = world.poll_well().await;
    assert_eq!(ids(&got), ["class", "own"]);
}

#[tokio::test(start_paused = true)]
async fn an_edit_after_the_clock_was_set_back_loses_nothing_behind_a_child_that_is_gone() {
    let mut world = behind().await;
    world.plan.children.clear();
    world
        .plan
        .gone
        .insert("child-uid".to_owned(), records_until(490));
    assert_eq!(world.poll_well().await, []);
    world.provider().skew = TimeDelta::seconds(-300);
    world.poll().await;
    world.plan.query_fingerprint = "something else".to_owned();
    world.provider().touch_at("own", 250);
    world.provider().touch_at("class", 250).class = "child";
    let got = world.poll_well().await;
    let got = ids(&got);
    assert!(got.contains(&"own") && got.contains(&"class"), "{got:?}");
}

#[tokio::test(start_paused = true)]
async fn children_beyond_what_a_checkpoint_holds_are_told() {
    let mut world = World::started().await;
    for number in 0..=MAX_CHILDREN {
        world.plan.children.push(Child {
            uid: format!("child-{number}"),
            class: format!("class{number}"),
            ..child(Some(0), None)
        });
    }
    let notes = world.poll().await.progress.notes;
    assert!(notes.iter().any(|note| note.contains("twice")), "{notes:?}");
    world.plan.children.pop();
    assert_eq!(world.poll().await.progress.notes, Vec::<String>::new());
}
