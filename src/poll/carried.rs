//! What events carry of their records.

use bytes::Bytes;

use super::change::Change;
use crate::provider::{Page, PageError};

/// What the event of a change carries of its record.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Carried {
    /// The row at this position of the page that showed the change, byte for byte.
    Row(usize),
    /// A JSON object that stands for a record that is gone.
    Tombstone(Bytes),
}

impl Carried {
    const fn row(&self) -> Option<usize> {
        match self {
            Self::Row(index) => Some(*index),
            Self::Tombstone(_) => None,
        }
    }
}

/// The bytes for each of `changes`; rows are cut out of `page` without copying.
pub(super) fn bytes_of(page: Option<&Page>, changes: &[Change]) -> Result<Vec<Bytes>, PageError> {
    let mut wanted: Vec<usize> = changes
        .iter()
        .filter_map(|change| change.carried.row())
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    let rows = page.map_or(Ok(Vec::new()), |page| page.records(&wanted))?;
    let bytes = changes.iter().map(|change| match &change.carried {
        Carried::Tombstone(object) => object.clone(),
        Carried::Row(index) => {
            let position = wanted.binary_search(index).unwrap_or(wanted.len());
            rows.get(position).cloned().unwrap_or_default()
        }
    });
    Ok(bytes.collect())
}
