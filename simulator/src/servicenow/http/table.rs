//! `GET /api/now/table/{table}` and `…/{sys_id}`.

use http::{HeaderName, HeaderValue};

use super::{
    answer::{Answer, Content},
    call::{ApiVersion, Call, Resource},
    link,
    parameters::Parameters,
    row::View,
};
use crate::servicenow::{schema::Table, state::State};

const TOTAL: HeaderName = HeaderName::from_static("x-total-count");
const LINK: HeaderName = http::header::LINK;

pub(super) fn answer(state: &State, call: &Call) -> Answer {
    let Some(table) = state.schema.table(&call.table) else {
        return Answer::invalid_table(&call.table);
    };
    if state.settings.withheld_tables.contains(&call.table) {
        return Answer::forbidden();
    }
    let parameters = Parameters::read(&call.query, state.settings.max_limit);
    let view = View::new(state, table, &parameters, &call.tables_url);
    match &call.resource {
        Resource::Record(sys_id) => record(state, call, sys_id, &view),
        _ => list(state, call, table, &parameters, &view),
    }
}

fn record(state: &State, call: &Call, sys_id: &str, view: &View<'_>) -> Answer {
    let found = state.store.get(sys_id).filter(|record| {
        let mut tables = record.lineage().iter();
        !record.hidden && tables.any(|table| **table == *call.table)
    });
    let Some(record) = found else {
        return Answer::no_record();
    };
    let mut body = br#"{"result":"#.to_vec();
    body.extend(view.json(record));
    body.push(b'}');
    Answer::new(Content::Body(body))
}

fn list(
    state: &State,
    call: &Call,
    table: &Table,
    parameters: &Parameters<'_>,
    view: &View<'_>,
) -> Answer {
    let window = parameters.window;
    let page = match state.list((&call.table, table), parameters.query, window) {
        Ok(page) => page,
        Err(unsupported) => return Answer::unsupported(&unsupported.0),
    };
    // Access rules come after the limit: a page can be short, or empty, and not the last.
    let shown = page.records.iter().filter(|record| !record.hidden);
    let rows: Vec<_> = shown.map(|record| view.json(record)).collect();
    if rows.is_empty() && call.version == ApiVersion::V1 {
        return Answer::no_record();
    }
    let counted = !parameters.no_count;
    let total = (counted && state.settings.sends_total).then(|| HeaderValue::from(page.total));
    // Without a count an instance doesn't know the last page either.
    let linked = counted && state.settings.sends_link && !parameters.suppress_pagination_header;
    let links = linked.then(|| link::header(call, window, page.total, &state.settings));
    Answer::new(Content::Rows(rows))
        .with(TOTAL, total)
        .with(LINK, links.flatten())
}
