//! Encoded queries: `field OP value` joined by `^`, as the Table API's `sysparm_query` spells them.
//!
//! Source: ServiceNow's "Encoded query strings" and "Operators available for filters and queries". The trap
//! that this parser keeps: `^OR` binds to the condition before it alone, so `a>X^ORa=X^b>Y` is
//! `(a>X OR a=X) AND b>Y`; only `^NQ` starts a fresh group.

mod bind;
mod condition;
mod operator;

pub use bind::Context;
pub use condition::{Condition, compare};
pub use operator::Operator;

use condition::Flaw;

/// A parsed query: any of its groups must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    pub groups: Vec<Group>,
    pub order: Vec<Order>,
    /// Parts that are no condition; an instance ignores them silently.
    pub unreadable: Vec<String>,
    /// Parts that an instance reads and the simulator does not.
    pub unsupported: Vec<String>,
}

/// Clauses of which all must hold.
pub type Group = Vec<Clause>;

/// Conditions joined by `^OR`: any must hold. Without conditions, which were all unreadable, it holds.
pub type Clause = Vec<Condition>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub field: String,
    pub descending: bool,
}

/// Beginnings of parts that are neither a condition nor an order.
const UNSUPPORTED: [&str; 5] = [
    "RLQUERY",
    "ENDRLQUERY",
    "123TEXTQUERY321",
    "GROUPBY",
    "SUBQUERY",
];

impl Query {
    pub fn parse(text: &str) -> Self {
        let mut query = Self {
            groups: vec![Group::new()],
            order: Vec::new(),
            unreadable: Vec::new(),
            unsupported: Vec::new(),
        };
        for part in split(text) {
            if part == "EQ" {
                break;
            }
            query.push(&part);
        }
        query
    }

    fn push(&mut self, part: &str) {
        if let Some(field) = part.strip_prefix("ORDERBYDESC") {
            self.order_by(field, true);
        } else if let Some(field) = part.strip_prefix("ORDERBY") {
            self.order_by(field, false);
        } else if let Some(condition) = part.strip_prefix("NQ") {
            if !condition.is_empty() {
                self.groups.push(Group::new());
            }
            self.and(condition);
        } else if let Some(condition) = part.strip_prefix("OR") {
            self.or(condition);
        } else {
            self.and(part);
        }
    }

    fn order_by(&mut self, field: &str, descending: bool) {
        let field = field.to_owned();
        self.order.push(Order { field, descending });
    }

    fn and(&mut self, part: &str) {
        if part.is_empty() {
            return;
        }
        // An unreadable part keeps its place, so that an `^OR` behind it binds to nothing before it.
        let clause = self.read(part).into_iter().collect();
        if let Some(group) = self.groups.last_mut() {
            group.push(clause);
        }
    }

    fn or(&mut self, part: &str) {
        let condition = self.read(part);
        let Some(group) = self.groups.last_mut() else {
            return;
        };
        match group.last_mut() {
            Some(clause) => clause.extend(condition),
            None => group.push(condition.into_iter().collect()),
        }
    }

    fn read(&mut self, part: &str) -> Option<Condition> {
        let flaw = if UNSUPPORTED.iter().any(|it| part.starts_with(it)) {
            Flaw::Unsupported
        } else {
            match Condition::parse(part) {
                Ok(condition) => return Some(condition),
                Err(flaw) => flaw,
            }
        };
        match flaw {
            Flaw::Unreadable => self.unreadable.push(part.to_owned()),
            Flaw::Unsupported => self.unsupported.push(part.to_owned()),
        }
        None
    }

    /// Whether no record is left out.
    pub fn selects_all(&self) -> bool {
        self.groups
            .iter()
            .any(|group| group.iter().all(Vec::is_empty))
    }

    /// Whether a record with these values is selected; a field it lacks reads as empty.
    pub fn matches<'a>(&self, value: &impl Fn(&str) -> &'a str) -> bool {
        self.groups.iter().any(|group| {
            group.iter().all(|clause| {
                clause.is_empty() || clause.iter().any(|it| it.holds(value(&it.field)))
            })
        })
    }
}

/// Splits at `^`; `^^` is a literal `^` inside a value.
fn split(text: &str) -> Vec<String> {
    const ESCAPED: &str = "\u{0}";
    text.replace("^^", ESCAPED)
        .split('^')
        .map(|part| part.replace(ESCAPED, "^"))
        .collect()
}

#[cfg(test)]
mod tests;
