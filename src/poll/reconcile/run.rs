//! One comparison: a complete list, then proof for each id that it doesn't show.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::Instant;

use super::{
    lookup::{Found, Lookup},
    pass::{ListPage, Next, Pass},
};
use crate::{
    poll::ids::Ids,
    provider::{IdAsk, Listing},
};

/// The pause after a comparison that showed nothing, which doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// After so many failures running a comparison begins anew.
const MOST_FAILURES: u32 = 5;
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// What this process knows of a poller's comparisons beside the checkpoint: another begins anew.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::poll) struct Reconciling {
    /// The one under way.
    pub(in crate::poll) run: Option<Box<Run>>,
    /// Why the last one showed nothing.
    pub(in crate::poll) trouble: Option<String>,
    failures: u32,
    not_before: Option<Instant>,
    /// The next one is due before its time.
    pub(in crate::poll) is_hastened: bool,
    /// When ids whose deletions wait were looked for.
    looked_at: Option<Instant>,
}

impl Reconciling {
    /// A question was not answered: it is asked again later, or after some failures all are.
    pub(in crate::poll) fn pause(&mut self, trouble: String) {
        let run = self.run.take().filter(|_| self.failures < MOST_FAILURES);
        self.give_up(trouble);
        self.run = run;
    }

    /// Whether it is time to look for ids whose deletions wait.
    pub(in crate::poll) fn looks_for_held(&mut self) -> bool {
        let is_due = self.looked_at.is_none_or(|at| at.elapsed() >= FIRST_PAUSE);
        if is_due {
            self.looked_at = Some(Instant::now());
        }
        is_due
    }

    /// Nothing may be concluded from the comparison under way: it ends, and is made anew later.
    pub(in crate::poll) fn give_up(&mut self, trouble: String) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(Instant::now() + pause.min(LONGEST_PAUSE));
        self.trouble = Some(trouble);
        self.run = None;
    }

    /// A comparison was complete.
    pub(in crate::poll) fn succeed(&mut self) {
        *self = Self::default();
    }

    pub(in crate::poll) fn is_pausing(&self) -> bool {
        self.not_before.is_some_and(|until| until > Instant::now())
    }
}

/// A comparison under way.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::poll) struct Run {
    listing: Listing,
    /// The ids known when it began.
    known: Ids,
    /// Ids of which a poll delivered a record since then: these are there.
    met: BTreeSet<String>,
    /// What it shows beyond them is no change.
    is_baseline: bool,
    /// What the list showed, once it is complete.
    shown: Shown,
    stage: Stage,
}

/// Ids that a complete list showed.
#[derive(Clone, Debug, Default, PartialEq)]
struct Shown {
    listed: Ids,
    excluded: Ids,
}

#[derive(Clone, Debug, PartialEq)]
enum Stage {
    /// The list.
    First(Pass),
    /// Each missing id is asked for, these at the moment.
    Lookup(Lookup, Vec<String>),
    /// Where ids cannot be asked for, a second list must miss them too.
    Second(Pass),
}

/// What follows a page.
#[derive(Debug, PartialEq)]
pub(in crate::poll) enum Answer {
    Ask(Box<Run>),
    Done(Verdict),
    /// Nothing may be concluded, for this reason.
    Incomplete(&'static str),
}

/// What a complete comparison shows.
#[derive(Debug, PartialEq)]
pub(in crate::poll) struct Verdict {
    /// Known when it began.
    pub(in crate::poll) known: Ids,
    /// Listed, of this poller's classes.
    pub(in crate::poll) listed: Ids,
    /// Listed, of excluded classes.
    pub(in crate::poll) excluded: Ids,
    /// Known and proved to be gone.
    pub(in crate::poll) gone: Ids,
}

impl Run {
    pub(in crate::poll) fn begin(listing: Listing, known: Ids, is_baseline: bool) -> Box<Self> {
        Box::new(Self {
            listing,
            known,
            met: BTreeSet::new(),
            is_baseline,
            shown: Shown::default(),
            stage: Stage::First(Pass::begin(listing)),
        })
    }

    /// The request to make now.
    pub(in crate::poll) fn ask(&self) -> IdAsk {
        match &self.stage {
            Stage::First(pass) | Stage::Second(pass) => pass.ask().clone(),
            Stage::Lookup(_, batch) => IdAsk::Among(batch.clone()),
        }
    }

    /// A poll between two of its requests delivered a record.
    pub(in crate::poll) fn meet(&mut self, id: &str) {
        self.met.insert(id.to_owned());
    }

    /// How many ids its list has shown so far.
    pub(in crate::poll) fn listed(&self) -> usize {
        match &self.stage {
            Stage::First(pass) => pass.listed(),
            _ => self.shown.listed.len(),
        }
    }

    /// The ids that the list showed and nobody knew when it began, where the pages to come show their
    /// records.
    pub(in crate::poll) fn unknown_in_pages(&self) -> Option<Ids> {
        let unknown = matches!(self.stage, Stage::Second(_)).then(|| self.unknown());
        unknown.filter(|unknown| !unknown.is_empty())
    }

    fn unknown(&self) -> Ids {
        if self.is_baseline {
            return Ids::default();
        }
        self.shown.listed.without(&[&self.known])
    }

    /// Takes the answer to [`ask`](Self::ask).
    pub(in crate::poll) fn take(mut self: Box<Self>, page: &ListPage) -> Answer {
        let next = match &mut self.stage {
            Stage::First(pass) | Stage::Second(pass) => pass.take(page),
            Stage::Lookup(lookup, batch) => {
                lookup.take(std::mem::take(batch), &Found::of(page));
                Next::Complete
            }
        };
        match next {
            Next::Ask => Answer::Ask(self),
            Next::Incomplete(reason) => Answer::Incomplete(reason),
            Next::Complete => self.go_on(),
        }
    }

    fn go_on(mut self: Box<Self>) -> Answer {
        let stage = std::mem::replace(&mut self.stage, Stage::First(Pass::begin(self.listing)));
        match stage {
            Stage::First(pass) => {
                (self.shown.listed, self.shown.excluded) = pass.into_ids();
                self.prove()
            }
            Stage::Second(pass) => {
                let (listed, excluded) = pass.into_ids();
                let missing = self.missing();
                self.shown.excluded = self.shown.excluded.and(&excluded);
                Answer::Done(self.verdict(missing.without(&[&listed, &excluded])))
            }
            Stage::Lookup(lookup, _) => self.look_up(lookup),
        }
    }

    /// The list is complete: what it doesn't show must be proved to be gone.
    fn prove(mut self: Box<Self>) -> Answer {
        let missing = self.missing();
        if self.listing.by_id {
            let lookup = Lookup::of(missing, self.listing.shows_hidden);
            return self.look_up(lookup);
        }
        if missing.is_empty() && self.unknown().is_empty() {
            return Answer::Done(self.verdict(missing));
        }
        self.stage = Stage::Second(Pass::begin(self.listing));
        Answer::Ask(self)
    }

    fn look_up(mut self: Box<Self>, mut lookup: Lookup) -> Answer {
        match lookup.next() {
            Some(batch) => {
                self.stage = Stage::Lookup(lookup, batch);
                Answer::Ask(self)
            }
            None => Answer::Done(self.verdict(lookup.into_gone())),
        }
    }

    fn missing(&self) -> Ids {
        let Shown { listed, excluded } = &self.shown;
        self.known.without(&[listed, excluded])
    }

    fn verdict(self, gone: Ids) -> Verdict {
        let is_gone = |id: &&str| !self.met.contains(*id);
        let gone = gone.iter().filter(is_gone).collect();
        Verdict {
            known: self.known,
            listed: self.shown.listed,
            excluded: self.shown.excluded,
            gone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BY_ID: Listing = Listing {
        by_key: true,
        by_offset: true,
        linked: false,
        by_id: true,
        shows_hidden: true,
    };
    const BY_LIST: Listing = Listing {
        by_key: false,
        by_id: false,
        shows_hidden: false,
        ..BY_ID
    };

    fn ids(all: &[&str]) -> Ids {
        all.iter().copied().collect()
    }

    fn page(rows: &[&str], excluded: &[&str]) -> ListPage {
        let own = rows.iter().map(|id| ((*id).to_owned(), false));
        let others = excluded.iter().map(|id| ((*id).to_owned(), true));
        let ids: Vec<_> = own.chain(others).collect();
        ListPage {
            rows: ids.len(),
            total: Some(ids.len() as u64),
            limit: 100,
            next: None,
            ids,
        }
    }

    fn asked(answer: Answer) -> Box<Run> {
        match answer {
            Answer::Ask(run) => run,
            other => panic!("{other:?}"),
        }
    }

    fn gone(answer: Answer) -> Ids {
        match answer {
            Answer::Done(verdict) => verdict.gone,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_missing_id_is_gone_only_if_it_cannot_be_read_either() {
        let run = Run::begin(BY_ID, ids(&["a", "b", "c", "d"]), false);
        let run = asked(run.take(&page(&["a"], &["b"])));
        let both = ["c".to_owned(), "d".to_owned()].to_vec();
        assert_eq!(run.ask(), IdAsk::Among(both));
        assert_eq!(gone(run.take(&page(&["c"], &[]))), ids(&["d"]));
    }

    #[test]
    fn where_ids_cannot_be_asked_for_two_lists_must_miss_them() {
        let run = Run::begin(BY_LIST, ids(&["a", "b", "c"]), false);
        let run = asked(run.take(&page(&["a"], &[])));
        assert_eq!(run.ask(), IdAsk::First);
        assert_eq!(gone(run.take(&page(&["b"], &[]))), ids(&["c"]));
    }

    #[test]
    fn an_incomplete_second_list_concludes_nothing() {
        let run = Run::begin(BY_LIST, ids(&["a", "b"]), false);
        let run = asked(run.take(&page(&["a"], &[])));
        let hidden = ListPage {
            total: Some(2),
            ..page(&["a"], &[])
        };
        assert!(matches!(run.take(&hidden), Answer::Incomplete(_)));
    }

    #[test]
    fn a_list_that_shows_all_that_is_known_needs_no_proof() {
        let run = Run::begin(BY_LIST, ids(&["a"]), false);
        assert_eq!(gone(run.take(&page(&["a"], &[]))), ids(&[]));
    }

    #[test]
    fn what_a_poll_delivered_meanwhile_is_not_gone() {
        let run = Run::begin(BY_LIST, ids(&["a", "b", "c"]), false);
        let mut run = asked(run.take(&page(&["a"], &[])));
        run.meet("c");
        assert_eq!(gone(run.take(&page(&["a"], &[]))), ids(&["b"]));
    }

    #[test]
    fn a_first_list_shows_nothing_new() {
        let run = Run::begin(BY_LIST, ids(&["a"]), true);
        assert_eq!(gone(run.take(&page(&["a", "b"], &[]))), ids(&[]));
        let run = Run::begin(BY_LIST, ids(&["a"]), true);
        let run = asked(run.take(&page(&["b"], &[])));
        assert_eq!(run.unknown_in_pages(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn comparisons_that_show_nothing_are_repeated_ever_later() {
        let mut reconciling = Reconciling::default();
        for pause in [60, 120, 240] {
            reconciling.give_up("a page is hidden".to_owned());
            tokio::time::advance(Duration::from_secs(pause - 1)).await;
            assert!(reconciling.is_pausing(), "{pause}");
            tokio::time::advance(Duration::from_secs(1)).await;
            assert!(!reconciling.is_pausing(), "{pause}");
        }
        reconciling.succeed();
        assert_eq!(reconciling.trouble, None);
    }
}
