//! The fingerprints in segments, for look-ups.

/// A set of fingerprints in eight bytes each and a sixteenth more, which grows by merging.
///
/// A fingerprint is already a hash, so its first bits say about where it stands in the sorted list.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    sorted: Vec<u64>,
    /// Where each slot begins, and the end of the last one.
    starts: Vec<u32>,
    /// Bits of a fingerprint behind those that choose its slot.
    shift: u32,
}

/// Fingerprints in one slot, on average: two lines of a processor's cache.
const SLOT: usize = 8;

impl Index {
    pub(super) fn of(fingerprints: impl Iterator<Item = u64>) -> Self {
        let mut sorted: Vec<u64> = fingerprints.collect();
        sorted.sort_unstable();
        sorted.dedup();
        sorted.shrink_to_fit();
        Self::over(sorted)
    }

    /// The same with more fingerprints.
    pub(super) fn with(self, mut more: Vec<u64>) -> Self {
        let mut sorted = self.sorted;
        more.sort_unstable();
        sorted.reserve_exact(more.len());
        sorted.append(&mut more);
        // Two sorted runs: a stable sort finds and merges them.
        sorted.sort();
        sorted.dedup();
        Self::over(sorted)
    }

    /// Bytes that it takes on the heap.
    #[cfg(test)]
    pub(super) fn size(&self) -> u64 {
        (size_of_val(self.sorted.as_slice()) + size_of_val(self.starts.as_slice())) as u64
    }

    pub(super) fn contains(&self, fingerprint: u64) -> bool {
        let slot = usize::try_from(fingerprint >> self.shift).unwrap_or(usize::MAX);
        let Some([start, end]) = self.starts.get(slot..).and_then(<[u32]>::first_chunk) else {
            return false;
        };
        let slot = self.sorted.get(*start as usize..*end as usize);
        slot.is_some_and(|slot| slot.contains(&fingerprint))
    }

    fn over(sorted: Vec<u64>) -> Self {
        if sorted.is_empty() {
            return Self::default();
        }
        let bits = (sorted.len() / SLOT).max(2).ilog2();
        let shift = u64::BITS - bits;
        let mut starts = Vec::with_capacity((1 << bits) + 1);
        for (position, fingerprint) in sorted.iter().enumerate() {
            let slot = usize::try_from(fingerprint >> shift).unwrap_or(usize::MAX);
            while starts.len() <= slot {
                starts.push(u32::try_from(position).unwrap_or(u32::MAX));
            }
        }
        let end = u32::try_from(sorted.len()).unwrap_or(u32::MAX);
        starts.resize((1 << bits) + 1, end);
        Self {
            sorted,
            starts,
            shift,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_in_an_empty_index() {
        let empty = Index::default();
        assert!(!empty.contains(0) && !empty.contains(u64::MAX));
    }

    proptest! {
        #[test]
        fn what_was_put_in_is_found_and_nothing_else(
            first in proptest::collection::btree_set(any::<u64>(), 0..200),
            second in proptest::collection::btree_set(any::<u64>(), 0..200),
            edges in proptest::collection::vec(prop_oneof![Just(0), Just(1), Just(u64::MAX)], 0..3),
            others in proptest::collection::vec(any::<u64>(), 20),
        ) {
            let all: std::collections::BTreeSet<_> = first.iter().chain(&second).chain(&edges).copied().collect();
            let index = Index::of(first.into_iter()).with(second.into_iter().chain(edges).collect());
            for fingerprint in &all {
                prop_assert!(index.contains(*fingerprint));
                for near in [fingerprint.wrapping_sub(1), fingerprint.wrapping_add(1)] {
                    prop_assert_eq!(index.contains(near), all.contains(&near));
                }
            }
            for other in others {
                prop_assert_eq!(index.contains(other), all.contains(&other));
            }
        }
    }
}
