//! How the provider answers questions about ids.

use pollen::provider::{IdAsk, Page};

use super::{Inner, Process, World, listing::body, number};
use crate::settings::Part;

impl Process {
    pub(super) fn answer_ids(&self, ask: &IdAsk) -> Page {
        let world = &self.world;
        let settings = &world.settings;
        let mut inner = world.inner();
        let (selected, offset) = select(&inner, world, ask);
        let limit = settings.limit();
        let page = selected.iter().copied().skip(offset).take(limit);
        let visible: Vec<u32> = page
            .filter(|number| !inner.provider.records[number].hidden)
            .collect();
        let mut page = Page::new(world.shape.clone(), body(&inner, settings, &visible).into());
        page.total = settings.tells_total.then_some(selected.len() as u64);
        page.limit = settings.page_size;
        if settings.cap.is_some() && offset + limit < selected.len() {
            page.next = Some((offset + limit).to_string());
        }
        self.note_ids(&mut inner, &visible);
        drop(inner);
        world.tell(|| {
            let selected = selected.len();
            format!(
                "      ids {ask:?} -> {} of {selected} rows: {visible:?}",
                visible.len()
            )
        });
        page
    }

    /// What this process can know now of who is gone.
    fn note_ids(&self, inner: &mut Inner, visible: &[u32]) {
        let records = inner.provider.records.iter();
        let gone = records.filter(|(_, record)| record.removed);
        let gone: Vec<u32> = gone.map(|(number, _)| *number).collect();
        let shown: Vec<_> = visible
            .iter()
            .map(|number| {
                (
                    inner.provider.version(*number),
                    inner.provider.times_deleted(*number),
                )
            })
            .collect();
        let memory = inner.ledger.memory(self.number);
        memory.seen_gone.extend(gone);
        for (version, times) in shown {
            memory.seen_gone.remove(&version.record);
            memory.times_deleted.insert(version, times);
        }
    }
}

/// The records that a question selects, in their order, and how many of them it skips.
fn select(inner: &Inner, world: &World, ask: &IdAsk) -> (Vec<u32>, usize) {
    let settings = &world.settings;
    // By its id a record is there at once, however late a listing by date shows it.
    let records = inner.provider.records.iter();
    // What is asked for by its id is asked for without the poller's filter.
    let is_single = matches!(ask, IdAsk::Among(_)) && world.settings.part == Part::Child;
    let shows = |number: u32| match is_single {
        true => world.settings.is_childs(number),
        false => inner.shows(world, number),
    };
    let there = records.filter(|(number, it)| !it.removed && shows(**number));
    let mut selected: Vec<u32> = there.map(|(number, _)| *number).collect();
    match ask {
        IdAsk::After(key) => {
            let after = number(key);
            selected.retain(|number| *number > after);
        }
        IdAsk::Among(ids) | IdAsk::Records(ids) => {
            selected.retain(|number| ids.contains(&settings.id(*number)));
        }
        IdAsk::First | IdAsk::Offset(_) | IdAsk::Link(_) => {}
    }
    let offset = match ask {
        IdAsk::Offset(offset) => usize::try_from(*offset).unwrap(),
        IdAsk::Link(link) => link.parse().unwrap(),
        _ => 0,
    };
    (selected, offset)
}
