//! The parameters of the Table API.

use crate::servicenow::listing::Window;

/// Without `sysparm_limit` (ServiceNow's "Table API").
const DEFAULT_LIMIT: usize = 10_000;

/// How values are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Display {
    /// As they are stored.
    Stored,
    /// As the user sees them.
    Shown,
    Both,
}

#[derive(Clone, Debug)]
pub(super) struct Parameters<'a> {
    pub(super) query: &'a str,
    pub(super) window: Window,
    pub(super) fields: Option<Vec<&'a str>>,
    pub(super) display: Display,
    pub(super) exclude_reference_link: bool,
    pub(super) no_count: bool,
    pub(super) suppress_pagination_header: bool,
}

impl<'a> Parameters<'a> {
    /// Reads parameters; what can't be read counts as not sent.
    pub(super) fn read(query: &'a [(String, String)], max_limit: usize) -> Self {
        let get = |name: &str| {
            let found = query.iter().rev().find(|(key, _)| key == name);
            found.map(|(_, value)| value.as_str())
        };
        let is_true = |name| get(name) == Some("true");
        let limit = get("sysparm_limit").and_then(|it| it.parse().ok());
        let limit = limit.filter(|limit| *limit > 0).unwrap_or(DEFAULT_LIMIT);
        let fields = get("sysparm_fields").filter(|fields| !fields.is_empty());
        Self {
            query: get("sysparm_query").unwrap_or_default(),
            window: Window {
                // The link to the page before the first has a negative one.
                offset: get("sysparm_offset")
                    .and_then(|it| it.parse().ok())
                    .unwrap_or(0),
                limit: limit.min(max_limit),
            },
            fields: fields.map(|fields| fields.split(',').map(str::trim).collect()),
            display: match get("sysparm_display_value") {
                Some("true") => Display::Shown,
                Some("all") => Display::Both,
                _ => Display::Stored,
            },
            exclude_reference_link: is_true("sysparm_exclude_reference_link"),
            no_count: is_true("sysparm_no_count"),
            suppress_pagination_header: is_true("sysparm_suppress_pagination_header"),
        }
    }
}
