//! A provider in memory.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{BEGIN, World, deletions::DeletionList};
use crate::{
    category::Category,
    clock::Clock,
    provider::{
        Ask, Bound, DateReader, FetchError, IdAsk, Listing, Page, PageSource, Paging, RecordShape,
        ShapeSettings, Step,
    },
    template::{DatePattern, Zone},
};

#[derive(Clone, Debug)]
pub(in crate::poll::tests) struct Record {
    pub(in crate::poll::tests) id: String,
    pub(in crate::poll::tests) updated: i64,
    pub(in crate::poll::tests) created: i64,
    pub(in crate::poll::tests) version: u32,
    pub(in crate::poll::tests) class: &'static str,
    /// It says of itself that it is deleted.
    pub(in crate::poll::tests) flagged: bool,
    /// From when on a listing shows it.
    pub(in crate::poll::tests) visible_from: i64,
    /// Access rules hide it, after the limit.
    pub(in crate::poll::tests) hidden: bool,
    /// What its JSON says instead.
    pub(in crate::poll::tests) odd: Option<serde_json::Value>,
}

pub(super) type Action = Box<dyn FnOnce(&mut Provider) + Send>;

pub(in crate::poll::tests) struct Provider {
    pub(in crate::poll::tests) records: BTreeMap<String, Record>,
    pub(in crate::poll::tests) paging: Paging,
    pub(in crate::poll::tests) ignores_order: bool,
    pub(in crate::poll::tests) ignores_filter: bool,
    /// Records of one date come in the reverse order of their ids.
    pub(in crate::poll::tests) reverses_ties: bool,
    /// Every step is answered with the first page.
    pub(in crate::poll::tests) ignores_steps: bool,
    /// Rows in a page at most, whatever is asked for.
    pub(in crate::poll::tests) cap: usize,
    /// Pages that others follow have a next link.
    pub(in crate::poll::tests) gives_links: bool,
    pub(in crate::poll::tests) tells_no_total: bool,
    /// Every page is empty, counts nothing and has a next link.
    pub(in crate::poll::tests) promises_more: bool,
    /// Records have no version field, and a field that is another in every answer.
    pub(in crate::poll::tests) varies: bool,
    /// Actions before the request with this number, counted from 1 over all polls.
    pub(in crate::poll::tests) before: BTreeMap<usize, Action>,
    pub(in crate::poll::tests) failing: BTreeMap<usize, FetchError>,
    pub(in crate::poll::tests) deletions: DeletionList,
    pub(in crate::poll::tests) requests: Vec<Ask>,
    pub(in crate::poll::tests) listing: Listing,
    /// The requests by id, and what happens before or instead of the one with this number.
    pub(in crate::poll::tests) listed: Vec<IdAsk>,
    pub(in crate::poll::tests) before_list: BTreeMap<usize, Action>,
    pub(in crate::poll::tests) failing_list: BTreeMap<usize, FetchError>,
    /// How long one of them takes.
    pub(in crate::poll::tests) list_takes: Duration,
    /// How far the provider's clock is off.
    pub(in crate::poll::tests) skew: TimeDelta,
    /// Its answers say nothing of its clock.
    pub(in crate::poll::tests) tells_no_time: bool,
    /// How long a page is on its way.
    pub(in crate::poll::tests) page_takes: Duration,
    pub(super) clock: Clock,
}

impl Provider {
    pub(in crate::poll::tests) fn touch_at(&mut self, id: &str, second: i64) -> &mut Record {
        let record = self.records.entry(id.to_owned()).or_insert_with(|| Record {
            id: id.to_owned(),
            updated: second,
            created: second,
            version: 0,
            class: "account",
            flagged: false,
            visible_from: i64::MIN,
            hidden: false,
            odd: None,
        });
        record.updated = second;
        record.version += 1;
        record
    }

    fn listed(&self, ask: &Ask) -> Vec<&Record> {
        let now = self.clock.now().timestamp() - BEGIN;
        let from = ask.bound.instant.timestamp() - BEGIN;
        let until = ask
            .until
            .map_or(i64::MAX, |until| until.timestamp() - BEGIN);
        let mut listed: Vec<_> = self
            .records
            .values()
            .filter(|record| record.visible_from <= now)
            .filter(|record| self.ignores_filter || (from..=until).contains(&record.updated))
            .collect();
        if let Step::AfterKey(after) = &ask.step
            && !self.ignores_steps
        {
            listed.retain(|record| record.updated == from && record.id > *after);
        }
        if !self.ignores_order {
            listed.sort_by_key(|record| record.id.clone());
            if self.reverses_ties {
                listed.reverse();
            }
            listed.sort_by_key(|record| record.updated);
        }
        listed
    }

    /// The page of these records from `offset` on, as an answer shows it.
    pub(super) fn page(&self, listed: &[&Record], offset: usize) -> Page {
        let page = listed
            .iter()
            .skip(offset)
            .take(self.paging.page_size as usize);
        let shown = page.filter(|record| !record.hidden);
        let result: Vec<_> = shown.map(|record| record.json()).collect();
        let body = serde_json::to_vec(&json!({ "result": result })).unwrap();
        let mut page = Page::new(shape(!self.varies), body.into());
        page.server_time = Some(self.clock.now() + self.skew);
        page.total = Some(listed.len() as u64);
        page.limit = self.paging.page_size;
        page
    }

    fn answer(&mut self, ask: &Ask) -> Result<Page, FetchError> {
        self.requests.push(ask.clone());
        let number = self.requests.len();
        if let Some(action) = self.before.remove(&number) {
            action(self);
        }
        if let Some(error) = self.failing.remove(&number) {
            return Err(error);
        }
        if self.promises_more {
            let mut page = self.page(&[], 0);
            page.total = None;
            page.next = Some(format!("/page{number}"));
            return Ok(page);
        }
        let listed = self.listed(ask);
        let offset = match &ask.step {
            Step::Offset(offset) if !self.ignores_steps => usize::try_from(*offset).unwrap(),
            Step::Link(link) => link.trim_start_matches("/offset").parse().unwrap(),
            _ => 0,
        };
        let limit = self.cap.min(self.paging.page_size as usize);
        let (total, is_last) = (listed.len(), offset + limit >= listed.len());
        let page = listed.iter().skip(offset).take(limit);
        let result: Vec<_> = page
            .filter(|record| !record.hidden)
            .map(|record| {
                let mut json = record.json();
                if self.varies {
                    json["number_of_answer"] = number.into();
                }
                json
            })
            .collect();
        let mut body = serde_json::to_vec(&json!({ "result": result })).unwrap();
        // Without its first byte U+FFFD is no UTF-8.
        body.retain(|byte| *byte != 0xEF);
        let mut page = Page::new(shape(!self.varies), body.into());
        page.server_time = (!self.tells_no_time).then(|| self.clock.now() + self.skew);
        page.total = (!self.tells_no_total).then_some(total as u64);
        page.next = (self.gives_links && !is_last).then(|| format!("/offset{}", offset + limit));
        page.limit = self.paging.page_size;
        Ok(page)
    }
}

impl Record {
    fn json(&self) -> serde_json::Value {
        self.odd.clone().unwrap_or_else(|| {
            json!({
                "sys_id": self.id,
                "sys_updated_on": (BEGIN + self.updated) * 1_000,
                "sys_created_on": (BEGIN + self.created) * 1_000,
                "sys_mod_count": self.version,
                "sys_class_name": self.class,
                "deleted": self.flagged,
            })
        })
    }
}

pub(super) fn shape(versioned: bool) -> Arc<RecordShape> {
    let date = |field: &str| DateReader {
        field: field.to_owned(),
        pattern: DatePattern::parse("milliseconds").unwrap(),
        zone: Zone::Utc,
    };
    let settings = ShapeSettings {
        records: "result".to_owned(),
        id: "sys_id".to_owned(),
        updated: Some(date("sys_updated_on")),
        created: Some(date("sys_created_on")),
        version: versioned.then(|| "sys_mod_count".to_owned()),
        class: Some("sys_class_name".to_owned()),
        deleted: Some(("deleted".to_owned(), vec!["true".to_owned()])),
        ..ShapeSettings::default()
    };
    Arc::new(RecordShape::new(settings).unwrap())
}

impl World {
    /// A page is on its way.
    pub(super) async fn send_page(&self) {
        let takes = self.provider().page_takes;
        if takes.is_zero() {
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(takes).await;
        }
    }
}

impl PageSource for World {
    fn paging(&self) -> Paging {
        self.provider().paging
    }

    fn bound(&self, instant: DateTime<Utc>) -> Bound {
        let second = instant.timestamp();
        Bound {
            instant: DateTime::from_timestamp(second, 0).unwrap(),
            text: second.to_string(),
        }
    }

    fn deletions(&self) -> Option<&Self> {
        self.list.as_deref()
    }

    async fn existing(&self, ids: &[String]) -> Result<HashSet<String>, FetchError> {
        self.find_existing(ids).await
    }

    fn tombstone(&self, id: &str) -> Bytes {
        json!({ "sys_id": id }).to_string().into()
    }

    async fn fetch(&self, ask: &Ask) -> Result<Page, FetchError> {
        if self.is_list {
            return self.fetch_deletions(ask).await;
        }
        tokio::task::yield_now().await;
        let answer = self.provider().answer(ask);
        self.send_page().await;
        answer
    }

    fn listing(&self) -> Result<Listing, String> {
        Ok(self.provider().listing)
    }

    async fn list(&self, ask: &IdAsk) -> Result<Page, FetchError> {
        let takes = self.provider().list_takes;
        tokio::time::sleep(takes).await;
        let answer = self.provider().list(ask);
        tokio::task::yield_now().await;
        answer
    }
}

pub(in crate::poll::tests) fn provider_error() -> FetchError {
    FetchError::new(Category::Provider, "the provider answered 500")
}
