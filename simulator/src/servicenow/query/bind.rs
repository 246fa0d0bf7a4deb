//! A query as an instance understands it: with its columns, its hierarchy of tables, and a user's time zone.

use chrono::TimeDelta;

use super::{Condition, Operator, Query};
use crate::servicenow::dates;

/// What a query is read against.
pub struct Context<'a> {
    pub is_column: &'a dyn Fn(&str) -> bool,
    /// A table and those that extend it.
    pub heirs: &'a dyn Fn(&str) -> Vec<String>,
    /// How far the zone in which dates are read lies east of Greenwich.
    pub literal_offset: TimeDelta,
}

impl Query {
    /// Leaves out what names no column, spells out classes, and shifts dates to GMT. Answers whether every part
    /// of the query was valid.
    pub fn bind(&mut self, context: &Context<'_>) -> bool {
        let mut valid = self.unreadable.is_empty();
        for clause in self.groups.iter_mut().flatten() {
            let before = clause.len();
            clause.retain(|condition| (context.is_column)(&condition.field));
            valid &= clause.len() == before;
            for condition in clause {
                condition.bind(context);
            }
        }
        let before = self.order.len();
        self.order.retain(|order| (context.is_column)(&order.field));
        valid && self.order.len() == before
    }
}

impl Condition {
    fn bind(&mut self, context: &Context<'_>) {
        if self.operator == Operator::InstanceOf {
            self.values = self
                .values
                .iter()
                .flat_map(|table| (context.heirs)(table))
                .collect();
            return;
        }
        for value in &mut self.values {
            if let Some(date) = in_gmt(value, context.literal_offset) {
                *value = date;
            }
        }
    }
}

/// A date in GMT; a day without time begins at midnight.
fn in_gmt(literal: &str, offset: TimeDelta) -> Option<String> {
    let midnight = || dates::shifted(&format!("{literal} 00:00:00"), -offset);
    dates::shifted(literal, -offset).or_else(midnight)
}
