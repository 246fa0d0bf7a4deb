//! How the provider answers a question.

use std::{collections::HashSet, fmt::Write as _};

use chrono::{DateTime, Utc};
use pollen::{
    api::{Checkpoint, ChildProgress},
    category::Category,
    provider::{
        Ask, Bound, FetchError, IdAsk, Listing as IdListing, Page, PageSource, Paging, Step,
    },
};

use super::{
    ENDLESS, Inner, Memory, Process, Version, World,
    checkpoints::{deletions_watermark, watermark},
    instant,
    provider::floor,
};
use crate::{
    invariants::{Invariant, Violation},
    settings::{Listing, Order, Settings},
};

impl PageSource for Process {
    fn paging(&self) -> Paging {
        if self.is_list {
            return self.world.settings.paging_of_deletions();
        }
        self.world.settings.paging()
    }

    fn bound(&self, at: DateTime<Utc>) -> Bound {
        self.world.settings.bound(at)
    }

    async fn fetch(&self, ask: &Ask) -> Result<Page, FetchError> {
        let asked_at = self.world.now();
        self.point().await.map_err(|_| failed())?;
        let page = match self.is_list {
            true => self.answer_deletions(ask, asked_at),
            false => self.answer(ask, asked_at),
        };
        self.point().await.map_err(|_| failed())?;
        Ok(page)
    }

    fn deletions(&self) -> Option<&Self> {
        self.list.as_deref()
    }

    async fn existing(&self, ids: &[String]) -> Result<HashSet<String>, FetchError> {
        self.find_existing(ids).await
    }

    fn listing(&self) -> Result<IdListing, String> {
        let listing = self.world.settings.id_list();
        listing.ok_or_else(|| "ids are not listed".to_owned())
    }

    async fn list(&self, ask: &IdAsk) -> Result<Page, FetchError> {
        self.point().await.map_err(|_| failed())?;
        let page = self.answer_ids(ask);
        self.point().await.map_err(|_| failed())?;
        Ok(page)
    }
}

pub(super) fn failed() -> FetchError {
    FetchError::new(Category::Provider, "the provider did not answer")
}

impl Settings {
    /// Rounded down as dates are read and as they are stated.
    pub(crate) fn bound(&self, at: DateTime<Utc>) -> Bound {
        let floored = self.floor(at.timestamp_millis());
        Bound {
            instant: instant(floored),
            text: floored.to_string(),
        }
    }

    pub(crate) fn floor(&self, milliseconds: i64) -> i64 {
        floor(self.stated, floor(self.field, milliseconds))
    }
}

impl Process {
    fn answer(&self, ask: &Ask, asked_at: i64) -> Page {
        let world = &self.world;
        let now = world.now();
        let mut inner = world.inner();
        let (selected, offset) = select(&inner, world, ask, now);
        let limit = world.settings.limit();
        let shown: Vec<u32> = selected.iter().copied().skip(offset).take(limit).collect();
        let visible = shown
            .iter()
            .filter(|number| !inner.provider.records[number].hidden);
        let visible: Vec<u32> = visible.copied().collect();
        let mut page = Page::new(
            world.shape.clone(),
            body(&inner, &world.settings, &visible).into(),
        );
        let told = (now + inner.provider.skew).div_euclid(1_000) * 1_000;
        page.server_time = world.settings.tells_time.then(|| instant(told));
        page.total = world.settings.tells_total.then_some(selected.len() as u64);
        page.limit = world.settings.page_size;
        if world.settings.gives_links() && offset + limit < selected.len() {
            page.next = Some(next_link(ask, offset + limit));
        }
        let clock = match world.settings.tells_time {
            true => told,
            false => asked_at,
        };
        inner.provider.latest_told = inner.provider.latest_told.max(clock);
        self.note(&mut inner, ask, &visible, clock);
        drop(inner);
        world.tell(|| {
            let step = match &ask.step {
                Step::Link(link) => format!("link {link}"),
                step => format!("{step:?}"),
            };
            let until = ask.until.map(|until| format!(" until {until}"));
            format!(
                "      from {}{} {step} -> {} of {} rows: {visible:?}",
                ask.bound.instant,
                until.unwrap_or_default(),
                visible.len(),
                selected.len()
            )
        });
        page
    }

    /// Notes what this poll was shown.
    fn note(&self, inner: &mut Inner, ask: &Ask, visible: &[u32], clock: i64) {
        // The very first answer only tells the time.
        if inner.stored.started_at().is_none() {
            return;
        }
        let settings = &self.world.settings;
        let reach = inner.plan.reach.num_milliseconds();
        let memory = inner.ledger.memory(self.number);
        memory.requests += 1;
        if memory.requests == ENDLESS {
            inner.violate(Violation::new(
                Invariant::Ends,
                format!("a poll ends within {ENDLESS} requests"),
                "it goes on",
            ));
            inner.stop.cancel();
            return;
        }
        if memory.replaying.is_some() {
            memory.sweep_clock = Some(clock);
        } else if memory.sweep_clock.is_none() {
            memory.begin_sweep(clock, reach, settings);
        }
        let sweep_clock = memory.sweep_clock.unwrap_or(clock);
        let from = ask.bound.instant.timestamp_millis();
        let started_at = self.started_at(inner);
        for number in visible {
            let version = inner.provider.version(*number);
            let times = inner.provider.times_deleted(*number);
            let memory = inner.ledger.memory(self.number);
            memory.times_deleted.insert(version, times);
            let is_dropped = version.date < started_at
                || !settings.is_own(*number)
                || memory_skips(inner.ledger.memory(self.number), version)
                || settings.is_excluded(*number)
                || settings.drop_before_bound && version.date < from
                || settings.drop_after_clock && version.date > sweep_clock;
            if !is_dropped {
                inner.ledger.memory(self.number).shown.insert(version);
            }
        }
    }
}

impl Process {
    /// Where the poller started; a clock that is followed back may lie before it.
    pub(crate) fn started_at(&self, inner: &mut Inner) -> i64 {
        let stored = inner.stored.started_at().unwrap_or(i64::MAX);
        let memory = inner.ledger.memory(self.number);
        // What this process knows may not be stored yet.
        let started_at = memory.before.as_ref().map_or(stored, |before| {
            stored.min(before.started_at.timestamp_millis())
        });
        memory
            .followed_back_to
            .map_or(started_at, |back| started_at.min(back))
    }
}

impl Settings {
    pub(super) fn limit(&self) -> usize {
        self.cap.unwrap_or(u32::MAX).min(self.page_size) as usize
    }

    fn gives_links(&self) -> bool {
        self.cap.is_some() || matches!(self.listing, Listing::Unordered { links: true, .. })
    }

    /// Where a listing puts a record.
    fn place(&self, number: u32, updated: i64) -> (i64, i64) {
        let key = i64::from(number);
        match self.listing {
            Listing::Anchored {
                reverses_ties: true,
                ..
            } => (updated, -key),
            Listing::Anchored { .. }
            | Listing::Unordered {
                order: Order::OldestFirst,
                ..
            } => (updated, key),
            Listing::Unordered {
                order: Order::NewestFirst,
                ..
            } => (-updated, key),
            Listing::Unordered {
                order: Order::Key, ..
            } => (0, key),
        }
    }
}

/// The records that a question selects, in their order, and how many of them it skips.
fn select(inner: &Inner, world: &World, ask: &Ask, now: i64) -> (Vec<u32>, usize) {
    let settings = &world.settings;
    let (from, offset) = match &ask.step {
        Step::Link(link) => parsed(link),
        Step::Offset(offset) => (
            ask.bound.instant.timestamp_millis(),
            usize::try_from(*offset).unwrap(),
        ),
        Step::First | Step::AfterKey(_) => (ask.bound.instant.timestamp_millis(), 0),
    };
    let until = ask.until.map_or(i64::MAX, |until| {
        floor(settings.stated, until.timestamp_millis())
    });
    let below = from - settings.stated.duration().num_milliseconds();
    let stated = floor(settings.stated, below);
    let is_selected = |updated: i64| {
        settings.ignores_filter
            || updated <= until
                && if settings.strict {
                    updated > stated
                } else {
                    updated >= from
                }
    };
    let mut selected: Vec<(u32, i64)> = inner
        .provider
        .listed(now)
        .filter(|(number, _)| inner.shows(world, *number))
        .map(|(number, record)| (number, record.updated))
        .filter(|(_, updated)| is_selected(*updated))
        .collect();
    if let Step::AfterKey(key) = &ask.step {
        let after = super::number(key);
        selected.retain(|(number, updated)| *updated == from && *number > after);
        selected.sort_unstable();
    } else {
        selected.sort_by_key(|(number, updated)| settings.place(*number, *updated));
    }
    let numbers = selected.into_iter().map(|(number, _)| number);
    (numbers.collect(), offset)
}

/// What a poller had settled before it went back for the class of a child it reads, and leaves out.
fn memory_skips(memory: &Memory, version: Version) -> bool {
    let Some(before) = &memory.before else {
        return false;
    };
    let is_back = |entry: &ChildProgress| entry.settled_before.is_some();
    (memory.takes_back || before.children.iter().any(is_back))
        && version.date < before.records.window_since.timestamp_millis()
}

/// A link stands for the question and the rows that it skips.
fn next_link(ask: &Ask, offset: usize) -> String {
    let from = match &ask.step {
        Step::Link(link) => parsed(link).0,
        _ => ask.bound.instant.timestamp_millis(),
    };
    format!("{from}/{offset}")
}

fn parsed(link: &str) -> (i64, usize) {
    let (from, offset) = link.split_once('/').unwrap();
    (from.parse().unwrap(), offset.parse().unwrap())
}

pub(super) fn body(inner: &Inner, settings: &Settings, numbers: &[u32]) -> String {
    let mut body = String::from(r#"{"result":["#);
    for (index, number) in numbers.iter().enumerate() {
        let record = &inner.provider.records[number];
        let comma = if index == 0 { "" } else { "," };
        let class = settings.class(*number);
        write!(
            body,
            r#"{comma}{{"id":"{}","updated":{},"created":{},"version":{},"class":"{class}"}}"#,
            settings.id(*number),
            floor(settings.field, record.updated),
            floor(settings.field, record.created),
            record.version,
        )
        .unwrap();
    }
    body.push_str("]}");
    body
}

impl World {
    /// What is dated before this may not be remembered by whoever goes on from `checkpoint`: of
    /// records, and of deletions.
    pub(crate) fn kept_since(&self, inner: &Inner, checkpoint: &Checkpoint) -> (i64, i64) {
        let reach = inner.plan.reach.num_milliseconds();
        let since = |watermark: i64| self.settings.floor(watermark - reach);
        let records = since(watermark(checkpoint));
        (
            records,
            deletions_watermark(checkpoint).map_or(records, since),
        )
    }

    /// The bound of the next poll that goes on from a checkpoint with this watermark.
    pub(crate) fn next_bound(&self, watermark: i64, window_since: i64, reach: i64) -> i64 {
        self.settings
            .floor((watermark - reach).max(window_since.min(watermark)))
    }
}
