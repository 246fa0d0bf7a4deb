//! Encoded queries: `field OP value` joined by `^`, as the Table API's `sysparm_query` spells them.
//!
//! Source: ServiceNow's "Encoded query strings" and "Operators available for filters and queries". The trap
//! that this parser keeps: `^OR` binds to the condition before it alone, so `a>X^ORa=X^b>Y` is
//! `(a>X OR a=X) AND b>Y`; only `^NQ` starts a fresh group.

mod condition;

pub use condition::{Condition, Operator, compare};

/// A parsed query: any of its groups must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    pub groups: Vec<Group>,
    pub order: Vec<Order>,
    /// Parts that are no condition; an instance ignores them silently.
    pub unreadable: Vec<String>,
}

/// Clauses of which all must hold.
pub type Group = Vec<Clause>;

/// Conditions joined by `^OR`: any must hold.
pub type Clause = Vec<Condition>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub field: String,
    pub descending: bool,
}

impl Query {
    pub fn parse(text: &str) -> Self {
        let mut query = Self {
            groups: vec![Group::new()],
            order: Vec::new(),
            unreadable: Vec::new(),
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
            self.order.push(Order {
                field: field.to_owned(),
                descending: true,
            });
        } else if let Some(field) = part.strip_prefix("ORDERBY") {
            self.order.push(Order {
                field: field.to_owned(),
                descending: false,
            });
        } else if let Some(condition) = part.strip_prefix("NQ") {
            self.groups.push(Group::new());
            self.and(condition);
        } else if let Some(condition) = part.strip_prefix("OR") {
            self.or(condition);
        } else {
            self.and(part);
        }
    }

    fn and(&mut self, part: &str) {
        if let Some(condition) = self.read(part)
            && let Some(group) = self.groups.last_mut()
        {
            group.push(vec![condition]);
        }
    }

    fn or(&mut self, part: &str) {
        let Some(condition) = self.read(part) else {
            return;
        };
        let Some(group) = self.groups.last_mut() else {
            return;
        };
        match group.last_mut() {
            Some(clause) => clause.push(condition),
            None => group.push(vec![condition]),
        }
    }

    fn read(&mut self, part: &str) -> Option<Condition> {
        if part.is_empty() {
            return None;
        }
        let condition = Condition::parse(part);
        if condition.is_none() {
            self.unreadable.push(part.to_owned());
        }
        condition
    }

    /// Whether a record with these values is selected; a field it lacks reads as empty.
    pub fn matches<'a>(&self, value: &impl Fn(&str) -> std::borrow::Cow<'a, str>) -> bool {
        self.groups.iter().any(|group| {
            group
                .iter()
                .all(|clause| clause.iter().any(|it| it.holds(&value(&it.field))))
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
