//! Passes over everything from the bound on, where the provider's order cannot be relied on.

use std::collections::HashSet;

use super::{
    MAX_PASSES, Next, PageFacts, first, more,
    offset::{FirstPage, IGNORED},
    promise::Promise,
    watch::Watch,
};
use crate::provider::{Ask, Bound, Paging, Step};

/// Pages of one pass behind next links: a provider that makes up a new link for every page would
/// otherwise be followed for ever.
const MAX_LINKED_PAGES: u32 = 10_000;

/// Which link it is stays out: a provider may repeat in it the key that it was asked with.
const CIRCLE: &str = "the provider's next links lead in a circle";

/// The passes of an unordered sweep.
///
/// A pass of a single page is a snapshot and complete by itself. A longer one can miss what moved up
/// across a page's edge, so it is repeated until it shows nothing unseen. A record that changes while
/// it goes on, and so is dated behind it, is no reason to repeat it, or one that changes all the time
/// would keep it from its end; but where it was read in two versions it moved from before the reader
/// to behind, and others moved up: two more passes, at most, show them. So they do where records were
/// taken away, and where a pass shows more records than are watched. Taken away are some where a page
/// lacks the last record of the page before, from which it is asked for; behind a next link, or where
/// access rules hide rows, where the total fell. There the total may also hide it, or there is none: a
/// pass is believed only if the next one shows all that it read. One that showed nothing unseen by
/// itself needs none: what it may lack is read by the next poll, unless the watermark moves.
///
/// The last pass is the exception: where it shows nothing unseen it is believed as it is, or a list
/// from which records are taken away all the time would never let the watermark move.
#[derive(Clone, Debug)]
pub(super) struct Passes {
    pass: u32,
    pages: u32,
    offset: u64,
    unseen: usize,
    watch: Watch,
    /// Records moved up from behind the reader to before, or may have.
    moved: bool,
    promise: Promise,
    links: HashSet<String>,
    first: FirstPage,
    /// The watermark would move at the end of the pass.
    advances: bool,
}

impl Default for Passes {
    fn default() -> Self {
        Self {
            pass: 1,
            pages: 0,
            offset: 0,
            unseen: 0,
            watch: Watch::default(),
            moved: false,
            promise: Promise::default(),
            links: HashSet::new(),
            first: FirstPage::default(),
            advances: false,
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
        self.advances = facts.advances;
        let seen = self.watch.see(facts);
        self.moved |= seen.is_moved || seen.is_torn;
        let rows = u64::from(facts.limit);
        let broken = self.promise.judge(seen.is_new, facts.total, rows);
        let again = self.first.is_shown_again(self.offset, facts);
        if let Some(link) = &facts.next {
            return self.follow(link, asked, broken);
        }
        // Behind links, and without offsets and a total, the missing next link is the end.
        let told = self.links.is_empty() && (paging.by_offset || facts.total.is_some());
        if told && again {
            return Next::Unfinished(IGNORED.to_owned());
        }
        if told && more(facts, self.offset) {
            return match broken {
                Some(reason) => Next::Unfinished(reason),
                None => self.next_offset(paging, begun_at, facts),
            };
        }
        self.end_of_pass(begun_at)
    }

    fn follow(&mut self, link: &str, asked: &Ask, broken: Option<String>) -> Next {
        if !self.links.insert(link.to_owned()) {
            return Next::Unfinished(CIRCLE.to_owned());
        }
        if let Some(reason) = broken {
            return Next::Unfinished(reason);
        }
        if self.pages >= MAX_LINKED_PAGES {
            return Next::Unfinished(format!(
                "the provider's next links go on behind {MAX_LINKED_PAGES} pages: raise spec.pageSize, \
                 or ask for fewer records in spec.url"
            ));
        }
        self.watch.leave();
        Next::Ask(Ask {
            step: Step::Link(link.to_owned()),
            ..asked.clone()
        })
    }

    fn next_offset(&mut self, paging: &Paging, begun_at: &Bound, facts: &PageFacts) -> Next {
        if !paging.by_offset {
            return Next::Unfinished(
                "the provider says that more records follow, but gives neither a next link nor an \
                 offset to ask for them"
                    .to_owned(),
            );
        }
        self.offset += stride(facts);
        Next::Ask(Ask {
            bound: begun_at.clone(),
            until: None,
            step: Step::Offset(self.offset),
        })
    }

    fn end_of_pass(&mut self, begun_at: &Bound) -> Next {
        let is_last = self.pass == MAX_PASSES;
        let is_whole = self.watch.is_whole() || self.pass == 1 && !self.advances;
        let is_settled = !self.moved && is_whole || is_last;
        if self.pages == 1 || self.unseen == 0 && is_settled {
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
            watch: std::mem::take(&mut self.watch).again(),
            ..Self::default()
        };
        Next::Ask(first(begun_at.clone()))
    }
}

/// From the last row of a full page on, by which the next one is known to follow it.
///
/// A short page may be one that the provider cut smaller, and each one otherwise. Without a total only
/// an empty page ends the list, and the next one is asked for right behind the rows of this one.
fn stride(facts: &PageFacts) -> u64 {
    let (rows, limit) = (facts.rows as u64, u64::from(facts.limit));
    if facts.total.is_none() && rows < limit {
        return rows.max(1);
    }
    limit.saturating_sub(1).max(1)
}
