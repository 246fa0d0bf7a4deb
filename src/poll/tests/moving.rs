//! Rows that move up to a page already read, and pages that are smaller than was asked for.

use rstest::rstest;

use super::world::World;

/// A list in no order, of which `known` records are delivered, in pages of two.
async fn listing(known: &[&str], shape: impl Fn(&World)) -> World {
    let world = World::started().await;
    world.provider().paging.anchored = false;
    world.provider().paging.page_size = 2;
    shape(&world);
    for (second, id) in (0..).zip(known) {
        world.provider().touch_at(id, second);
    }
    world.pass(known.len() as u64).await;
    assert_eq!(world.poll_well().await.len(), known.len());
    world
}

fn linked(world: &World, tells_total: bool) {
    let mut provider = world.provider();
    provider.paging.by_offset = false;
    provider.gives_links = true;
    provider.tells_no_total = !tells_total;
}

async fn ids_of_next_poll(world: &World) -> Vec<String> {
    let got = world.poll_well().await;
    got.into_iter().map(|event| event.id).collect()
}

/// Nothing else in the pass is unseen, and the watermark would move past the row that moves up: by
/// what comes meanwhile, which keeps a total as it was.
#[rstest]
#[tokio::test(start_paused = true)]
async fn what_moves_up_behind_links_when_others_are_removed_is_delivered(
    #[values(false, true)] tells_total: bool,
) {
    let world = listing(&["a", "b", "c"], |world| linked(world, tells_total)).await;
    world.provider().touch_at("moves up", 2);
    world.pass(300).await;
    let (second_page, now) = (world.provider().requests.len() + 2, world.now());
    world.provider().before.insert(
        second_page,
        Box::new(move |provider| {
            provider.records.remove("a");
            provider.records.remove("b");
            provider.touch_at("comes meanwhile", now + 10);
            provider.touch_at("and another", now + 10);
        }),
    );
    let got = ids_of_next_poll(&world).await;
    assert!(got.contains(&"moves up".to_owned()), "{got:?}");
}

#[tokio::test(start_paused = true)]
async fn a_list_behind_links_in_which_nothing_changes_is_read_once() {
    let world = listing(&["a", "b", "c", "d", "e"], |world| linked(world, false)).await;
    world.pass(300).await;
    let before = world.provider().requests.len();
    assert_eq!(ids_of_next_poll(&world).await, [""; 0]);
    assert_eq!(world.provider().requests.len() - before, 3);
}

/// A provider that is read by offsets alone and tells no total.
async fn silent(anchored: bool) -> World {
    let world = World::started().await;
    let mut provider = world.provider();
    provider.paging.anchored = anchored;
    provider.paging.by_key = false;
    provider.paging.bisectable = false;
    provider.tells_no_total = true;
    drop(provider);
    world
}

#[rstest]
#[tokio::test(start_paused = true)]
async fn a_provider_that_gives_smaller_pages_and_says_nothing_of_what_follows_loses_no_row(
    #[values(1, 3, 5)] cap: usize,
    #[values(false, true)] anchored: bool,
) {
    let world = silent(anchored).await;
    world.provider().cap = cap;
    let now = world.now();
    for row in 0..23 {
        world.provider().touch_at(&format!("r{row:02}"), now);
    }
    assert_eq!(world.poll_well().await.len(), 23);
    assert_eq!(world.poll_well().await, []);
}

/// As where pages are limited by bytes or by time.
#[rstest]
#[case::full_ones_between(&[usize::MAX, 3])]
#[case::none_of_them_full(&[5, 3])]
#[case::of_single_rows(&[5, 1, 4])]
#[tokio::test(start_paused = true)]
async fn a_provider_whose_pages_vary_and_say_nothing_of_what_follows_loses_no_row(
    #[case] caps: &'static [usize],
    #[values(false, true)] anchored: bool,
) {
    let world = silent(anchored).await;
    {
        let mut provider = world.provider();
        let begun = provider.requests.len();
        for (request, cap) in caps.iter().cycle().take(500).enumerate() {
            let cap = *cap;
            let number = begun + request + 1;
            provider
                .before
                .insert(number, Box::new(move |provider| provider.cap = cap));
        }
    }
    let now = world.now();
    for row in 0..60 {
        world.provider().touch_at(&format!("r{row:02}"), now);
    }
    assert_eq!(world.poll_well().await.len(), 60);
}
