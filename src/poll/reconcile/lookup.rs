//! Which of some ids there still are, asked for by id.

use std::collections::HashSet;

use super::pass::ListPage;
use crate::poll::ids::{Collected, Ids};

/// Ids in one question, so that its URL stays short.
const BATCH: usize = 100;
/// Bytes of ids in one question.
const BATCH_BYTES: usize = 4_000;

/// A look-up under way.
///
/// Where totals count rows before access rules, an id whose row is hidden is told from one that is
/// gone: a batch of which more rows are counted than shown is halved until that is plain.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::poll) struct Lookup {
    candidates: Ids,
    next: usize,
    /// Batches to be asked for again, in parts.
    split: Vec<Vec<String>>,
    gone: Collected,
    shows_hidden: bool,
}

/// What a question for a batch showed.
pub(in crate::poll) struct Found {
    pub(in crate::poll) ids: HashSet<String>,
    pub(in crate::poll) total: Option<u64>,
    pub(in crate::poll) limit: u32,
    /// A next link says that more rows follow.
    pub(in crate::poll) goes_on: bool,
}

impl Found {
    /// What a page of a list showed.
    pub(in crate::poll) fn of(page: &ListPage) -> Self {
        Self {
            ids: page.ids.iter().map(|(id, _)| id.clone()).collect(),
            total: page.total,
            limit: page.limit,
            goes_on: page.next.is_some(),
        }
    }
}

impl Lookup {
    pub(in crate::poll) const fn of(candidates: Ids, shows_hidden: bool) -> Self {
        Self {
            candidates,
            next: 0,
            split: Vec::new(),
            gone: Collected::new(),
            shows_hidden,
        }
    }

    /// The ids to ask for now; none once all are answered.
    pub(in crate::poll) fn next(&mut self) -> Option<Vec<String>> {
        if let Some(batch) = self.split.pop() {
            return Some(batch);
        }
        let batch = self.candidates.batch(self.next, BATCH, BATCH_BYTES);
        self.next += batch.len();
        (!batch.is_empty()).then_some(batch)
    }

    /// Takes the answer to a question for `batch`.
    pub(in crate::poll) fn take(&mut self, batch: Vec<String>, found: &Found) {
        if batch.len() > 1 && found.limit > 0 && (found.limit as usize) < batch.len() {
            return self.halve(batch);
        }
        if self.is_cut(found) {
            // Of a single id too, no such answer proves that it is gone.
            if batch.len() > 1 {
                self.halve(batch);
            }
            return;
        }
        let absent: Vec<_> = batch
            .into_iter()
            .filter(|id| !found.ids.contains(id))
            .collect();
        let hidden = match found.total {
            Some(total) if self.shows_hidden => total.saturating_sub(found.ids.len() as u64),
            // Without the total that is promised a hidden row may be any of them.
            None if self.shows_hidden => return,
            _ => 0,
        };
        if hidden == 0 {
            absent.iter().for_each(|id| self.gone.push(id));
        } else if hidden < absent.len() as u64 {
            self.halve(absent);
        }
    }

    /// Whether there may be more than the answer shows, behind its next link. Where totals count rows
    /// before access rules, they tell.
    fn is_cut(&self, found: &Found) -> bool {
        let shown = found.ids.len() as u64;
        !self.shows_hidden && found.goes_on && found.total.is_none_or(|total| total > shown)
    }

    /// The ids that are gone.
    pub(in crate::poll) fn into_gone(self) -> Ids {
        self.gone.into_ids()
    }

    fn halve(&mut self, mut batch: Vec<String>) {
        let half = batch.split_off(batch.len() / 2);
        self.split.extend([half, batch]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks `ids` up where `shown` are readable and `hidden` are not; the gone, and the questions.
    fn look_up(ids: &[&str], shown: &[&str], hidden: &[&str], limit: u32) -> (Ids, usize) {
        let mut lookup = Lookup::of(ids.iter().copied().collect(), true);
        let mut questions = 0;
        while let Some(batch) = lookup.next() {
            questions += 1;
            let among = |all: &[&str]| -> HashSet<String> {
                let there = batch.iter().filter(|id| all.contains(&id.as_str()));
                there.take(limit as usize).cloned().collect()
            };
            let found = Found {
                total: Some((among(shown).len() + among(hidden).len()) as u64),
                ids: among(shown),
                limit,
                goes_on: false,
            };
            lookup.take(batch, &found);
        }
        (lookup.into_gone(), questions)
    }

    fn ids(all: &[&str]) -> Ids {
        all.iter().copied().collect()
    }

    #[test]
    fn what_is_not_shown_is_gone() {
        assert_eq!(
            look_up(&["a", "b", "c"], &["b"], &[], 100),
            (ids(&["a", "c"]), 1)
        );
    }

    #[test]
    fn what_access_rules_hide_is_not_gone() {
        let (gone, questions) = look_up(&["a", "b", "c", "d"], &["a"], &["c"], 100);
        assert_eq!(gone, ids(&["b", "d"]));
        assert!(questions <= 5, "{questions}");
        assert_eq!(look_up(&["a", "b"], &[], &["a", "b"], 100), (ids(&[]), 1));
    }

    #[test]
    fn a_page_smaller_than_the_question_proves_nothing_of_the_rest() {
        let (gone, _) = look_up(&["a", "b", "c", "d", "e"], &["a", "b", "c", "d"], &[], 2);
        assert_eq!(gone, ids(&["e"]));
    }

    #[test]
    fn questions_are_bounded_in_number_and_length_of_their_ids() {
        let long: Vec<String> = (0..9).map(|n| format!("{n}{}", "x".repeat(999))).collect();
        let long: Vec<&str> = long.iter().map(String::as_str).collect();
        assert_eq!(look_up(&long, &[], &[], 100).1, 3);
        let many: Vec<String> = (0..250).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(look_up(&many, &[], &[], 100).1, 3);
    }

    #[test]
    fn without_the_total_that_is_promised_nothing_is_gone() {
        let mut lookup = Lookup::of(["a", "b"].into_iter().collect(), true);
        let batch = lookup.next().unwrap();
        let found = Found {
            ids: HashSet::from(["a".to_owned()]),
            total: None,
            limit: 10,
            goes_on: false,
        };
        lookup.take(batch, &found);
        assert_eq!(lookup.next(), None);
        assert!(lookup.into_gone().is_empty());
    }

    /// Looks four ids up of which "a" and "d" are there, in answers of one row.
    fn look_up_in_cut_answers(total: impl Fn(usize) -> Option<u64>, always_linked: bool) -> Ids {
        let mut lookup = Lookup::of(["a", "b", "c", "d"].into_iter().collect(), false);
        while let Some(batch) = lookup.next() {
            let there = batch.iter().filter(|id| ["a", "d"].contains(&id.as_str()));
            let there: Vec<_> = there.cloned().collect();
            let found = Found {
                goes_on: always_linked || there.len() > 1,
                total: total(there.len()),
                ids: there.into_iter().take(1).collect(),
                limit: 10,
            };
            lookup.take(batch, &found);
        }
        lookup.into_gone()
    }

    #[test]
    fn an_answer_that_goes_on_behind_a_link_proves_nothing_of_the_rest() {
        let counted = |rows: usize| Some(rows as u64);
        let totals: [fn(usize) -> Option<u64>; 2] = [|_| None, counted];
        for total in totals {
            assert_eq!(look_up_in_cut_answers(total, false), ids(&["b", "c"]));
        }
        assert_eq!(look_up_in_cut_answers(|_| None, true), ids(&[]));
    }
}
