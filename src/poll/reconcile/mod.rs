//! Finding deletions by comparing the ids known with those that the provider lists: pure, from what
//! a page showed to the next question and to the verdict.

mod known;
mod lookup;
mod pass;
mod run;

pub(super) use self::{
    known::{Compared, Known, UnreadIds},
    lookup::{Found, Lookup},
    pass::ListPage,
    run::{Answer, Reconciling, Run, Verdict},
};

/// Fewer missing ids than this are believed whatever their share.
const LEAST_HELD: usize = 10;

/// Whether so many of the known ids are missing that a person must confirm it: a provider that
/// lost a right to the records, or an emptied table, must not empty the receiver.
pub(super) const fn is_held(missing: usize, known: usize, max_share_percent: u32) -> bool {
    missing >= LEAST_HELD
        && missing.saturating_mul(100) > known.saturating_mul(max_share_percent as usize)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::few_are_believed_even_if_all(9, 9, 10, false)]
    #[case::ten_of_few(10, 20, 10, true)]
    #[case::exactly_the_share(10, 100, 10, false)]
    #[case::one_more_than_the_share(11, 100, 10, true)]
    #[case::a_share_of_none(10, 100_000, 0, true)]
    #[case::a_share_of_all(100, 100, 100, false)]
    fn a_mass_of_missing_ids_is_held(
        #[case] missing: usize,
        #[case] known: usize,
        #[case] share: u32,
        #[case] held: bool,
    ) {
        assert_eq!(is_held(missing, known, share), held);
    }
}
