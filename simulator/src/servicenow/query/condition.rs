//! One condition of an encoded query, and how its values compare.

use std::cmp::Ordering;

use super::Operator;

/// `field OP value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    pub field: String,
    pub operator: Operator,
    /// What follows the operator: one value, the members of a list, or the two ends of a range.
    pub values: Vec<String>,
}

/// Why a part of a query is no condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It has no field or no operator.
    Unreadable,
    /// An instance would read it.
    Unsupported,
}

/// Values that an instance evaluates, as far as the caller may run scripts.
const SCRIPT: &str = "javascript:";

impl Condition {
    pub(super) fn parse(text: &str) -> Result<Self, Flaw> {
        // Field names are lower case and operators are not, which is all that separates them.
        let end = text
            .find(|c: char| {
                !(c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.'))
            })
            .filter(|end| *end > 0)
            .ok_or(Flaw::Unreadable)?;
        let (field, rest) = text.split_at_checked(end).ok_or(Flaw::Unreadable)?;
        if Operator::is_unsupported(rest) {
            return Err(Flaw::Unsupported);
        }
        let (operator, value) = Operator::read(rest).ok_or(Flaw::Unreadable)?;
        if value.contains(SCRIPT) {
            return Err(Flaw::Unsupported);
        }
        Ok(Self {
            field: field.to_owned(),
            operator,
            values: values(operator, value),
        })
    }

    /// Whether a record's value satisfies the condition.
    pub fn holds(&self, value: &str) -> bool {
        let first = self.values.first().map_or("", String::as_str);
        let orders = |literal, holds| self.orders(value, literal, holds);
        match self.operator {
            Operator::Equal => equals(value, first),
            Operator::NotEqual => !equals(value, first),
            Operator::Greater => orders(first, Ordering::is_gt),
            Operator::GreaterOrEqual => orders(first, Ordering::is_ge),
            Operator::Less => orders(first, Ordering::is_lt),
            Operator::LessOrEqual => orders(first, Ordering::is_le),
            Operator::Between => self.is_between(value),
            Operator::Like => lower(value).contains(&lower(first)),
            Operator::NotLike => !lower(value).contains(&lower(first)),
            Operator::StartsWith => lower(value).starts_with(&lower(first)),
            Operator::EndsWith => lower(value).ends_with(&lower(first)),
            Operator::In | Operator::InstanceOf => self.lists(value),
            Operator::NotIn => !self.lists(value),
            Operator::IsEmpty => value.is_empty(),
            Operator::IsNotEmpty => !value.is_empty(),
            Operator::Anything => true,
        }
    }

    fn is_between(&self, value: &str) -> bool {
        match self.values.as_slice() {
            [from, to] => {
                self.orders(value, from, Ordering::is_ge) && self.orders(value, to, Ordering::is_le)
            }
            _ => false,
        }
    }

    /// An empty value is NULL in the database: no order holds for it.
    fn orders(&self, value: &str, literal: &str, holds: fn(Ordering) -> bool) -> bool {
        !value.is_empty() && holds(compare(&self.field, value, literal))
    }

    fn lists(&self, value: &str) -> bool {
        self.values.iter().any(|member| equals(value, member))
    }
}

fn values(operator: Operator, text: &str) -> Vec<String> {
    match operator {
        Operator::In | Operator::NotIn => text.split(',').map(str::to_owned).collect(),
        Operator::Between => text.split('@').map(str::to_owned).collect(),
        _ => vec![text.to_owned()],
    }
}

fn lower(text: &str) -> String {
    text.to_lowercase()
}

/// The literal `NULL` stands for an empty value.
fn equals(value: &str, literal: &str) -> bool {
    value.eq_ignore_ascii_case(literal) || (value.is_empty() && literal == "NULL")
}

/// Compares two values of a field as its column would: numbers as numbers, dates and the rest as text whose
/// case doesn't matter; an id is always text.
pub fn compare(field: &str, left: &str, right: &str) -> Ordering {
    if field == "sys_id" {
        return left.cmp(right);
    }
    match (number(left), number(right)) {
        (Some(left), Some(right)) => left.total_cmp(&right),
        _ => caseless(left).cmp(caseless(right)),
    }
}

fn caseless(text: &str) -> impl Iterator<Item = u8> {
    text.bytes().map(|byte| byte.to_ascii_lowercase())
}

/// Reads a plain decimal.
fn number(text: &str) -> Option<f64> {
    let plain = text.len() <= 15
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
    plain.then(|| text.parse().ok()).flatten()
}
