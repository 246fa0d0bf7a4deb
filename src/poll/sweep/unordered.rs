//! Passes over everything from the bound on, where the provider's order cannot be relied on.

use std::collections::HashSet;

use super::{
    MAX_PASSES, Next, PageFacts, first, more,
    offset::{FirstPage, IGNORED},
};
use crate::provider::{Ask, Bound, Paging, Step};

/// Pages of one pass behind next links: a provider that makes up a new link for every page would
/// otherwise be followed for ever.
const MAX_LINKED_PAGES: u32 = 10_000;

/// The passes of an unordered sweep.
///
/// A pass of a single page is a snapshot and complete by itself; a longer one can miss what moved
/// between its pages, so it is repeated until it shows nothing unseen.
#[derive(Clone, Debug)]
pub(super) struct Passes {
    pass: u32,
    pages: u32,
    offset: u64,
    unseen: usize,
    links: HashSet<String>,
    first: FirstPage,
}

impl Default for Passes {
    fn default() -> Self {
        Self {
            pass: 1,
            pages: 0,
            offset: 0,
            unseen: 0,
            links: HashSet::new(),
            first: FirstPage::default(),
        }
    }
}

impl Passes {
    pub(super) fn next(
        &mut self,
        paging: &Paging,
        begun_at: &Bound,
        asked: &Ask,
        facts: &PageFacts,
    ) -> Next {
        self.pages += 1;
        self.unseen += facts.unseen;
        let again = self.first.is_shown_again(self.offset, facts);
        if let Some(link) = &facts.next {
            return self.follow(link, asked);
        }
        // Behind links, and without offsets and a total, the missing next link is the end.
        let told = self.links.is_empty() && (paging.by_offset || facts.total.is_some());
        if told && more(facts, self.offset) {
            if again {
                return Next::Unfinished(IGNORED.to_owned());
            }
            return self.next_offset(paging, begun_at, facts.limit);
        }
        self.end_of_pass(begun_at)
    }

    fn follow(&mut self, link: &str, asked: &Ask) -> Next {
        if !self.links.insert(link.to_owned()) {
            return Next::Unfinished(format!(
                "the provider's next link {link:?} leads in a circle"
            ));
        }
        if self.pages >= MAX_LINKED_PAGES {
            return Next::Unfinished(format!(
                "the provider's next links go on behind {MAX_LINKED_PAGES} pages: raise spec.pageSize, \
                 or ask for fewer records in spec.url"
            ));
        }
        Next::Ask(Ask {
            step: Step::Link(link.to_owned()),
            ..asked.clone()
        })
    }

    fn next_offset(&mut self, paging: &Paging, begun_at: &Bound, limit: u32) -> Next {
        if !paging.by_offset {
            return Next::Unfinished(
                "the provider says that more records follow, but gives neither a next link nor an \
                 offset to ask for them"
                    .to_owned(),
            );
        }
        self.offset += u64::from(limit);
        Next::Ask(Ask {
            bound: begun_at.clone(),
            until: None,
            step: Step::Offset(self.offset),
        })
    }

    fn end_of_pass(&mut self, begun_at: &Bound) -> Next {
        if self.unseen == 0 || self.pages == 1 {
            return Next::Complete;
        }
        if self.pass == MAX_PASSES {
            return Next::Unfinished(
                "records change faster than the provider lists them without an order: every pass \
                 showed further ones"
                    .to_owned(),
            );
        }
        *self = Self {
            pass: self.pass + 1,
            ..Self::default()
        };
        Next::Ask(first(begun_at.clone()))
    }
}
