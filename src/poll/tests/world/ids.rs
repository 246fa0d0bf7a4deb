//! A provider in memory that is asked by id.

use super::provider::{Provider, Record};
use crate::provider::{FetchError, IdAsk, Listing, Page};

/// A provider that lists by key and looks single ids up behind its access rules.
pub(super) const BY_KEY: Listing = Listing {
    by_key: true,
    by_offset: true,
    linked: false,
    by_id: true,
    shows_hidden: true,
};

impl Provider {
    pub(super) fn list(&mut self, ask: &IdAsk) -> Result<Page, FetchError> {
        self.listed.push(ask.clone());
        let number = self.listed.len();
        if let Some(action) = self.before_list.remove(&number) {
            action(self);
        }
        if let Some(error) = self.failing_list.remove(&number) {
            return Err(error);
        }
        let is_asked_for = |record: &&Record| match ask {
            IdAsk::After(key) => record.id > *key,
            IdAsk::Among(ids) | IdAsk::Records(ids) => ids.contains(&record.id),
            IdAsk::First | IdAsk::Offset(_) | IdAsk::Link(_) => true,
        };
        let asked: Vec<_> = self.records.values().filter(is_asked_for).collect();
        let offset = match ask {
            IdAsk::Offset(rows) => usize::try_from(*rows).unwrap(),
            _ => 0,
        };
        Ok(self.page(&asked, offset))
    }
}
