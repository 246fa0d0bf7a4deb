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

const HIDDEN: &str =
    "a whole page of it is hidden by access rules: give the account the right to read the records";
const THINNED: &str = "a page of it is shorter than its total says: records are hidden by access rules, or it changed \
     while it was read";
const IGNORED: &str = "the provider ignores the offset and answers with the same records again";
const CIRCLE: &str = "the provider's next links lead in a circle";
const ENDLESS: &str = "the provider's next links do not end: raise spec.pageSize";
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
    /// How many rows are behind the last id, by the total of its page.
    behind: Option<u64>,
    /// The last id of the first page and its number of rows, to tell a provider that ignores offsets.
    first: Option<(Option<String>, usize)>,
    listed: Collected,
    excluded: Collected,
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
            behind: None,
            first: None,
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
    fn is_thinned(&mut self, page: &ListPage, left: u64) -> bool {
        let rows = page.rows as u64;
        let due = match self.links.is_empty() {
            true => left.min(u64::from(page.limit)),
            false => left,
        };
        let behind = page.total.filter(|_| self.by_key);
        let before = std::mem::replace(
            &mut self.behind,
            behind.map(|total| total - rows.min(total)),
        );
        page.next.is_none() && rows < due || before.is_some_and(|before| left < before)
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
        if let Some(link) = &page.next {
            self.offset += page.rows as u64;
            return self.follow(link);
        }
        if !self.links.is_empty() {
            return Next::Complete;
        }
        if self.is_shown_again(page) {
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
        self.offset += u64::from(page.limit);
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

    /// Whether the page at an offset, which can share no row with the first one, is that one again.
    fn is_shown_again(&mut self, page: &ListPage) -> bool {
        let shown = (page.ids.last().map(|(id, _)| id.clone()), page.rows);
        match &self.first {
            None => {
                self.first = Some(shown);
                false
            }
            Some(first) => page.rows > 0 && *first == shown,
        }
    }

    fn go_on(&mut self, ask: IdAsk) -> Next {
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
mod tests {
    use super::*;

    const KEYED: Listing = Listing {
        by_key: true,
        by_offset: true,
        linked: false,
        by_id: true,
        shows_hidden: true,
    };
    const ROWS: Listing = Listing {
        by_key: false,
        by_id: false,
        shows_hidden: false,
        ..KEYED
    };

    fn page(ids: &[&str], total: Option<u64>) -> ListPage {
        ListPage {
            rows: ids.len(),
            total,
            limit: 2,
            next: None,
            ids: ids.iter().map(|id| ((*id).to_owned(), false)).collect(),
        }
    }

    fn linked(ids: &[&str], next: Option<&str>) -> ListPage {
        ListPage {
            next: next.map(str::to_owned),
            ..page(ids, None)
        }
    }

    fn after(id: &str) -> IdAsk {
        IdAsk::After(id.to_owned())
    }

    #[test]
    fn a_list_goes_on_behind_the_last_id_until_the_total_is_read() {
        let mut pass = Pass::begin(KEYED);
        assert_eq!(pass.take(&page(&["a", "b"], Some(3))), Next::Ask);
        assert_eq!(pass.ask(), &after("b"));
        assert_eq!(pass.take(&page(&["c"], Some(1))), Next::Complete);
        assert_eq!(pass.into_ids().0.len(), 3);
    }

    #[test]
    fn without_a_total_only_an_empty_page_is_the_end() {
        let mut pass = Pass::begin(KEYED);
        assert_eq!(pass.take(&page(&["a"], None)), Next::Ask);
        assert_eq!(pass.take(&page(&[], None)), Next::Complete);
    }

    #[test]
    fn a_page_that_access_rules_hide_makes_the_list_incomplete() {
        let mut pass = Pass::begin(KEYED);
        assert_eq!(pass.take(&page(&["a", "b"], Some(4))), Next::Ask);
        assert_eq!(pass.take(&page(&[], Some(2))), Next::Incomplete(HIDDEN));
    }

    #[test]
    fn a_thinned_page_counts_only_where_ids_can_be_looked_up_behind_access_rules() {
        assert_eq!(Pass::begin(KEYED).take(&page(&["a"], Some(3))), Next::Ask);
        assert_eq!(
            Pass::begin(ROWS).take(&page(&["a"], Some(3))),
            Next::Incomplete(THINNED)
        );
    }

    #[test]
    fn keys_that_come_in_no_order_are_read_by_offset_from_the_beginning() {
        let mut pass = Pass::begin(KEYED);
        assert_eq!(pass.take(&page(&["a", "b"], Some(4))), Next::Ask);
        assert_eq!(pass.take(&page(&["b", "c"], Some(3))), Next::Ask);
        assert_eq!(pass.ask(), &IdAsk::First);
        assert_eq!(pass.take(&page(&["d", "a"], Some(4))), Next::Ask);
        assert_eq!(pass.ask(), &IdAsk::Offset(2));
        assert_eq!(pass.take(&page(&["c", "b"], Some(4))), Next::Complete);
        assert_eq!(pass.into_ids().0.len(), 4);
    }

    #[test]
    fn an_offset_that_is_ignored_makes_the_list_incomplete() {
        let mut pass = Pass::begin(ROWS);
        assert_eq!(pass.take(&page(&["a", "b"], Some(4))), Next::Ask);
        assert_eq!(
            pass.take(&page(&["a", "b"], Some(4))),
            Next::Incomplete(IGNORED)
        );
    }

    #[test]
    fn links_are_followed_to_the_last_but_not_in_a_circle() {
        let links = Listing {
            linked: true,
            by_offset: false,
            ..ROWS
        };
        let mut pass = Pass::begin(links);
        assert_eq!(pass.take(&linked(&["a", "b"], Some("two"))), Next::Ask);
        assert_eq!(pass.ask(), &IdAsk::Link("two".to_owned()));
        let mut circle = pass.clone();
        assert_eq!(pass.take(&linked(&["c"], None)), Next::Complete);
        assert_eq!(
            circle.take(&linked(&["c", "d"], Some("two"))),
            Next::Incomplete(CIRCLE)
        );
    }

    #[test]
    fn behind_links_too_the_total_tells_whether_rows_are_hidden() {
        let links = Listing {
            linked: true,
            by_offset: false,
            ..ROWS
        };
        for (last, expected) in [
            (&["c"][..], Next::Complete),
            (&[][..], Next::Incomplete(HIDDEN)),
        ] {
            let of_three = |ids: &[&str], next| ListPage {
                total: Some(3),
                ..linked(ids, next)
            };
            let mut pass = Pass::begin(links);
            assert_eq!(pass.take(&of_three(&["a", "b"], Some("two"))), Next::Ask);
            assert_eq!(pass.take(&of_three(last, None)), expected);
        }
        let mut pass = Pass::begin(links);
        let first = ListPage {
            total: Some(3),
            ..linked(&["a"], Some("two"))
        };
        let last = ListPage {
            total: Some(3),
            ..linked(&["c"], None)
        };
        assert_eq!(pass.take(&first), Next::Ask);
        assert_eq!(pass.take(&last), Next::Incomplete(THINNED));
    }

    #[test]
    fn by_key_too_the_total_tells_whether_rows_of_a_short_page_are_hidden() {
        let short = |ids: &[&str], total, next| ListPage {
            total: Some(total),
            ..linked(ids, next)
        };
        for (left, expected) in [(2, Next::Complete), (1, Next::Incomplete(THINNED))] {
            let mut pass = Pass::begin(Listing {
                by_key: true,
                ..ROWS
            });
            assert_eq!(pass.take(&short(&["a"], 3, Some("two"))), Next::Ask);
            assert_eq!(pass.ask(), &after("a"));
            let ids = &["b", "c"][..left];
            assert_eq!(pass.take(&short(ids, left as u64, None)), expected);
        }
    }

    #[test]
    fn a_full_page_without_a_way_on_is_no_list() {
        let single = Listing {
            by_offset: false,
            ..ROWS
        };
        assert_eq!(
            Pass::begin(single).take(&page(&["a", "b"], None)),
            Next::Incomplete(NO_WAY_ON)
        );
        assert_eq!(
            Pass::begin(single).take(&page(&["a"], None)),
            Next::Complete
        );
    }
}
