//! From a `where` clause to an encoded query.

use super::escape;
use crate::{
    category::ConfigurationError,
    provider::resource::{
        address::Marks,
        where_clause::{Comparison, Expression, Operator, wrong},
    },
};

/// Writes a clause as an encoded query, in which all conditions hold together and only single
/// comparisons can be alternatives.
pub(in crate::provider::resource) fn translate(
    clause: &Expression,
    marks: &Marks,
) -> Result<String, ConfigurationError> {
    let parts = match clause {
        Expression::All(parts) => flatten(parts),
        other => vec![other],
    };
    let terms = parts.into_iter().map(|part| match part {
        Expression::Any(alternatives) => any(alternatives, marks),
        Expression::Is(comparison) => one(comparison, marks),
        Expression::All(_) => Err(mixed(part)),
    });
    Ok(terms.collect::<Result<Vec<_>, _>>()?.join("^"))
}

fn flatten(parts: &[Expression]) -> Vec<&Expression> {
    let inner = parts.iter().map(|part| match part {
        Expression::All(inner) => flatten(inner),
        other => vec![other],
    });
    inner.flatten().collect()
}

fn any(alternatives: &[Expression], marks: &Marks) -> Result<String, ConfigurationError> {
    let terms = alternatives.iter().map(|alternative| match alternative {
        Expression::Is(comparison) if dated(comparison, marks) => Err(wrong(
            comparison.column,
            "a date stands beside an or, so that records would be missed or read again at every poll; join it to \
             all other conditions with and, and put alternatives into parentheses",
        )),
        Expression::Is(comparison) => one(comparison, marks),
        other => Err(mixed(other)),
    });
    Ok(terms.collect::<Result<Vec<_>, _>>()?.join("^OR"))
}

fn mixed(expression: &Expression) -> ConfigurationError {
    let column = first(expression).map_or(1, |comparison| comparison.column);
    wrong(
        column,
        "conditions joined with and cannot be an alternative here; write a path of the provider, /api/now/table/…, \
         with ^NQ in its sysparm_query, or split the poller in two",
    )
}

fn first(expression: &Expression) -> Option<&Comparison> {
    match expression {
        Expression::Is(comparison) => Some(comparison),
        Expression::All(parts) | Expression::Any(parts) => parts.first().and_then(first),
    }
}

fn dated(comparison: &Comparison, marks: &Marks) -> bool {
    comparison
        .values
        .iter()
        .any(|value| marks.bound_in(value).is_some())
}

fn one(comparison: &Comparison, marks: &Marks) -> Result<String, ConfigurationError> {
    let Comparison {
        column,
        field,
        operator,
        values,
    } = comparison;
    if !is_field(field) {
        let problem = format!(
            "{:?} is no field of ServiceNow; write a name such as sys_updated_on",
            marks.unmark(field)
        );
        return Err(wrong(*column, &problem));
    }
    let first = values.first().map(String::as_str).unwrap_or_default();
    let value = escape(first);
    Ok(match operator {
        Operator::Equal if dated(comparison, marks) => return Err(equal_date(*column, field)),
        Operator::Equal if value.is_empty() => format!("{field}ISEMPTY"),
        Operator::NotEqual if value.is_empty() => format!("{field}ISNOTEMPTY"),
        Operator::Equal => format!("{field}={value}"),
        Operator::NotEqual => format!("{field}!={value}"),
        Operator::Greater => format!("{field}>{value}"),
        Operator::GreaterOrEqual => format!("{field}>={value}"),
        Operator::Less => format!("{field}<{value}"),
        Operator::LessOrEqual => format!("{field}<={value}"),
        Operator::Like => like(*column, field, first)?,
        Operator::In => within(*column, field, values)?,
    })
}

fn equal_date(column: usize, field: &str) -> ConfigurationError {
    wrong(
        column,
        &format!("{field} would have to be exactly the date of the last poll; write {field}>"),
    )
}

fn like(column: usize, field: &str, pattern: &str) -> Result<String, ConfigurationError> {
    let inner = pattern.trim_matches('%');
    if inner.contains('%') || inner.is_empty() {
        return Err(wrong(
            column,
            "like takes % at the beginning and the end of a text only",
        ));
    }
    let operator = match (pattern.starts_with('%'), pattern.ends_with('%')) {
        (true, true) => "LIKE",
        (false, true) => "STARTSWITH",
        (true, false) => "ENDSWITH",
        (false, false) => "=",
    };
    Ok(format!("{field}{operator}{}", escape(inner)))
}

fn within(column: usize, field: &str, values: &[String]) -> Result<String, ConfigurationError> {
    if values.iter().any(|value| value.contains(',')) {
        return Err(wrong(
            column,
            "a value of in has no comma; join comparisons with or in parentheses instead",
        ));
    }
    let values = values.iter().map(|value| escape(value)).collect::<Vec<_>>();
    Ok(format!("{field}IN{}", values.join(",")))
}

/// A field's name, dots leading through references; what else it held could end the condition.
pub(in crate::provider::resource) fn is_field(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.')
}

/// A field that stands in queries that Pollen writes.
pub(in crate::provider::resource) fn field(at: &str, name: &str) -> Result<(), ConfigurationError> {
    if is_field(name) {
        return Ok(());
    }
    let message =
        format!("{name:?} is no field of ServiceNow; write a name such as sys_updated_on");
    Err(ConfigurationError::new(at, message))
}
