//! The operators of encoded queries.

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

/// Operators of an instance that the simulator refuses rather than misreads.
const UNSUPPORTED: [&str; 16] = [
    "SAMEAS",
    "NSAMEAS",
    "DYNAMIC",
    "ON",
    "NOTON",
    "RELATIVE",
    "DATEPART",
    "GT_FIELD",
    "LT_FIELD",
    "GT_OR_EQUALS_FIELD",
    "LT_OR_EQUALS_FIELD",
    "MORETHAN",
    "LESSTHAN",
    "MATCH_",
    "CHANGES",
    "VALCHANGES",
];

impl Operator {
    /// The operator at the beginning of a text, and what follows it.
    pub(super) fn read(text: &str) -> Option<(Self, &str)> {
        SPELLINGS
            .iter()
            .find_map(|(spelling, operator)| Some((*operator, text.strip_prefix(spelling)?)))
    }

    pub(super) fn is_unsupported(text: &str) -> bool {
        UNSUPPORTED.iter().any(|it| text.starts_with(it))
    }
}
