//! `GET /api/now/stats/{table}`: how many rows a query selects.

use http::StatusCode;
use serde_json::json;

use super::{answer::Answer, call::Call, parameters::Parameters};
use crate::servicenow::{listing::Window, state::State};

pub(super) fn answer(state: &State, call: &Call) -> Answer {
    let Some(table) = state.schema.table(&call.table) else {
        return Answer::invalid_table(&call.table);
    };
    let counts = |(name, value): &(String, String)| name == "sysparm_count" && value == "true";
    if !call.query.iter().any(counts) {
        return Answer::json(StatusCode::OK, &json!({"result": {"stats": {}}}));
    }
    let query = Parameters::read(&call.query, state.settings.max_limit).query;
    let window = Window {
        offset: 0,
        limit: 0,
    };
    match state.list((&call.table, table), query, window) {
        Ok(page) => {
            let stats = json!({"count": page.total.to_string()});
            Answer::json(StatusCode::OK, &json!({"result": {"stats": stats}}))
        }
        Err(unsupported) => Answer::unsupported(&unsupported.0),
    }
}
