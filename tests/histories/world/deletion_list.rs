//! The provider's list of deletions, and which records it says exist.

use std::{collections::HashSet, fmt::Write as _};

use pollen::{
    provider::{Ask, DateReader, FetchError, Page, Paging, RecordShape, ShapeSettings, Step},
    template::{DatePattern, Zone},
};

use super::{
    Inner, Process, World, instant,
    listing::failed,
    provider::{Deleted, Record, floor},
    version::Version,
};
use crate::settings::Settings;

impl Process {
    pub(super) fn answer_deletions(&self, ask: &Ask, asked_at: i64) -> Page {
        let world = &self.world;
        let now = world.now();
        let mut inner = world.inner();
        let settings = &world.settings;
        let (selected, offset) = select(&inner, world, ask, now);
        let limit = settings.page_size as usize;
        let shown: Vec<usize> = selected.iter().copied().skip(offset).take(limit).collect();
        let mut page = Page::new(shape().into(), body(&inner, settings, &shown).into());
        let told = (now + inner.provider.skew).div_euclid(1_000) * 1_000;
        page.server_time = settings.tells_time.then(|| instant(told));
        page.total = Some(selected.len() as u64);
        page.limit = settings.page_size;
        let clock = if settings.tells_time { told } else { asked_at };
        inner.provider.latest_told = inner.provider.latest_told.max(clock);
        let memory = inner.ledger.memory(self.number);
        if memory.followed_back_to.is_some() && !std::mem::replace(&mut memory.reads_anew, true) {
            memory.list_clock = None;
        }
        memory.list_clock.get_or_insert(clock);
        let rows = shown.iter().map(|row| &inner.provider.deletions[*row]);
        let rows: Vec<Version> = rows.map(|row| world.deletion(row)).collect();
        if let Some(newest) = rows.iter().map(|row| row.date).max() {
            let reach = inner.plan.reach.num_milliseconds();
            let kept_since = settings.floor(newest.min(clock) - reach);
            let memory = inner.ledger.memory(self.number);
            memory.settled.leave_deletions_behind(kept_since);
        }
        drop(inner);
        world.tell(|| {
            let (from, step) = (ask.bound.instant, &ask.step);
            format!("      deletions from {from} {step:?} -> {rows:?}")
        });
        page
    }

    /// Which of these records exist; what the process knows of that.
    pub(super) async fn find_existing(
        &self,
        ids: &[String],
    ) -> Result<HashSet<String>, FetchError> {
        self.point().await.map_err(|_| failed())?;
        let existing = self.note_existing(ids);
        self.point().await.map_err(|_| failed())?;
        Ok(existing)
    }

    fn note_existing(&self, ids: &[String]) -> HashSet<String> {
        let mut inner = self.world.inner();
        let mut existing = HashSet::new();
        for id in ids {
            let number = super::number(id);
            let is_there = |it: &Record| !it.removed;
            let is_there = inner.provider.records.get(&number).is_some_and(is_there);
            let memory = inner.ledger.memory(self.number);
            if is_there {
                memory.seen_gone.remove(&number);
                existing.insert(id.clone());
            } else {
                memory.seen_gone.insert(number);
            }
        }
        drop(inner);
        self.world
            .tell(|| format!("      asked for {ids:?}: {existing:?} exist"));
        existing
    }
}

impl Settings {
    /// The list can do what ServiceNow's can, as far as its bound is stated as finely as its dates.
    pub(super) fn paging_of_deletions(&self) -> Paging {
        let anchored = self.stated <= self.field;
        Paging {
            anchored,
            by_key: self.stated == self.field,
            by_offset: true,
            bisectable: anchored,
            page_size: self.page_size,
        }
    }
}

fn select(inner: &Inner, world: &World, ask: &Ask, now: i64) -> (Vec<usize>, usize) {
    let settings = &world.settings;
    let from = ask.bound.instant.timestamp_millis();
    let until = ask.until.map_or(i64::MAX, |until| until.timestamp_millis());
    let date = |row: &Deleted| floor(settings.field, row.date);
    let rows = inner.provider.deletions.iter().enumerate();
    let mut selected: Vec<(i64, usize)> = rows
        .filter(|(_, row)| row.shown_from <= now && inner.shows(world, row.record))
        .map(|(key, row)| (date(row), key))
        .filter(|(date, _)| (from..=until).contains(date))
        .collect();
    if let Step::AfterKey(after) = &ask.step {
        let after: usize = after.parse().unwrap();
        selected.retain(|(date, key)| *date == from && *key > after);
    }
    selected.sort_unstable();
    let offset = match &ask.step {
        Step::Offset(offset) => usize::try_from(*offset).unwrap(),
        _ => 0,
    };
    (selected.into_iter().map(|(_, key)| key).collect(), offset)
}

fn body(inner: &Inner, settings: &Settings, rows: &[usize]) -> String {
    let mut body = String::from(r#"{"result":["#);
    for (index, key) in rows.iter().enumerate() {
        let row = &inner.provider.deletions[*key];
        let comma = if index == 0 { "" } else { "," };
        let (id, class) = (settings.id(row.record), settings.class(row.record));
        let date = floor(settings.field, row.date);
        write!(
            body,
            r#"{comma}{{"key":"{key}","record":"{id}","deleted":{date},"class":"{class}"}}"#,
        )
        .unwrap();
    }
    body.push_str("]}");
    body
}

fn shape() -> RecordShape {
    let deleted = DateReader {
        field: "deleted".to_owned(),
        pattern: DatePattern::parse("milliseconds").unwrap(),
        zone: Zone::Utc,
    };
    RecordShape::new(ShapeSettings {
        records: "result".to_owned(),
        id: "record".to_owned(),
        updated: Some(deleted),
        version: Some("key".to_owned()),
        key: Some("key".to_owned()),
        class: Some("class".to_owned()),
        ..ShapeSettings::default()
    })
    .unwrap()
}
