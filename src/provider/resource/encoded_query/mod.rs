//! ServiceNow's encoded queries.
//!
//! `^OR` binds only the two conditions beside it and `^NQ` begins a new query, so that a date can
//! only be demanded of all records where it stands alone in every query (ServiceNow SDK, "Encoded
//! queries").

mod by_id;
mod translate;

use chrono::{DateTime, Utc};

use super::{
    address::{Marks, refuse},
    text::{Form, Moments, Stamp, Text},
};
use crate::{
    category::ConfigurationError,
    provider::{Ask, Step},
    template::Moment,
};

pub(super) use translate::{field, translate};

/// A query, its condition on the updated date taken out.
#[derive(Clone, Debug)]
pub(super) struct EncodedQuery {
    /// The queries between `^NQ`; at least one.
    groups: Vec<Vec<Text>>,
    /// The updated date, where the query is bounded by it.
    dated: Option<Dated>,
    /// The id, by which ties are ordered.
    key: String,
    /// The user's own order was left out.
    pub(super) reordered: bool,
}

#[derive(Clone, Debug)]
struct Dated {
    field: String,
    stamp: Stamp,
}

/// The names that a query is read by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names<'a> {
    pub(super) updated: Option<&'a str>,
    pub(super) key: &'a str,
    /// How dates are written in the query.
    pub(super) form: &'a Form,
}

impl EncodedQuery {
    /// Reads a query with marks. `everywhere` prints all its placeholders in the provider's form,
    /// as a hub did; else only the one that bounds the updated date.
    pub(super) fn parse(
        query: &str,
        marks: &Marks,
        names: Names<'_>,
        everywhere: bool,
    ) -> Result<Self, ConfigurationError> {
        let mut reordered = false;
        let mut groups = Vec::new();
        for terms in split(query, &mut reordered) {
            groups.push(take_date(terms, marks, names.updated)?);
        }
        let dated = dates_agree(&groups, names)?;
        let form = everywhere.then_some(names.form);
        let text = |term: &String| marks.text(term, form, !term.contains(">="));
        let groups = groups
            .iter()
            .map(|group| group.terms.iter().map(text).collect())
            .collect();
        Ok(Self {
            groups,
            dated,
            key: names.key.to_owned(),
            reordered,
        })
    }

    /// Demands the updated date of every record.
    pub(super) fn add_date(&mut self, names: Names<'_>) {
        self.dated = names.updated.map(|field| Dated::new(field, names.form));
    }

    /// Puts a condition of the resource's own before every query.
    pub(super) fn restrict(&mut self, condition: &str) {
        for group in &mut self.groups {
            group.insert(0, Text::literal(condition));
        }
    }

    /// No record is left out but by date.
    pub(super) fn is_unfiltered(&self) -> bool {
        self.groups.iter().all(Vec::is_empty)
    }

    pub(super) const fn is_dated(&self) -> bool {
        self.dated.is_some()
    }

    /// The stamps of all conditions that print the bound.
    pub(super) fn bounds(&self) -> impl Iterator<Item = &Stamp> {
        let others = self.other_bounds();
        self.dated.iter().map(|dated| &dated.stamp).chain(others)
    }

    /// Those beside the condition on the updated date.
    pub(super) fn other_bounds(&self) -> impl Iterator<Item = &Stamp> {
        self.groups.iter().flatten().flat_map(Text::bounds)
    }

    /// The query of one request.
    pub(super) fn print(&self, ask: &Ask, now: DateTime<Utc>) -> String {
        let moments = Moments {
            bound: ask.bound.instant,
            now,
        };
        let dates = self.dates(ask, moments);
        let groups = self.groups.iter().map(|group| {
            let terms = group
                .iter()
                .map(|term| term.print(moments))
                .chain(dates.iter().cloned());
            terms.collect::<Vec<_>>().join("^")
        });
        let query = groups.collect::<Vec<_>>().join("^NQ");
        let order = self.order(&ask.step);
        if query.is_empty() {
            order
        } else {
            format!("{query}^{order}")
        }
    }

    fn dates(&self, ask: &Ask, moments: Moments) -> Vec<String> {
        let Some(Dated { field, stamp }) = &self.dated else {
            return Vec::new();
        };
        let bound = stamp.print(moments);
        if let Step::AfterKey(key) = &ask.step {
            return vec![
                format!("{field}={bound}"),
                format!("{}>{}", self.key, escape(key)),
            ];
        }
        let until = ask.until.map(|until| {
            stamp.print(Moments {
                bound: until,
                ..moments
            })
        });
        let mut dates = vec![format!("{field}>={bound}")];
        dates.extend(until.map(|until| format!("{field}<={until}")));
        dates
    }

    fn order(&self, step: &Step) -> String {
        match (&self.dated, step) {
            (Some(dated), Step::First | Step::Offset(_) | Step::Link(_)) => {
                format!("ORDERBY{}^ORDERBY{}", dated.field, self.key)
            }
            // Rows don't move in the order of their ids.
            _ => format!("ORDERBY{}", self.key),
        }
    }
}

impl Dated {
    fn new(field: &str, form: &Form) -> Self {
        Self {
            field: field.to_owned(),
            stamp: Stamp {
                moment: Moment::Bound,
                form: form.clone(),
                lower: false,
            },
        }
    }
}

/// A `^` in a value is written twice.
pub(super) fn escape(value: &str) -> String {
    value.replace('^', "^^")
}

struct Group {
    terms: Vec<String>,
    dated: bool,
}

/// The terms of each query, without orders; a term bound to the one before it begins with `OR`.
fn split(query: &str, reordered: &mut bool) -> Vec<Vec<String>> {
    let mut groups = vec![Vec::new()];
    for term in terms(query) {
        let (new, term) = term
            .strip_prefix("NQ")
            .map_or((false, term.as_str()), |rest| (true, rest));
        if new {
            groups.push(Vec::new());
        }
        if term.starts_with("ORDERBY") || term.starts_with("GROUPBY") {
            *reordered = true;
        } else if !term.is_empty()
            && term != "EQ"
            && let Some(group) = groups.last_mut()
        {
            group.push(term.to_owned());
        }
    }
    groups
}

fn terms(query: &str) -> Vec<String> {
    // A doubled ^ is one of a value; \0 can't be in a query.
    let kept = query.replace("^^", "\0");
    kept.split('^')
        .map(|term| term.replace('\0', "^^"))
        .collect()
}

/// Takes the conditions on the updated date out.
fn take_date(
    terms: Vec<String>,
    marks: &Marks,
    updated: Option<&str>,
) -> Result<Group, ConfigurationError> {
    let bound_by = |term: &String| {
        let term = term.strip_prefix("OR").unwrap_or(term);
        let value = term.strip_prefix(updated?)?.strip_prefix('>')?;
        marks.bound_in(value).cloned()
    };
    let mut rest = Vec::new();
    let mut dated = false;
    let mut iterator = terms.into_iter().peekable();
    while let Some(term) = iterator.next() {
        let Some(placeholder) = bound_by(&term) else {
            rest.push(term);
            continue;
        };
        if term.starts_with("OR") || iterator.peek().is_some_and(|next| next.starts_with("OR")) {
            return Err(beside_or(placeholder.column()));
        }
        dated = true;
    }
    Ok(Group { terms: rest, dated })
}

fn beside_or(column: usize) -> ConfigurationError {
    refuse(format!(
        "the date in column {column} stands beside an or, so that records would be missed or read again \
         at every poll; join it to all other conditions with and"
    ))
}

fn dates_agree(groups: &[Group], names: Names<'_>) -> Result<Option<Dated>, ConfigurationError> {
    let dated = groups.iter().filter(|group| group.dated).count();
    let everywhere = dated == groups.len();
    match names.updated.filter(|_| dated > 0) {
        None => Ok(None),
        Some(field) if everywhere => Ok(Some(Dated::new(field, names.form))),
        Some(field) => Err(refuse(format!(
            "only some of the queries between ^NQ state {field}; state it in each, or split the poller in two"
        ))),
    }
}

#[cfg(test)]
mod tests;
