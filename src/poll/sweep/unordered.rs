//! Passes over everything from the bound on, where the provider's order cannot be relied on.

use std::collections::{HashMap, HashSet};

use super::{
    MAX_PASSES, Next, PageFacts, first, more,
    offset::{FirstPage, IGNORED},
};
use crate::provider::{Ask, Bound, Paging, Step};

/// Pages of one pass behind next links: a provider that makes up a new link for every page would
/// otherwise be followed for ever.
const MAX_LINKED_PAGES: u32 = 10_000;

/// Records of one pass that are watched for moves: some megabytes of them.
const MOST_WATCHED: usize = 100_000;

/// Which link it is stays out: a provider may repeat in it the key that it was asked with.
const CIRCLE: &str = "the provider's next links lead in a circle";

/// The passes of an unordered sweep.
///
/// A pass of a single page is a snapshot and complete by itself. A longer one can miss what moved up
/// across a page's edge, so it is repeated until it shows nothing unseen. A record that changes while
/// it goes on, and so is dated behind it, is no reason to repeat it, or one that changes all the time
/// would keep it from its end; but where it was read in two versions it moved from before the reader
/// to behind, and others moved up: two more passes, at most, show them. So they do where a pass shows
/// more records than are watched.
#[derive(Clone, Debug)]
pub(super) struct Passes {
    pass: u32,
    pages: u32,
    offset: u64,
    unseen: usize,
    /// The version of each record that this pass showed, up to [`MOST_WATCHED`].
    shown: HashMap<u64, u64>,
    /// One moved from before the reader to behind, or may have.
    moved: bool,
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
            shown: HashMap::new(),
            moved: false,
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
        self.watch(facts);
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

    fn watch(&mut self, facts: &PageFacts) {
        for row in &facts.shown {
            self.moved |= match self.shown.get(&row.record) {
                Some(before) => *before != row.version,
                None => self.shown.len() >= MOST_WATCHED,
            };
            if self.shown.len() < MOST_WATCHED {
                self.shown.insert(row.record, row.version);
            }
        }
    }

    fn follow(&mut self, link: &str, asked: &Ask) -> Next {
        if !self.links.insert(link.to_owned()) {
            return Next::Unfinished(CIRCLE.to_owned());
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
        let is_last = self.pass == MAX_PASSES;
        if self.pages == 1 || self.unseen == 0 && (!self.moved || is_last) {
            return Next::Complete;
        }
        if is_last {
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
