//! Sets of ids: a million of them held in one text, and stored front-coded.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::varint::{put_varint, take_varint};

/// Ids in ascending order of their bytes, without repeats.
///
/// An encoding is a row of ids, each as the number of bytes that it shares with the one before it
/// (varint), the number of the rest (varint), and the rest. Each begins anew with a whole id, so
/// that one can be read without the one before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ids {
    text: String,
    /// Where each id ends in the text.
    ends: Vec<usize>,
}

/// An encoding that holds no ids.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a list of ids is damaged: {0}")]
pub(super) struct DamagedIds(&'static str);

impl Ids {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|position| self.at(position))
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.at(middle).cmp(id) {
                std::cmp::Ordering::Equal => return true,
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        false
    }

    /// The ids that are in none of `others`.
    pub(super) fn without(&self, others: &[&Self]) -> Self {
        let in_none = |id: &&str| !others.iter().any(|other| other.contains(id));
        self.iter().filter(in_none).collect()
    }

    /// The ids that are in `other` too.
    pub(super) fn within(&self, other: &Self) -> Self {
        self.iter().filter(|id| other.contains(id)).collect()
    }

    /// The ids of both.
    pub(super) fn and(&self, other: &Self) -> Self {
        self.iter().chain(other.iter()).collect()
    }

    /// The ids from the position `from` on, at most `most` of them, and of at most `bytes` bytes
    /// where more than one.
    pub(super) fn batch(&self, from: usize, most: usize, bytes: usize) -> Vec<String> {
        let mut size = 0;
        (from..self.len())
            .take(most)
            .map(|position| self.at(position))
            .take_while(|id| {
                let first = size == 0;
                size += id.len().max(1);
                first || size <= bytes
            })
            .map(str::to_owned)
            .collect()
    }

    /// The encodings of all, none longer than `most` bytes, each with its number of ids.
    pub(super) fn encode(&self, most: usize) -> Vec<(Vec<u8>, usize)> {
        let mut parts: Vec<(Vec<u8>, usize)> = Vec::new();
        let mut before = "";
        for id in self.iter() {
            let mut coded = front_coded(before, id);
            let fits = |part: &&mut (Vec<u8>, usize)| part.0.len() + coded.len() <= most;
            if let Some((bytes, count)) = parts.last_mut().filter(fits) {
                bytes.append(&mut coded);
                *count += 1;
            } else {
                parts.push((front_coded("", id), 1));
            }
            before = id;
        }
        parts
    }

    /// Reads one encoding of `count` ids.
    pub(super) fn decode(mut rest: &[u8], count: i64) -> Result<Self, DamagedIds> {
        const CUT: DamagedIds = DamagedIds("it is cut short");
        let mut ids = Self::default();
        let mut id: Vec<u8> = Vec::new();
        while !rest.is_empty() {
            let shared = take_varint(&mut rest).ok_or(CUT)?;
            let length = take_varint(&mut rest).ok_or(CUT)?;
            let shared = usize::try_from(shared).map_err(|_| CUT)?;
            let length = usize::try_from(length).map_err(|_| CUT)?;
            let (tail, after) = rest.split_at_checked(length).ok_or(CUT)?;
            if shared > id.len() {
                return Err(DamagedIds("an id shares more than there is"));
            }
            id.truncate(shared);
            id.extend_from_slice(tail);
            rest = after;
            let text = std::str::from_utf8(&id).map_err(|_| DamagedIds("an id is no text"))?;
            ids.push_last(text)?;
        }
        if i64::try_from(ids.len()) == Ok(count) {
            Ok(ids)
        } else {
            Err(DamagedIds("its count is another"))
        }
    }

    /// Reads ids that a checkpoint holds itself.
    pub(super) fn from_text(entries: &str) -> Result<Vec<u8>, DamagedIds> {
        STANDARD
            .decode(entries)
            .map_err(|_| DamagedIds("no base64"))
    }

    /// The form in which a checkpoint holds an encoding itself.
    pub(super) fn to_text(encoding: &[u8]) -> String {
        STANDARD.encode(encoding)
    }

    fn at(&self, position: usize) -> &str {
        let end = self.ends.get(position).copied().unwrap_or_default();
        let start = position
            .checked_sub(1)
            .and_then(|before| self.ends.get(before).copied());
        self.text
            .get(start.unwrap_or_default()..end)
            .unwrap_or_default()
    }

    fn push_last(&mut self, id: &str) -> Result<(), DamagedIds> {
        if !self.is_empty() && self.at(self.len() - 1) >= id {
            return Err(DamagedIds("its ids are in no order"));
        }
        self.text.push_str(id);
        self.ends.push(self.text.len());
        Ok(())
    }
}

/// Ids in any order, repeats included: sorted as text slices of one buffer.
impl<'a> FromIterator<&'a str> for Ids {
    fn from_iter<I: IntoIterator<Item = &'a str>>(ids: I) -> Self {
        let mut all: Vec<&str> = ids.into_iter().collect();
        all.sort_unstable();
        all.dedup();
        let mut ids = Self {
            text: String::with_capacity(all.iter().map(|id| id.len()).sum()),
            ends: Vec::with_capacity(all.len()),
        };
        for id in all {
            ids.text.push_str(id);
            ids.ends.push(ids.text.len());
        }
        ids
    }
}

/// Ids as a list shows them, page by page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Collected(Ids);

impl Collected {
    pub(super) const fn new() -> Self {
        Self(Ids {
            text: String::new(),
            ends: Vec::new(),
        })
    }

    pub(super) fn push(&mut self, id: &str) {
        self.0.text.push_str(id);
        self.0.ends.push(self.0.text.len());
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The set of them.
    pub(super) fn into_ids(self) -> Ids {
        self.0.iter().collect()
    }
}

fn front_coded(before: &str, id: &str) -> Vec<u8> {
    let pairs = before.bytes().zip(id.bytes());
    let shared = pairs.take_while(|(left, right)| left == right).count();
    let rest = id.as_bytes().get(shared..).unwrap_or_default();
    let mut bytes = Vec::with_capacity(rest.len() + 4);
    put_varint(&mut bytes, shared as u64);
    put_varint(&mut bytes, rest.len() as u64);
    bytes.extend_from_slice(rest);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ids(all: &[&str]) -> Ids {
        all.iter().copied().collect()
    }

    #[test]
    fn sets_are_compared_by_whole_ids() {
        let (some, others) = (ids(&["b", "a", "ab", "a"]), ids(&["a", "c"]));
        assert_eq!(some.len(), 3);
        assert_eq!(some.without(&[&others]), ids(&["ab", "b"]));
        assert_eq!(some.and(&others), ids(&["a", "ab", "b", "c"]));
        assert!(others.contains("c") && !others.contains("") && !others.contains("ca"));
    }

    #[test]
    fn a_list_that_was_cut_short_is_refused() {
        let [(bytes, count)] = &ids(&["aaaa", "aaab", "b"]).encode(100)[..] else {
            panic!("one encoding");
        };
        let count = i64::try_from(*count).unwrap();
        for end in 0..bytes.len() {
            assert!(Ids::decode(&bytes[..end], count).is_err(), "cut at {end}");
        }
        assert!(Ids::decode(bytes, count + 1).is_err());
    }

    #[test]
    fn an_encoding_is_no_longer_than_asked_and_begins_with_a_whole_id() {
        let all = ids(&["aaaaaaaa1", "aaaaaaaa2", "aaaaaaaa3", "aaaaaaaa4"]);
        let parts = all.encode(14);
        assert_eq!(parts.len(), 2);
        let read = parts.iter().map(|(bytes, count)| {
            assert!(bytes.len() <= 14);
            Ids::decode(bytes, i64::try_from(*count).unwrap()).unwrap()
        });
        assert_eq!(read.reduce(|some, more| some.and(&more)), Some(all));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(all in prop::collection::btree_set("[a-c\u{e9}]{0,6}", 0..40), most in 8..60_usize) {
            let ids: Ids = all.iter().map(String::as_str).collect();
            let mut read = Ids::default();
            for (bytes, count) in ids.encode(most) {
                read = read.and(&Ids::decode(&bytes, i64::try_from(count).unwrap()).unwrap());
            }
            prop_assert!(read.iter().eq(all.iter().map(String::as_str)));
        }

        #[test]
        fn arbitrary_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60), count in 0..20_i64) {
            let _ = Ids::decode(&bytes, count);
        }
    }
}
