//! From a poller's url to the requests of its polls.

mod hub;
mod parameter;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{
    address::{Address, refuse},
    dates::{Fields, present},
    encoded_query::{EncodedQuery, Names, field, translate},
    text::{Form, Stamp, Text},
    where_clause,
};
use crate::{
    api::PollerResourceSpec,
    catalog::{Connector, Filter},
    category::ConfigurationError,
    template::{DatePattern, Zone},
};

/// Everything but letters, digits and the marks that RFC 3986 leaves alone in a segment.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'%')
    .add(b'/')
    .add(b'\\');

/// What every request of a poller has in common.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The encoded path.
    pub(super) path: Text,
    pub(super) parameters: Vec<(String, Text)>,
    pub(super) query: Option<(String, EncodedQuery)>,
    /// Filter, order and updated date are one field.
    pub(super) ordered: bool,
    pub(super) table: Option<String>,
    pub(super) page_size: Option<u32>,
    /// No condition but the date.
    pub(super) unfiltered: bool,
    pub(super) notes: Vec<String>,
}

/// What a plan is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub(super) connector: &'a Connector,
    pub(super) spec: &'a PollerResourceSpec,
    pub(super) resource: &'a str,
    pub(super) fields: &'a Fields,
    /// `https://host` of the connection.
    pub(super) origin: &'a str,
}

/// What is asked, before it is known how the connector filters.
struct Question {
    address: Address,
    /// The table, and the condition that picks the resource out of it.
    table: Option<String>,
    restriction: Option<String>,
    /// The url was a hub's, whose parameters are translated.
    hub: bool,
}

/// Compiles a plan.
pub(super) fn plan(source: Source<'_>) -> Result<Plan, ConfigurationError> {
    let mut question = hub::question(source)?;
    let mut notes = Vec::new();
    let page_size = page_size(source.connector, &mut question)?;
    drop_reserved(source.connector, &mut question.address, &mut notes);
    complete_fields(source, &mut question.address);
    let mut plan = match &source.connector.request.filter {
        Some(Filter::EncodedQuery {
            parameter,
            format,
            timezone,
        }) => {
            let form = form(format, timezone.as_deref())?;
            encoded(source, question, parameter, &form, &mut notes)?
        }
        filter => parameter::plan(source, question, filter.as_ref(), &mut notes)?,
    };
    plan.page_size = page_size;
    plan.notes = notes;
    add_defaults(source.connector, &mut plan);
    Ok(plan)
}

fn encoded(
    source: Source<'_>,
    mut question: Question,
    parameter: &str,
    form: &Form,
    notes: &mut Vec<String>,
) -> Result<Plan, ConfigurationError> {
    let updated = source
        .fields
        .updated
        .as_ref()
        .map(|date| date.field.as_str());
    field("spec.idField", &source.fields.id)?;
    updated.map_or(Ok(()), |name| {
        field("spec.datesConfiguration.updatedDateField", name)
    })?;
    let names = Names {
        updated,
        key: &source.fields.key,
        form,
    };
    let (text, everywhere) = encoded_text(&mut question, parameter)?;
    let marks = &question.address.marks;
    let mut query = EncodedQuery::parse(&text, marks, names, everywhere)?;
    if query.reordered {
        notes.push(
            "spec.url: its order is left out; records are read in the order of their updated date"
                .into(),
        );
    }
    bound(source, &mut query, names, notes);
    question
        .restriction
        .iter()
        .for_each(|condition| query.restrict(condition));
    let extra = question.address.parameters.iter().any(|(name, _)| {
        !source.connector.request.parameters.contains_key(name) && !name.starts_with("sysparm_")
    });
    Ok(Plan {
        path: path(&question),
        parameters: question
            .address
            .parameters
            .iter()
            .map(|(name, value)| (name.clone(), marks.text(value, None, true)))
            .collect(),
        ordered: query.is_dated() && query.other_bounds().next().is_none(),
        unfiltered: query.is_unfiltered() && !extra,
        query: Some((parameter.to_owned(), query)),
        table: question.table,
        page_size: None,
        notes: Vec::new(),
    })
}

/// The query, and whether its dates are a hub's.
fn encoded_text(
    question: &mut Question,
    parameter: &str,
) -> Result<(String, bool), ConfigurationError> {
    if !question.hub {
        return Ok((question.address.take(parameter).unwrap_or_default(), false));
    }
    let clause = question.address.take("where").unwrap_or_default();
    let native = question.address.take(parameter).unwrap_or_default();
    if let Some((name, _)) = question
        .address
        .parameters
        .iter()
        .find(|(name, _)| !name.starts_with("sysparm_"))
    {
        return Err(refuse(format!(
            "the parameter {name:?} of a hub path is not known; state it in where, or write a path of the provider"
        )));
    }
    let marks = &question.address.marks;
    let clause = where_clause::parse(&clause, marks)?
        .map_or(Ok(String::new()), |clause| translate(&clause, marks))?;
    let parts = [clause, native];
    Ok((
        parts
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("^"),
        true,
    ))
}

/// Bounds a query that states no date, unless the spec asks for all records at every poll.
fn bound(source: Source<'_>, query: &mut EncodedQuery, names: Names<'_>, notes: &mut Vec<String>) {
    if query.is_dated() || names.updated.is_none() {
        return;
    }
    let stated = source.spec.url.is_some();
    let updated = names.updated.unwrap_or_default();
    if query.other_bounds().next().is_some() {
        notes.push(format!("spec.url: its date is not compared with {updated}, so that whole lists are read in no order"));
    } else if source.spec.filter_by_updated_date == Some(false) {
        notes.push("spec.url: it states no date, so that every poll reads all records".into());
    } else {
        query.add_date(names);
        if stated {
            notes.push(format!(
                "spec.url: it states no date; {updated} since the last poll is asked for"
            ));
        }
    }
}

fn page_size(
    connector: &Connector,
    question: &mut Question,
) -> Result<Option<u32>, ConfigurationError> {
    let hub = question
        .hub
        .then(|| question.address.take("pageSize"))
        .flatten();
    let native = connector
        .paging
        .page_size
        .as_ref()
        .and_then(|size| question.address.take(&size.parameter));
    let Some(text) = native.or(hub) else {
        return Ok(None);
    };
    let size = text.trim().parse::<u32>().ok().filter(|size| *size > 0);
    size.map(Some).ok_or_else(|| {
        refuse(format!(
            "{text:?} is no page size; write a number from 1 on, or set spec.pageSize"
        ))
    })
}

fn drop_reserved(connector: &Connector, address: &mut Address, notes: &mut Vec<String>) {
    let hubs = ["page", "nextPage", "orderBy"].map(str::to_owned);
    for name in connector.request.reserved.iter().chain(&hubs) {
        if address.take(name).is_some() {
            notes.push(format!(
                "spec.url: {name} is left out, since paging is Pollen's"
            ));
        }
    }
}

/// Adds the fields that Pollen reads to those that the url asks for.
fn complete_fields(source: Source<'_>, address: &mut Address) {
    let records = &source.connector.records;
    let Some(parameter) = &source.connector.request.fields_parameter else {
        return;
    };
    let Some(fields) = address.take(parameter) else {
        return;
    };
    let mut names = fields
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect::<Vec<_>>();
    let dates = [&source.fields.updated, &source.fields.created]
        .into_iter()
        .flatten()
        .map(|date| &date.field);
    let needed = [
        Some(&source.fields.id),
        Some(&source.fields.key),
        source
            .connector
            .deletes
            .flag
            .as_ref()
            .map(|flag| &flag.path),
        records.version.as_ref(),
        records.class.as_ref(),
    ];
    for name in needed.into_iter().flatten().chain(dates) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let fields = names.join(",");
    address.parameters.push((parameter.clone(), fields));
}

fn add_defaults(connector: &Connector, plan: &mut Plan) {
    for (name, value) in &connector.request.parameters {
        match plan.parameters.iter().find(|(key, _)| key == name) {
            None => plan.parameters.push((name.clone(), Text::literal(value))),
            Some((_, stated)) if *stated != Text::literal(value) => {
                plan.notes.push(format!("spec.url: it changes {name}, under whose value {value} records are known to be readable"));
            }
            Some(_) => {}
        }
    }
}

/// How the provider wants dates in a query.
fn form(format: &str, timezone: Option<&str>) -> Result<Form, ConfigurationError> {
    let wrong = |error: String| ConfigurationError::new("spec.connector", error);
    let pattern = DatePattern::parse(format).map_err(|error| wrong(error.to_string()))?;
    let zone = timezone
        .map_or(Ok(Zone::Utc), Zone::parse)
        .map_err(|error| wrong(error.to_string()))?;
    Ok(Form::Literal { pattern, zone })
}

fn path(question: &Question) -> Text {
    let segments = question
        .address
        .path
        .split('/')
        .map(|segment| utf8_percent_encode(segment, SEGMENT).to_string());
    Text::literal(segments.collect::<Vec<_>>().join("/"))
}

impl Plan {
    /// All stamps that print the bound.
    pub(super) fn bounds(&self) -> impl Iterator<Item = &Stamp> {
        let query = self.query.iter().flat_map(|(_, query)| query.bounds());
        query
            .chain(self.path.bounds())
            .chain(self.parameters.iter().flat_map(|(_, text)| text.bounds()))
    }
}

/// The url that the spec states, where it isn't blank.
pub(super) fn stated(spec: &PollerResourceSpec) -> Option<&str> {
    present(spec.url.as_deref())
}
