//! Which rows of a table a query selects, and the page of them that is asked for.

mod span;

use std::cmp::Ordering;

use chrono::TimeDelta;

use super::{
    query::{Context, Order, Query, compare},
    schema::Table,
    state::State,
    store::Record,
};
use span::Span;

/// The part of a listing that is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) offset: usize,
    pub(super) limit: usize,
}

/// The rows within a window, hidden ones too, and how many there are beside it.
#[derive(Debug)]
pub(super) struct Page<'s> {
    pub(super) records: Vec<&'s Record>,
    pub(super) total: usize,
}

/// A part of a query that the simulator can't carry out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unsupported(pub(super) String);

impl State {
    pub(super) fn list(
        &self,
        (name, table): (&str, &Table),
        text: &str,
        window: Window,
    ) -> Result<Page<'_>, Unsupported> {
        let mut query = Query::parse(text);
        if let Some(part) = query.unsupported.pop() {
            return Err(Unsupported(part));
        }
        let valid = query.bind(&Context {
            is_column: &|name| table.column(name).is_some(),
            heirs: &|table| {
                self.schema
                    .heirs(table)
                    .iter()
                    .map(ToString::to_string)
                    .collect()
            },
            literal_offset: TimeDelta::seconds(self.settings.literal_offset_seconds),
        });
        if !valid && self.settings.invalid_query_returns_no_rows {
            return Ok(Page::none());
        }
        if self.settings.ignores_filter {
            query.groups = vec![Vec::new()];
        }
        if self.settings.ignores_order {
            query.order.clear();
        }
        Ok(self.select(name, query, window))
    }

    fn select(&self, table: &str, mut query: Query, window: Window) -> Page<'_> {
        let span = Span::take(&mut query);
        let Some(range) = span.range() else {
            return Page::none();
        };
        let rows = self.store.rows(table, range);
        let ordered = span.is_ordered_by(&query.order);
        if ordered && query.selects_all() {
            // No row beside the page needs to be looked at.
            return page(rows, window);
        }
        let matching = rows.filter(|row| query.matches(&|field: &str| row.get(field)));
        if ordered {
            return page(matching, window);
        }
        let matching = matching.map(|row| (sort_key(row, &query.order), row));
        sorted_page(matching.collect(), &query.order, window)
    }
}

impl Page<'_> {
    const fn none() -> Self {
        Self {
            records: Vec::new(),
            total: 0,
        }
    }
}

/// The page of rows that are in order.
fn page<'s>(rows: impl Iterator<Item = &'s Record>, window: Window) -> Page<'s> {
    let mut rows = rows.fuse();
    let before = rows.by_ref().take(window.offset).count();
    let records: Vec<_> = rows.by_ref().take(window.limit).collect();
    Page {
        total: before + records.len() + rows.count(),
        records,
    }
}

/// A row with the values that it is ordered by.
type Sortable<'s> = (Vec<&'s str>, &'s Record);

fn sort_key<'s>(row: &'s Record, orders: &[Order]) -> Vec<&'s str> {
    orders.iter().map(|order| row.get(&order.field)).collect()
}

/// The page of rows that are in no order yet, of which only those up to its end are sorted.
fn sorted_page<'s>(mut rows: Vec<Sortable<'s>>, orders: &[Order], window: Window) -> Page<'s> {
    let total = rows.len();
    let end = window.offset.saturating_add(window.limit);
    if end < total {
        rows.select_nth_unstable_by(end, |left, right| in_order(orders, left, right));
        rows.truncate(end);
    }
    rows.sort_unstable_by(|left, right| in_order(orders, left, right));
    let records = rows.into_iter().skip(window.offset);
    Page {
        records: records.map(|(_, record)| record).collect(),
        total,
    }
}

/// By the orders of a query, and what these leave open by creation.
fn in_order(orders: &[Order], left: &Sortable<'_>, right: &Sortable<'_>) -> Ordering {
    let by = |((order, left), right): ((&Order, &&str), &&str)| {
        let ordering = compare(&order.field, left, right);
        if order.descending {
            ordering.reverse()
        } else {
            ordering
        }
    };
    orders
        .iter()
        .zip(&left.0)
        .zip(&right.0)
        .map(by)
        .find(|ordering| ordering.is_ne())
        .unwrap_or_else(|| left.1.sequence().cmp(&right.1.sequence()))
}

#[cfg(test)]
mod tests;
