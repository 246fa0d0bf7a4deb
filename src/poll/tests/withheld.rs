//! A list of deletions that is refused, or does not end.

use tokio_util::sync::CancellationToken;

use super::world::World;
use crate::{category::Category, event::Kind, poll::End, provider::FetchError};

/// A poller that has delivered the records `ids`.
async fn delivered(ids: &[&str]) -> World {
    let world = World::started_with_deletions().await;
    for id in ids {
        world.touch(id);
    }
    assert_eq!(world.poll_well().await.len(), ids.len());
    world.pass(5).await;
    world
}

fn denied() -> FetchError {
    FetchError::new(Category::Permission, "403 for sys_audit_delete")
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_refused_is_asked_for_again_after_an_hour_and_nothing_of_it_is_lost() {
    let world = delivered(&["a", "b"]).await;
    world.provider().deletions.failing = Some(denied());
    let mut outcome = world.poll().await;
    let told = outcome.progress.deletes_unavailable.clone();
    let asked = world.provider().deletions.requests.len();
    for poll in 0..11 {
        world.pass(300).await;
        if poll == 5 {
            world.delete_now("a");
        }
        world.touch("c");
        outcome = world.poll_on(outcome).await;
        assert_eq!(
            (
                outcome.end.clone(),
                outcome.progress.created + outcome.progress.updated
            ),
            (End::Complete, 1)
        );
        assert_eq!(outcome.progress.deletes_unavailable, told);
    }
    assert_eq!(world.provider().deletions.requests.len(), asked);
    world.provider().deletions.failing = None;
    world.pass(300).await;
    let outcome = world.poll_on(outcome).await;
    assert_eq!(outcome.progress.deletes_unavailable, None);
    assert_eq!(outcome.progress.deleted, 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_list_is_asked_for_at_once_by_another_process_and_when_somebody_asks_for_a_poll()
{
    let world = delivered(&["a"]).await;
    world.provider().deletions.failing = Some(denied());
    let mut held = world.poll().await.checkpoint.unwrap();
    let asked = |world: &World| world.provider().deletions.requests.len();
    let before = asked(&world);
    world.poll().await;
    assert_eq!(
        asked(&world),
        before + 1,
        "what is stored says nothing of it"
    );
    held.ask_anew();
    world.poll_from(held, &CancellationToken::new()).await;
    assert_eq!(asked(&world), before + 2);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_promises_more_for_ever_ends_the_poll_behind_the_records() {
    let world = delivered(&["a"]).await;
    world.delete_now("a");
    world.touch("b");
    world.provider().deletions.promises_more = true;
    let before = world.provider().deletions.requests.len();
    let outcome = world.poll().await;
    assert!(
        matches!(&outcome.end, End::Unfinished(reason) if reason.contains("more records follow")),
        "{:?}",
        outcome.end
    );
    assert_eq!((outcome.progress.created, outcome.progress.deleted), (1, 0));
    assert!(world.provider().deletions.requests.len() - before <= 1_002);
    world.provider().deletions.promises_more = false;
    world.pass(60).await;
    let got = world.poll_well().await;
    assert_eq!((got.len(), got[0].kind), (1, Kind::Deleted));
}
