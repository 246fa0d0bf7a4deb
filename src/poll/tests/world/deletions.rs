//! The provider's list of deletions.

use std::{collections::HashSet, sync::Arc};

use serde_json::json;

use super::{BEGIN, World, provider::Provider};
use crate::{
    provider::{Ask, DateReader, FetchError, Page, RecordShape, ShapeSettings, Step},
    template::{DatePattern, Zone},
};

/// A row of the list.
#[derive(Clone, Debug)]
pub(in crate::poll::tests) struct Deletion {
    pub(in crate::poll::tests) key: String,
    pub(in crate::poll::tests) id: String,
    pub(in crate::poll::tests) at: i64,
    pub(in crate::poll::tests) class: Option<&'static str>,
    /// From when on the list shows it.
    pub(in crate::poll::tests) visible_from: i64,
    /// Access rules hide it, after the limit.
    pub(in crate::poll::tests) hidden: bool,
}

/// What happens to requests for the list, and what they were.
#[derive(Default)]
pub(in crate::poll::tests) struct DeletionList {
    pub(in crate::poll::tests) rows: Vec<Deletion>,
    pub(in crate::poll::tests) requests: Vec<Ask>,
    /// The questions which records exist.
    pub(in crate::poll::tests) asked: Vec<Vec<String>>,
    /// What each of these questions fails of.
    pub(in crate::poll::tests) unanswered: Option<FetchError>,
    /// What every request fails of.
    pub(in crate::poll::tests) failing: Option<FetchError>,
    /// From which request on, counted from 1 over all polls.
    pub(in crate::poll::tests) failing_from: usize,
    pub(in crate::poll::tests) ignores_order: bool,
    /// Every page is empty, counts nothing and has a next link.
    pub(in crate::poll::tests) promises_more: bool,
}

impl Provider {
    /// Deletes the record `id` at `second`; answers the row of it.
    pub(in crate::poll::tests) fn delete_at(&mut self, id: &str, second: i64) -> &mut Deletion {
        self.records.remove(id);
        let rows = &mut self.deletions.rows;
        rows.push(Deletion {
            key: format!("row{:06}", rows.len()),
            id: id.to_owned(),
            at: second,
            class: Some("account"),
            visible_from: i64::MIN,
            hidden: false,
        });
        rows.last_mut().unwrap()
    }

    fn listed_deletions(&self, ask: &Ask) -> Vec<&Deletion> {
        let now = self.clock.now().timestamp() - BEGIN;
        let from = ask.bound.instant.timestamp() - BEGIN;
        let until = ask
            .until
            .map_or(i64::MAX, |until| until.timestamp() - BEGIN);
        let mut listed: Vec<_> = self
            .deletions
            .rows
            .iter()
            .filter(|row| row.visible_from <= now && (from..=until).contains(&row.at))
            .collect();
        if let Step::AfterKey(after) = &ask.step {
            listed.retain(|row| row.at == from && row.key > *after);
        }
        if !self.deletions.ignores_order {
            listed.sort_by_key(|row| (row.at, row.key.clone()));
        }
        listed
    }

    fn answer_deletions(&mut self, ask: &Ask) -> Result<Page, FetchError> {
        self.deletions.requests.push(ask.clone());
        if let Some(error) = &self.deletions.failing
            && self.deletions.requests.len() >= self.deletions.failing_from
        {
            return Err(error.clone());
        }
        if self.deletions.promises_more {
            let mut page = Page::new(shape(), r#"{"result": []}"#.into());
            page.limit = self.paging.page_size;
            page.next = Some(format!("/page{}", self.deletions.requests.len()));
            return Ok(page);
        }
        let listed = self.listed_deletions(ask);
        let offset = match &ask.step {
            Step::Offset(offset) => usize::try_from(*offset).unwrap(),
            _ => 0,
        };
        let size = self.paging.page_size;
        let page = listed.iter().skip(offset).take(size as usize);
        let result: Vec<_> = page
            .filter(|row| !row.hidden)
            .map(|row| row.json())
            .collect();
        let body = serde_json::to_vec(&json!({ "result": result })).unwrap();
        let mut page = Page::new(shape(), body.into());
        page.server_time = Some(self.clock.now() + self.skew);
        page.total = Some(listed.len() as u64);
        page.limit = size;
        Ok(page)
    }
}

impl Deletion {
    fn json(&self) -> serde_json::Value {
        json!({
            "sys_id": self.key,
            "documentkey": self.id,
            "tablename": self.class,
            "sys_created_on": (BEGIN + self.at) * 1_000,
        })
    }
}

fn shape() -> Arc<RecordShape> {
    let settings = ShapeSettings {
        records: "result".to_owned(),
        id: "documentkey".to_owned(),
        updated: Some(DateReader {
            field: "sys_created_on".to_owned(),
            pattern: DatePattern::parse("milliseconds").unwrap(),
            zone: Zone::Utc,
        }),
        version: Some("sys_id".to_owned()),
        key: Some("sys_id".to_owned()),
        class: Some("tablename".to_owned()),
        ..ShapeSettings::default()
    };
    Arc::new(RecordShape::new(settings).unwrap())
}

impl World {
    pub(super) async fn fetch_deletions(&self, ask: &Ask) -> Result<Page, FetchError> {
        tokio::task::yield_now().await;
        let answer = self.provider().answer_deletions(ask);
        self.send_page().await;
        answer
    }

    pub(super) async fn find_existing(
        &self,
        ids: &[String],
    ) -> Result<HashSet<String>, FetchError> {
        tokio::task::yield_now().await;
        let mut provider = self.provider();
        provider.deletions.asked.push(ids.to_vec());
        if let Some(error) = &provider.deletions.unanswered {
            return Err(error.clone());
        }
        let existing = ids.iter().filter(|id| provider.records.contains_key(*id));
        Ok(existing.cloned().collect())
    }
}
