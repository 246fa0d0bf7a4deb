//! Providers that take the date as a parameter, or not at all.

use super::{Plan, Question, Source, form, path};
use crate::{
    catalog::Filter,
    category::ConfigurationError,
    provider::resource::{
        address::{Marks, refuse},
        text::{Form, Stamp, Text},
        where_clause::{self, Comparison, Expression, Operator, wrong},
    },
    template::Moment,
};

/// The parameter that takes the date.
struct Since<'a> {
    parameter: &'a str,
    aliases: &'a [String],
    form: Form,
    inclusive: bool,
}

pub(super) fn plan(
    source: Source<'_>,
    mut question: Question,
    filter: Option<&Filter>,
    notes: &mut Vec<String>,
) -> Result<Plan, ConfigurationError> {
    let since = filter.map(since).transpose()?.flatten();
    let mut parameters = Vec::new();
    if question.hub
        && let Some(clause) = question.address.take("where")
    {
        let clause = where_clause::parse(&clause, &question.address.marks)?;
        for comparison in comparisons(clause.as_ref())? {
            parameters.push(translate(
                comparison,
                since.as_ref(),
                &question.address.marks,
            )?);
        }
    }
    parameters.extend(own(&question, since.as_ref()));
    let stated = since
        .as_ref()
        .is_some_and(|since| parameters.iter().any(|(name, _)| name == since.parameter));
    let unfiltered = parameters
        .iter()
        .all(|(name, _)| since.as_ref().is_some_and(|since| name == since.parameter));
    if let Some(since) = since.as_ref().filter(|_| !stated) {
        if source.spec.filter_by_updated_date == Some(false) {
            notes.push("spec.url: it states no date, so that every poll reads all records".into());
        } else {
            parameters.push(since.parameter());
        }
    }
    let others = |(name, text): &&(String, Text)| {
        since.as_ref().is_none_or(|since| name != since.parameter) && text.bounds().next().is_some()
    };
    let bounded = since
        .as_ref()
        .is_some_and(|since| parameters.iter().any(|(name, _)| name == since.parameter));
    let alone = parameters.iter().find(others).is_none();
    let order = order(source, filter).filter(|_| bounded && alone);
    let ordered = order.is_some();
    parameters.extend(order);
    Ok(Plan {
        path: path(&question),
        parameters,
        query: None,
        ordered,
        table: question.table,
        page_size: None,
        unfiltered,
        notes: Vec::new(),
    })
}

fn since(filter: &Filter) -> Result<Option<Since<'_>>, ConfigurationError> {
    let Filter::Parameter {
        parameter,
        aliases,
        format,
        timezone,
        inclusive,
        ..
    } = filter
    else {
        return Ok(None);
    };
    let form = form(format, timezone.as_deref())?;
    Ok(Some(Since {
        parameter,
        aliases,
        form,
        inclusive: *inclusive,
    }))
}

impl Since<'_> {
    fn parameter(&self) -> (String, Text) {
        let stamp = Stamp {
            moment: Moment::Bound,
            form: self.form.clone(),
            lower: !self.inclusive,
        };
        (self.parameter.to_owned(), Text::stamp(stamp))
    }

    fn means(&self, field: &str) -> bool {
        field == self.parameter || self.aliases.iter().any(|alias| alias == field)
    }
}

/// The parameters of the provider's own path; what compares with the bound is not known for
/// others than the connector's.
fn own(question: &Question, since: Option<&Since<'_>>) -> Vec<(String, Text)> {
    let marks = &question.address.marks;
    let parameters = question
        .address
        .parameters
        .iter()
        .map(|(name, value)| match since {
            Some(since) if name == since.parameter && marks.bound_in(value).is_some() => {
                since.parameter()
            }
            _ => (name.clone(), marks.text(value, None, true)),
        });
    parameters.collect()
}

fn comparisons(clause: Option<&Expression>) -> Result<Vec<&Comparison>, ConfigurationError> {
    match clause {
        None => Ok(Vec::new()),
        Some(Expression::Is(comparison)) => Ok(vec![comparison]),
        Some(Expression::All(parts)) => {
            let inner = parts
                .iter()
                .map(|part| comparisons(Some(part)))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(inner.concat())
        }
        Some(Expression::Any(_)) => Err(refuse(
            "the where clause joins conditions with or, which this connector cannot ask for; split the poller in two",
        )),
    }
}

fn translate(
    comparison: &Comparison,
    since: Option<&Since<'_>>,
    marks: &Marks,
) -> Result<(String, Text), ConfigurationError> {
    let Comparison {
        column,
        field,
        operator,
        values,
    } = comparison;
    let value = values.first().map(String::as_str).unwrap_or_default();
    let dated = marks.bound_in(value).is_some();
    let lower = matches!(
        operator,
        Operator::Greater | Operator::GreaterOrEqual | Operator::Equal
    );
    match (since, operator) {
        (Some(since), _) if since.means(field) && dated && lower => Ok(since.parameter()),
        (_, Operator::Equal) => Ok((field.clone(), marks.text(value, None, true))),
        _ => Err(wrong(
            *column,
            &format!(
                "this connector cannot compare {field:?} so; write a path of the provider instead"
            ),
        )),
    }
}

/// The request for order, where it is by the field that the poller's dates are read from.
fn order(source: Source<'_>, filter: Option<&Filter>) -> Option<(String, Text)> {
    let Some(Filter::Parameter {
        order: Some(order), ..
    }) = filter
    else {
        return None;
    };
    let updated = source.fields.updated.as_ref()?;
    (updated.field == order.field).then(|| (order.parameter.clone(), Text::literal(&order.value)))
}
