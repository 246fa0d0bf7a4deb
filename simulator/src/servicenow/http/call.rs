//! A request of the REST API, taken apart.

use axum::extract::Request;
use http::header::HOST;

/// Which version of the API a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ApiVersion {
    /// It answers 404 where no row is found.
    V1,
    V2,
    Latest,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    List,
    Record(String),
    Stats,
}

#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) version: ApiVersion,
    pub(super) table: String,
    pub(super) resource: Resource,
    /// The decoded parameters.
    pub(super) query: Vec<(String, String)>,
    /// Those as they were sent.
    pub(super) raw_query: String,
    pub(super) path: String,
    /// The instance's address as the client knows it, and the path.
    pub(super) url: String,
    /// Where records are found by table and id, in the same version.
    pub(super) tables_url: String,
}

impl Call {
    /// Reads what a path names; nothing if that is no resource.
    pub(super) fn read(request: &Request, query: Vec<(String, String)>) -> Option<Self> {
        let path = request.uri().path();
        let rest = path.strip_prefix("/api/now/")?;
        let (version, prefix, rest) = version(rest);
        let (table, resource) = resource(rest)?;
        let host = request.headers().get(HOST)?.to_str().ok()?;
        Some(Self {
            version,
            table,
            resource,
            query,
            raw_query: request.uri().query().unwrap_or_default().to_owned(),
            path: path.to_owned(),
            url: format!("http://{host}{path}"),
            tables_url: format!("http://{host}/api/now/{prefix}table"),
        })
    }
}

fn version(rest: &str) -> (ApiVersion, &'static str, &str) {
    if let Some(rest) = rest.strip_prefix("v1/") {
        (ApiVersion::V1, "v1/", rest)
    } else if let Some(rest) = rest.strip_prefix("v2/") {
        (ApiVersion::V2, "v2/", rest)
    } else {
        (ApiVersion::Latest, "", rest)
    }
}

fn resource(path: &str) -> Option<(String, Resource)> {
    let segments: Vec<_> = path.split('/').collect();
    let (table, resource) = match segments.as_slice() {
        ["table", table] => (table, Resource::List),
        ["table", table, sys_id] => (table, Resource::Record((*sys_id).to_owned())),
        ["stats", table] => (table, Resource::Stats),
        _ => return None,
    };
    Some(((*table).to_owned(), resource))
}
