//! Notifications that were refused as a whole, and go again in parts.

use std::collections::BTreeSet;

use super::Range;

/// Parts of refused notifications, of which the first goes next.
#[derive(Debug, Default)]
pub(super) struct Again(BTreeSet<(usize, usize)>);

impl Again {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Enters the halves of a refused notification: among a thousand events a refused one is found
    /// by twenty notifications.
    pub(super) fn halve(&mut self, range: &Range) {
        let middle = range.start + range.len().div_ceil(2);
        self.0.insert((range.start, middle));
        self.0.insert((middle, range.end));
    }

    /// The part that goes next.
    pub(super) fn next(&mut self) -> Option<Range> {
        let (start, end) = self.0.pop_first()?;
        Some(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_goes_again_in_halves_and_in_order() {
        let mut again = Again::default();
        again.halve(&(10..15));
        again.halve(&(0..2));
        let mut went = Vec::new();
        while let Some(range) = again.next() {
            if range == (10..13) {
                again.halve(&range);
            }
            went.push(range);
        }
        assert_eq!(went, [0..1, 1..2, 10..13, 10..12, 12..13, 13..15]);
    }
}
