//! A provider with more changed records than anybody could hold.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::json;

use super::{BEGIN, at, provider::shape};
use crate::provider::{Ask, Bound, FetchError, Page, PageSource, Paging};

const PAGE: u32 = 1_000;

/// One record changed in each second from the first on. Its pages are made when they are asked for,
/// and counted for as long as anybody has a byte of them.
#[derive(Clone, Default)]
pub(in crate::poll::tests) struct Endless {
    pub(in crate::poll::tests) records: i64,
    pages: Arc<AtomicUsize>,
    held: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Endless {
    pub(in crate::poll::tests) fn of(records: i64) -> Self {
        Self {
            records,
            ..Self::default()
        }
    }

    /// Pages that were asked for.
    pub(in crate::poll::tests) fn pages(&self) -> usize {
        self.pages.load(Ordering::SeqCst)
    }

    /// Pages that somebody holds now, and the most that were held at one time.
    pub(in crate::poll::tests) fn held(&self) -> (usize, usize) {
        (
            self.held.load(Ordering::SeqCst),
            self.most.load(Ordering::SeqCst),
        )
    }

    fn body(&self, from: i64) -> Bytes {
        let rows = (from.max(1)..=self.records)
            .take(PAGE as usize)
            .map(|second| {
                json!({
                    "sys_id": format!("r{second}"),
                    "sys_updated_on": (BEGIN + second) * 1_000,
                    "sys_created_on": (BEGIN + second) * 1_000,
                    "sys_mod_count": 1,
                    "sys_class_name": "account",
                })
            });
        let rows: Vec<_> = rows.collect();
        let text = json!({ "result": rows }).to_string();
        Bytes::from_owner(Counted::new(text.into_bytes(), &self.held, &self.most))
    }
}

/// Bytes that count as held until the last of their clones is dropped.
struct Counted {
    bytes: Vec<u8>,
    held: Arc<AtomicUsize>,
}

impl Counted {
    fn new(bytes: Vec<u8>, held: &Arc<AtomicUsize>, most: &AtomicUsize) -> Self {
        let now = held.fetch_add(1, Ordering::SeqCst) + 1;
        most.fetch_max(now, Ordering::SeqCst);
        Self {
            bytes,
            held: Arc::clone(held),
        }
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.held.fetch_sub(1, Ordering::SeqCst);
    }
}

impl PageSource for Endless {
    fn paging(&self) -> Paging {
        Paging {
            anchored: true,
            by_key: true,
            by_offset: true,
            bisectable: false,
            page_size: PAGE,
        }
    }

    fn bound(&self, instant: DateTime<Utc>) -> Bound {
        let second = instant.timestamp();
        Bound {
            instant: DateTime::from_timestamp(second, 0).unwrap(),
            text: second.to_string(),
        }
    }

    async fn fetch(&self, ask: &Ask) -> Result<Page, FetchError> {
        self.pages.fetch_add(1, Ordering::SeqCst);
        let from = ask.bound.instant.timestamp() - BEGIN;
        let mut page = Page::new(shape(true), self.body(from));
        page.server_time = Some(at(self.records + 1));
        page.limit = PAGE;
        Ok(page)
    }
}
