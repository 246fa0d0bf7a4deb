//! The stretch of a table's index in which all rows of a query lie.

use std::ops::Bound;

use crate::servicenow::{
    dates::is_date,
    query::{Clause, Operator, Order, Query},
    store::Key,
};

const UPDATED: &str = "sys_updated_on";
const ID: &str = "sys_id";

/// Sorts behind every id, as an empty one sorts before them.
const LAST: &str = "\u{10FFFF}";

/// Two keys between which the rows lie; there is no row at either.
#[derive(Clone, Debug)]
pub(super) struct Span {
    after: Option<Key>,
    before: Option<Key>,
    /// The one date that all rows have.
    tie: Option<String>,
}

impl Span {
    /// Takes out of a query what the ends of a span express.
    pub(super) fn take(query: &mut Query) -> Self {
        let mut span = Self {
            after: None,
            before: None,
            tie: None,
        };
        if let [group] = query.groups.as_mut_slice() {
            span.tie = group.iter().find_map(tie);
            group.retain(|clause| !span.narrow(clause));
        }
        span
    }

    /// The range of the index; nothing if no row can be in it.
    pub(super) fn range(&self) -> Option<(Bound<Key>, Bound<Key>)> {
        if let (Some(after), Some(before)) = (&self.after, &self.before)
            && after >= before
        {
            return None;
        }
        let bound = |key: &Option<Key>| key.clone().map_or(Bound::Unbounded, Bound::Excluded);
        Some((bound(&self.after), bound(&self.before)))
    }

    /// Whether the rows of the range are in the order that is asked for.
    pub(super) fn is_ordered_by(&self, orders: &[Order]) -> bool {
        let ascending = |order: &Order, field| order.field == field && !order.descending;
        match orders {
            [first, ..] if ascending(first, ID) => self.tie.is_some(),
            [only] => ascending(only, UPDATED),
            [first, second, ..] => ascending(first, UPDATED) && ascending(second, ID),
            [] => false,
        }
    }

    /// Lets a clause move the ends, if they can express it.
    fn narrow(&mut self, clause: &Clause) -> bool {
        // Several conditions are an `^OR`.
        let [condition] = clause.as_slice() else {
            return false;
        };
        let [value] = condition.values.as_slice() else {
            return false;
        };
        match (condition.field.as_str(), self.tie.clone()) {
            (UPDATED, _) if is_date(value) => self.narrow_dates(condition.operator, value),
            (ID, Some(tie)) if condition.operator == Operator::Greater => {
                self.begin((tie.into(), value.as_str().into()));
                true
            }
            _ => false,
        }
    }

    fn narrow_dates(&mut self, operator: Operator, date: &str) -> bool {
        let first = || (date.into(), "".into());
        let last = || (date.into(), LAST.into());
        match operator {
            Operator::Equal => {
                self.begin(first());
                self.end(last());
            }
            Operator::Greater => self.begin(last()),
            Operator::GreaterOrEqual => self.begin(first()),
            Operator::Less => self.end(first()),
            Operator::LessOrEqual => self.end(last()),
            _ => return false,
        }
        true
    }

    fn begin(&mut self, after: Key) {
        self.after = self.after.take().max(Some(after));
    }

    fn end(&mut self, before: Key) {
        let before = self
            .before
            .take()
            .map_or(before.clone(), |it| it.min(before));
        self.before = Some(before);
        // An empty date is not before anything.
        self.begin(("".into(), LAST.into()));
    }
}

/// The date that a clause demands.
fn tie(clause: &Clause) -> Option<String> {
    let [condition] = clause.as_slice() else {
        return None;
    };
    let [value] = condition.values.as_slice() else {
        return None;
    };
    let demands = condition.field == UPDATED && condition.operator == Operator::Equal;
    (demands && is_date(value)).then(|| value.clone())
}
