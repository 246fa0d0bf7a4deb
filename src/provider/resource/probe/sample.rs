//! A row to look at.

use chrono::{DateTime, Utc};

use crate::provider::{DateRead, Page, PageError, Row};

/// One row, as far as it was read.
pub(super) struct Sample {
    pub(super) id: Option<String>,
    pub(super) updated: Option<DateTime<Utc>>,
    pub(super) classified: bool,
}

/// The first readable row of a page, else the first.
pub(super) fn first_row(page: &Page) -> Result<Option<Sample>, PageError> {
    let mut first: Option<Sample> = None;
    page.rows(|row| {
        if !first.as_ref().is_some_and(Sample::is_readable) {
            let read = Sample::of(&row);
            if first.is_none() || read.is_readable() {
                first = Some(read);
            }
        }
    })?;
    Ok(first)
}

impl Sample {
    fn of(row: &Row<'_>) -> Self {
        let date = |read: &DateRead<'_>| match read {
            DateRead::At(instant) => Some(*instant),
            _ => None,
        };
        Self {
            id: row.id.as_ref().map(ToString::to_string),
            updated: date(&row.updated).or_else(|| date(&row.created)),
            classified: row.class.is_some(),
        }
    }

    pub(super) const fn is_readable(&self) -> bool {
        self.id.is_some() && self.updated.is_some()
    }
}
