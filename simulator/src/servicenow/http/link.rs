//! The `Link` header as instances spell it: without blanks, ending in the offset, `prev` even of the first page.

use http::HeaderValue;

use super::call::Call;
use crate::servicenow::{Links, Settings, listing::Window};

/// The links of a page; none where it is the only one.
pub(super) fn header(
    call: &Call,
    window: Window,
    total: usize,
    settings: &Settings,
) -> Option<HeaderValue> {
    let Window { offset, limit } = window;
    if limit == 0 || (offset == 0 && total <= limit) {
        return None;
    }
    let url = url(call, settings);
    let link = |relation: &str, offset: &str| format!(r#"<{url}{offset}>;rel="{relation}""#);
    let prev = match offset.checked_sub(limit) {
        Some(prev) => prev.to_string(),
        None => format!("-{}", limit - offset),
    };
    let next = offset + limit;
    let last = total.saturating_sub(1) / limit * limit;
    let mut links = vec![link("first", "0"), link("prev", &prev)];
    if settings.links == Links::Circular {
        links.push(link("next", "0"));
    } else if next < total {
        links.push(link("next", &next.to_string()));
    }
    links.push(link("last", &last.to_string()));
    HeaderValue::try_from(links.join(",")).ok()
}

/// The URL of the call up to the value of its offset.
fn url(call: &Call, settings: &Settings) -> String {
    let kept = call
        .raw_query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("sysparm_offset="));
    let written = |pair: &str| match settings.encodes_commas_in_links {
        true => pair.replace(',', "%2C"),
        false => pair.replace("%2C", ","),
    };
    let mut query: Vec<_> = kept.map(written).collect();
    query.push("sysparm_offset=".to_owned());
    let base = match settings.links {
        Links::Relative => &call.path,
        Links::Absolute | Links::Circular => &call.url,
    };
    format!("{base}?{}", query.join("&"))
}
