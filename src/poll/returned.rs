//! Which versions a sweep returned: where rows of any date come again, the window keeps those.

use std::collections::HashSet;

/// Versions that are remembered one by one: some tens of KiB.
const FEW: usize = 4_096;

/// Two bits for each version in a table of so many: sixteen to a version of the largest window.
const BITS: u32 = 24;

/// A set of fingerprints that takes 2 MiB however many they are.
///
/// Beyond a few it is a table of bits, which also holds about one in a hundred of those that were not
/// put in: such a version stays in the window until another sweep, whose table is another, leaves it
/// out. One that was put in is always found, so that nothing is forgotten that comes again.
pub(super) enum Returned {
    Few(HashSet<u64>),
    Many(Table),
}

pub(super) struct Table {
    words: Vec<u64>,
    /// What makes it another table than the sweep's before.
    factor: u64,
}

impl Default for Returned {
    fn default() -> Self {
        Self::Few(HashSet::new())
    }
}

impl Returned {
    pub(super) fn extend(&mut self, fingerprints: impl IntoIterator<Item = u64>) {
        for fingerprint in fingerprints {
            self.insert(fingerprint);
        }
    }

    pub(super) fn contains(&self, fingerprint: u64) -> bool {
        match self {
            Self::Few(few) => few.contains(&fingerprint),
            Self::Many(table) => table.contains(fingerprint),
        }
    }

    fn insert(&mut self, fingerprint: u64) {
        if let Self::Few(few) = self {
            few.insert(fingerprint);
            if few.len() <= FEW {
                return;
            }
            let mut table = Table::new(rand::random());
            few.drain()
                .for_each(|fingerprint| table.insert(fingerprint));
            *self = Self::Many(table);
        } else if let Self::Many(table) = self {
            table.insert(fingerprint);
        }
    }
}

impl Table {
    fn new(factor: u64) -> Self {
        Self {
            words: vec![0; (1 << BITS) / 64],
            factor: factor | 1,
        }
    }

    fn insert(&mut self, fingerprint: u64) {
        for (word, bit) in self.places(fingerprint) {
            if let Some(word) = self.words.get_mut(word) {
                *word |= bit;
            }
        }
    }

    fn contains(&self, fingerprint: u64) -> bool {
        let is_set =
            |(word, bit): (usize, u64)| self.words.get(word).is_some_and(|word| word & bit != 0);
        self.places(fingerprint).into_iter().all(is_set)
    }

    /// Its two bits: a fingerprint is already a hash, of which a product mixes the upper bits most.
    fn places(&self, fingerprint: u64) -> [(usize, u64); 2] {
        let mixed = fingerprint.wrapping_mul(self.factor);
        [mixed >> (64 - BITS), mixed << BITS >> (64 - BITS)].map(|place| {
            let word = usize::try_from(place / 64).unwrap_or(usize::MAX);
            (word, 1 << (place % 64))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look like hashes.
    fn fingerprints(from: u64, count: u64) -> impl Iterator<Item = u64> {
        (from..from + count).map(|number| {
            let mixed = (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) ^ mixed >> 32
        })
    }

    fn returned(count: u64) -> Returned {
        let mut returned = Returned::default();
        returned.extend(fingerprints(0, count));
        returned
    }

    #[test]
    fn a_few_are_told_from_all_others() {
        let returned = returned(FEW as u64);
        assert!(fingerprints(0, FEW as u64).all(|one| returned.contains(one)));
        assert!(!fingerprints(10_000_000, 10_000).any(|other| returned.contains(other)));
    }

    /// One that is missed is forgotten by the window, and delivered again.
    #[test]
    fn of_a_whole_window_none_is_missed_and_few_others_are_found_in_two_mebibytes() {
        const ALL: u64 = 1_000_000;
        let returned = returned(ALL);
        assert!(fingerprints(0, ALL).all(|one| returned.contains(one)));
        let others = fingerprints(10_000_000, 100_000);
        let found = others.filter(|other| returned.contains(*other)).count();
        assert!(found < 3_000, "{found} of 100,000");
        let Returned::Many(table) = returned else {
            panic!("a table")
        };
        assert_eq!(size_of_val(table.words.as_slice()), 2 << 20);
    }
}
