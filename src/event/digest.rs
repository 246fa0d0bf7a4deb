//! Digests from which ids are made.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// Numbers of JSON that every receiver reads exactly are below this (RFC 8259 §6).
const EXACT: u128 = 1 << 53;

/// SHA-256 over a list of texts, each behind its length, so that no two lists are one byte
/// sequence.
#[derive(Clone)]
pub(super) struct Digest(Sha256);

impl Digest {
    /// The digest of a list that is used for `purpose` alone.
    pub(super) fn of(purpose: &str) -> Self {
        Self(Sha256::new()).text("pollen").text(purpose)
    }

    /// The digest of the list with one more text.
    pub(super) fn text(mut self, text: &str) -> Self {
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text);
        self
    }

    /// The digest at its end, from which ids are read.
    pub(super) fn end(self) -> Ended {
        Ended(self.0.finalize().into())
    }
}

/// A digest that takes nothing more: as many ids as are wanted come of one computation.
#[derive(Clone, Copy)]
pub(super) struct Ended([u8; 32]);

impl Ended {
    /// 32 hexadecimal digits.
    pub(super) fn hex(&self) -> String {
        let [first, _] = self.halves();
        format!("{first:032x}")
    }

    /// 20 characters that a URL carries as they are.
    pub(super) fn opaque(&self) -> String {
        let (head, _) = self.0.split_at(15);
        URL_SAFE_NO_PAD.encode(head)
    }

    /// A positive number below 2^53.
    pub(super) fn number(&self) -> i64 {
        let [_, second] = self.halves();
        i64::try_from((second >> 64) % (EXACT - 1)).unwrap_or_default() + 1
    }

    /// The two halves as numbers.
    fn halves(&self) -> [u128; 2] {
        let number = |half: &[u8]| {
            half.iter()
                .fold(0, |sum, byte| sum << 8 | u128::from(*byte))
        };
        let (first, second) = self.0.split_at(16);
        [number(first), number(second)]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_that_join_alike_have_different_digests() {
        let lists = [["ab", "c"], ["a", "bc"], ["abc", ""], ["", "abc"]];
        let digests = lists.map(|[a, b]| Digest::of("event").text(a).text(b).end().hex());
        for (index, digest) in digests.iter().enumerate() {
            assert!(!digests[..index].contains(digest));
        }
    }

    #[test]
    fn a_purpose_keeps_digests_of_the_same_texts_apart() {
        assert_ne!(
            Digest::of("event").end().hex(),
            Digest::of("notification").end().hex()
        );
    }

    proptest! {
        #[test]
        fn a_number_is_positive_and_exact_in_json(text in ".*") {
            let number = Digest::of("number").text(&text).end().number();
            prop_assert!(number > 0 && number < 1 << 53);
        }
    }
}
