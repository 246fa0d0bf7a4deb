//! What is done with the records of a page.

use bytes::Bytes;
use serde::de::{Error as _, IgnoredAny, SeqAccess};
use serde_json::value::RawValue;

use super::{
    Row,
    body::walk,
    fault::Fault,
    record::{Found, RecordSeed},
    utf8::Utf8Body,
};
use crate::provider::shape::RecordShape;

/// Shows each record's row to `visit`.
pub(super) fn read(
    shape: &RecordShape,
    body: &Utf8Body,
    mut visit: impl FnMut(Row<'_>),
) -> Result<usize, Fault> {
    let mut quick = Quick {
        shape,
        visit: &mut visit,
        index: 0,
        versionless: false,
    };
    if shape.has_version && body.is_as_sent() {
        let walked = walk(shape, body.bytes(), &mut quick);
        if !quick.versionless {
            return walked.map(|()| quick.index);
        }
    }
    let shown = quick.index;
    let mut thorough = Thorough {
        shape,
        body,
        visit: &mut visit,
        index: 0,
        shown,
    };
    walk(shape, body.bytes(), &mut thorough).map(|()| thorough.index)
}

/// Cuts the wanted records out.
pub(super) fn cut(
    shape: &RecordShape,
    body: &Utf8Body,
    wanted: &[usize],
) -> Result<Vec<Bytes>, Fault> {
    let mut cut = Cut {
        body: body.bytes(),
        wanted,
        index: 0,
        records: Vec::with_capacity(wanted.len()),
    };
    let walked = if wanted.is_empty() {
        Ok(())
    } else {
        walk(shape, body.bytes(), &mut cut)
    };
    match walked {
        _ if cut.records.len() == wanted.len() => Ok(cut.records),
        Err(fault) => Err(fault),
        Ok(()) => Err(Fault::NotARecord { index: cut.index }),
    }
}

/// What is done with the items of the list.
pub(super) trait Items<'de> {
    /// Takes the next item; false at the end of the list.
    fn take<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error>;

    /// The index of the item at hand.
    fn index(&self) -> usize;
}

/// Reads rows without looking at a record's whole text; stops at one without a version.
struct Quick<'s, F> {
    shape: &'s RecordShape,
    visit: F,
    index: usize,
    versionless: bool,
}

impl<'de, F: FnMut(Row<'_>)> Items<'de> for Quick<'_, F> {
    #[inline]
    fn take<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let mut found = Found::default();
        if list
            .next_element_seed(RecordSeed {
                tree: &self.shape.fields,
                found: &mut found,
            })?
            .is_none()
        {
            return Ok(false);
        }
        if !found.has_version() {
            self.versionless = true;
            return Err(A::Error::custom("a record without a version"));
        }
        (self.visit)(found.row(self.shape, self.index, None));
        self.index += 1;
        Ok(true)
    }

    fn index(&self) -> usize {
        self.index
    }
}

/// Reads rows whose version may be a digest or whose text may be no UTF-8; those already shown are
/// passed over.
struct Thorough<'s, F> {
    shape: &'s RecordShape,
    body: &'s Utf8Body,
    visit: F,
    index: usize,
    shown: usize,
}

impl<'de, F: FnMut(Row<'_>)> Items<'de> for Thorough<'_, F> {
    fn take<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let Some(raw) = list.next_element::<&'de RawValue>()? else {
            return Ok(false);
        };
        let found = Found::read(self.shape, raw.get()).map_err(A::Error::custom)?;
        if self.index >= self.shown {
            let mut row = found.row(self.shape, self.index, Some(raw.get()));
            row.is_utf8 = self.body.was_utf8(raw.get());
            (self.visit)(row);
        }
        self.index += 1;
        Ok(true)
    }

    fn index(&self) -> usize {
        self.index
    }
}

/// Cuts records out and stops behind the last.
struct Cut<'b> {
    body: &'b Bytes,
    wanted: &'b [usize],
    index: usize,
    records: Vec<Bytes>,
}

impl<'de: 'b, 'b> Items<'de> for Cut<'b> {
    fn take<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let Some(next) = self.wanted.get(self.records.len()) else {
            return Err(A::Error::custom("all are cut"));
        };
        let some = if *next == self.index {
            let raw = list.next_element::<&'de RawValue>()?;
            self.records
                .extend(raw.map(|raw| self.body.slice_ref(raw.get().as_bytes())));
            raw.is_some()
        } else {
            list.next_element::<IgnoredAny>()?.is_some()
        };
        self.index += usize::from(some);
        Ok(some)
    }

    fn index(&self) -> usize {
        self.index
    }
}
