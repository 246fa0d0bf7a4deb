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
        Ok(self.select(name, &query, window))
    }

    fn select(&self, table: &str, query: &Query, window: Window) -> Page<'_> {
        let span = Span::of(query);
        let Some(range) = span.range() else {
            return Page::none();
        };
        let keys = self.store.keys(table, range);
        let record = |sys_id| self.store.get(sys_id);
        if span.is_whole_filter && span.is_ordered_by(&query.order) {
            // No row beside the page needs to be looked at.
            return page(
                keys.map(|(_, sys_id)| sys_id),
                |sys_id| record(sys_id),
                window,
            );
        }
        let matching = keys
            .filter_map(|(_, sys_id)| record(sys_id))
            .filter(|record| query.matches(&|field: &str| record.get(field)));
        if span.is_ordered_by(&query.order) {
            return page(matching, Some, window);
        }
        let mut records: Vec<_> = matching.collect();
        records.sort_by(|left, right| in_order(&query.order, left, right));
        page(records.into_iter(), Some, window)
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

fn page<'s, T>(
    rows: impl Iterator<Item = T>,
    record: impl Fn(T) -> Option<&'s Record>,
    window: Window,
) -> Page<'s> {
    let mut rows = rows.fuse();
    let before = rows.by_ref().take(window.offset).count();
    let shown = rows.by_ref().take(window.limit);
    let records: Vec<_> = shown.filter_map(record).collect();
    Page {
        total: before + records.len() + rows.count(),
        records,
    }
}

/// By the orders of a query, and what these leave open by creation.
fn in_order(orders: &[Order], left: &Record, right: &Record) -> Ordering {
    let by = |order: &Order| {
        let ordering = compare(
            &order.field,
            left.get(&order.field),
            right.get(&order.field),
        );
        if order.descending {
            ordering.reverse()
        } else {
            ordering
        }
    };
    orders
        .iter()
        .map(by)
        .find(|ordering| ordering.is_ne())
        .unwrap_or_else(|| left.sequence().cmp(&right.sequence()))
}

#[cfg(test)]
mod tests;
