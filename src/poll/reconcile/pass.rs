//! One complete list of ids: which request follows which page, and whether it was complete.

use std::collections::HashSet;

use crate::{
    poll::{
        ids::{Collected, Ids},
        sweep::{PageFacts, key_order, more},
    },
    provider::{IdAsk, Listing},
};

/// Pages behind next links: a provider that makes up a new link for every page would otherwise be
/// followed for ever.
const MAX_LINKED_PAGES: u32 = 10_000;

/// Pages of any list: far more than ids can be compared.
const MOST_PAGES: u32 = 100_000;

/// How often a page is read again because fewer rows were behind it than its total said.
const MOST_REPEATS: u32 = 5;

const HIDDEN: &str =
    "a whole page of it is hidden by access rules: give the account the right to read the records";
const THINNED: &str = "a page of it is shorter than its total says: records are hidden by access rules, or it changed \
     while it was read";
const IGNORED: &str = "the provider ignores the offset and answers with the same records again";
const CIRCLE: &str = "the provider's next links lead in a circle";
const ENDLESS: &str = "its pages do not end: raise spec.pageSize";
const NO_WAY_ON: &str =
    "the provider gives neither a next link nor an offset to ask for what follows a full page";
const NO_IDS: &str = "a page of it holds no record with an id: correct idField";

/// A list under way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pass {
    listing: Listing,
    by_key: bool,
    ask: IdAsk,
    offset: u64,
    pages: u32,
    links: HashSet<String>,
    /// The page by key before, which the total of the next one confirms.
    before: Option<Before>,
    repeats: u32,
    /// The pages in rows by their first and last ids, to tell a provider that shows one again: it
    /// ignores offsets, or makes up links.
    shown: HashSet<(String, String)>,
    listed: Collected,
    excluded: Collected,
}

/// A page by key: access rules hid none of its rows if as many are behind it as its total says.
#[derive(Clone, Debug, PartialEq)]
struct Before {
    /// The question for it.
    ask: IdAsk,
    /// How many rows are behind the last id, by its total.
    behind: u64,
}

/// A page of a list, row by row.
#[derive(Default)]
pub(in crate::poll) struct ListPage {
    pub(in crate::poll) rows: usize,
    pub(in crate::poll) total: Option<u64>,
    pub(in crate::poll) limit: u32,
    pub(in crate::poll) next: Option<String>,
    pub(in crate::poll) ids: Vec<(String, bool)>,
}

/// What comes after a page.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    Ask,
    Complete,
    /// Nothing may be concluded from it, for this reason.
    Incomplete(&'static str),
}

impl Pass {
    pub(super) fn begin(listing: Listing) -> Self {
        Self {
            listing,
            by_key: listing.by_key,
            ask: IdAsk::First,
            offset: 0,
            pages: 0,
            links: HashSet::new(),
            before: None,
            repeats: 0,
            shown: HashSet::new(),
            listed: Collected::default(),
            excluded: Collected::default(),
        }
    }

    /// The request to make now.
    pub(super) const fn ask(&self) -> &IdAsk {
        &self.ask
    }

    /// How many ids of this poller's classes it has shown so far.
    pub(super) fn listed(&self) -> usize {
        self.listed.len()
    }

    /// The ids listed, and those of excluded classes.
    pub(super) fn into_ids(self) -> (Ids, Ids) {
        (self.listed.into_ids(), self.excluded.into_ids())
    }

    /// Takes the answer to [`ask`](Self::ask).
    pub(super) fn take(&mut self, page: &ListPage) -> Next {
        if self.by_key && !self.is_in_order(page) {
            // Behind the last id of a page others could hide: from the beginning, by offset.
            *self = Self {
                by_key: false,
                ..Self::begin(self.listing)
            };
            return Next::Ask;
        }
        self.pages += 1;
        for (id, is_excluded) in &page.ids {
            let ids = if *is_excluded {
                &mut self.excluded
            } else {
                &mut self.listed
            };
            ids.push(id);
        }
        if let Some(reason) = self.gap(page) {
            return Next::Incomplete(reason);
        }
        if let Some(before) = self.contradicted(page) {
            return self.repeat(before);
        }
        if self.by_key {
            self.next_by_key(page)
        } else {
            self.next_in_rows(page)
        }
    }

    /// What shows that the page doesn't hold all that it should.
    fn gap(&mut self, page: &ListPage) -> Option<&'static str> {
        let left = page.total.map(|total| total.saturating_sub(self.offset));
        if page.rows == 0 && (left.is_some_and(|left| left > 0) || page.next.is_some()) {
            return Some(HIDDEN);
        }
        if !self.listing.shows_hidden && self.is_thinned(page, left.unwrap_or_default()) {
            return Some(THINNED);
        }
        (page.rows > 0 && page.ids.is_empty()).then_some(NO_IDS)
    }

    /// Whether the page has fewer rows than the total says, of which so many were `left`. A page that
    /// goes on by a next link may be as short as the provider likes: the next one's total tells.
    fn is_thinned(&self, page: &ListPage, left: u64) -> bool {
        let due = match self.links.is_empty() {
            true => left.min(u64::from(page.limit)),
            false => left,
        };
        page.next.is_none() && (page.rows as u64) < due
    }

    /// The question for the page before, where fewer rows are behind it than its total said: some
    /// were deleted meanwhile, or access rules hide some of its own.
    fn contradicted(&mut self, page: &ListPage) -> Option<IdAsk> {
        if !self.by_key || self.listing.shows_hidden {
            return None;
        }
        let (before, rows) = (self.before.take(), page.rows as u64);
        let Some(left) = page.total else {
            return self.promised(before?, rows);
        };
        if let Some(before) = before {
            if left < before.behind {
                return Some(before.ask);
            }
            self.repeats = 0;
        }
        let (ask, behind) = (self.ask.clone(), left.saturating_sub(rows));
        self.before = Some(Before { ask, behind });
        None
    }

    /// The same where a page has no total: the pages until the end must show what the last one
    /// promised.
    fn promised(&mut self, mut before: Before, rows: u64) -> Option<IdAsk> {
        before.behind = before.behind.saturating_sub(rows);
        if rows == 0 {
            return (before.behind > 0).then_some(before.ask);
        }
        self.before = Some(before);
        None
    }

    /// On from the page that `ask` asked for, once more.
    fn repeat(&mut self, ask: IdAsk) -> Next {
        self.repeats += 1;
        if self.repeats > MOST_REPEATS {
            return Next::Incomplete(THINNED);
        }
        self.go_on(ask)
    }

    fn is_in_order(&self, page: &ListPage) -> bool {
        let asked = match &self.ask {
            IdAsk::After(key) => Some(key),
            _ => None,
        };
        let ids = || page.ids.iter().map(|(id, _)| id);
        let before = asked.into_iter().chain(ids());
        let behind = ids().skip(usize::from(asked.is_none()));
        before
            .zip(behind)
            .all(|(before, behind)| key_order(before, behind).is_lt())
    }

    fn next_by_key(&mut self, page: &ListPage) -> Next {
        let last = page.ids.last().map(|(id, _)| id.clone());
        match last.filter(|_| more(&facts(page), 0)) {
            Some(last) => self.go_on(IdAsk::After(last)),
            None => Next::Complete,
        }
    }

    fn next_in_rows(&mut self, page: &ListPage) -> Next {
        let again = self.is_shown_again(page);
        if let Some(link) = &page.next {
            self.offset += page.rows as u64;
            return match again {
                true => Next::Incomplete(CIRCLE),
                false => self.follow(link),
            };
        }
        if !self.links.is_empty() {
            return Next::Complete;
        }
        if again {
            return Next::Incomplete(IGNORED);
        }
        let told = self.listing.by_offset || page.total.is_some();
        if !told {
            let may_go_on = !self.listing.linked && page.rows >= page.limit as usize;
            return if may_go_on {
                Next::Incomplete(NO_WAY_ON)
            } else {
                Next::Complete
            };
        }
        if !more(&facts(page), self.offset) {
            return Next::Complete;
        }
        if !self.listing.by_offset {
            return Next::Incomplete(NO_WAY_ON);
        }
        // Where no total tells, a short page may be one that the provider cut smaller.
        self.offset += match page.total {
            None => page.rows as u64,
            Some(_) => page.limit.into(),
        };
        self.go_on(IdAsk::Offset(self.offset))
    }

    fn follow(&mut self, link: &str) -> Next {
        if !self.links.insert(link.to_owned()) {
            return Next::Incomplete(CIRCLE);
        }
        if self.pages >= MAX_LINKED_PAGES {
            return Next::Incomplete(ENDLESS);
        }
        self.go_on(IdAsk::Link(link.to_owned()))
    }

    /// Whether a page, which can share no row with those before it, is one of them again.
    fn is_shown_again(&mut self, page: &ListPage) -> bool {
        let (first, last) = (page.ids.first(), page.ids.last());
        let edges = first
            .zip(last)
            .map(|((first, _), (last, _))| (first.clone(), last.clone()));
        edges.is_some_and(|edges| !self.shown.insert(edges))
    }

    fn go_on(&mut self, ask: IdAsk) -> Next {
        if self.pages >= MOST_PAGES {
            return Next::Incomplete(ENDLESS);
        }
        self.ask = ask;
        Next::Ask
    }
}

fn facts(page: &ListPage) -> PageFacts {
    PageFacts {
        rows: page.rows,
        total: page.total,
        limit: page.limit,
        next: page.next.clone(),
        ..PageFacts::default()
    }
}

#[cfg(test)]
mod tests;
