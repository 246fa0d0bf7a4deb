//! One condition of an encoded query, and how its values compare.

use std::cmp::Ordering;

/// `field OP value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    pub field: String,
    pub operator: Operator,
    /// What follows the operator: one value, the members of a list, or the two ends of a range.
    pub values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Like,
    NotLike,
    StartsWith,
    EndsWith,
    In,
    NotIn,
    IsEmpty,
    IsNotEmpty,
    Anything,
    Between,
    InstanceOf,
}

/// Spellings, longer before their own prefixes.
const SPELLINGS: [(&str, Operator); 18] = [
    ("INSTANCEOF", Operator::InstanceOf),
    ("ISNOTEMPTY", Operator::IsNotEmpty),
    ("ISEMPTY", Operator::IsEmpty),
    ("EMPTYSTRING", Operator::IsEmpty),
    ("ANYTHING", Operator::Anything),
    ("STARTSWITH", Operator::StartsWith),
    ("ENDSWITH", Operator::EndsWith),
    ("BETWEEN", Operator::Between),
    ("NOT LIKE", Operator::NotLike),
    ("NOT IN", Operator::NotIn),
    ("LIKE", Operator::Like),
    ("IN", Operator::In),
    (">=", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("!=", Operator::NotEqual),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
];

impl Condition {
    /// Reads a condition; nothing if it has no field or no operator.
    pub fn parse(text: &str) -> Option<Self> {
        // Field names are lower case and operators are not, which is all that separates them.
        let end = text.find(|c: char| {
            !(c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.'))
        })?;
        let (field, rest) = text
            .split_at_checked(end)
            .filter(|(field, _)| !field.is_empty())?;
        let (operator, value) = SPELLINGS
            .iter()
            .find_map(|(spelling, operator)| Some((*operator, rest.strip_prefix(spelling)?)))?;
        Some(Self {
            field: field.to_owned(),
            operator,
            values: values(operator, value),
        })
    }

    /// Whether a record's value satisfies the condition.
    pub fn holds(&self, value: &str) -> bool {
        let first = self.values.first().map_or("", String::as_str);
        match self.operator {
            Operator::Equal => value.eq_ignore_ascii_case(first),
            Operator::NotEqual => !value.eq_ignore_ascii_case(first),
            Operator::Greater => orders(value, first, Ordering::is_gt),
            Operator::GreaterOrEqual => orders(value, first, Ordering::is_ge),
            Operator::Less => orders(value, first, Ordering::is_lt),
            Operator::LessOrEqual => orders(value, first, Ordering::is_le),
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
                orders(value, from, Ordering::is_ge) && orders(value, to, Ordering::is_le)
            }
            _ => false,
        }
    }

    fn lists(&self, value: &str) -> bool {
        self.values
            .iter()
            .any(|member| member.eq_ignore_ascii_case(value))
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

/// An empty value is NULL in the database: no order holds for it.
fn orders(value: &str, literal: &str, holds: fn(Ordering) -> bool) -> bool {
    !value.is_empty() && holds(compare(value, literal))
}

/// Compares two values as their columns would: numbers as numbers, dates and the rest as text.
pub fn compare(left: &str, right: &str) -> Ordering {
    match (number(left), number(right)) {
        (Some(left), Some(right)) => left.total_cmp(&right),
        _ => left.cmp(right),
    }
}

/// Reads a plain decimal. A sys_id of 32 digits is no number, so the length is bounded.
fn number(text: &str) -> Option<f64> {
    let plain = text.len() <= 15
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
    plain.then(|| text.parse().ok()).flatten()
}
