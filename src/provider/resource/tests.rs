//! A source over a provider in memory.

mod pages;
mod probe;
mod settings;
mod urls;

use std::collections::BTreeMap;

use rstest::rstest;
use serde_json::json;
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::method};

use super::*;
use crate::{
    catalog::Connector,
    category::Category,
    provider::connection::tests::{connect, connect_as},
};

const BASE: &str = "https://acme.service-now.com";

/// A provider that takes the date as a parameter, pages by offset and link, in no order.
const LEDGER: &str = r"
key: ledger
name: Ledger
hub: finance
baseUrl: https://ledger.example.com
authentication: {}
request:
  path: /v3/{table}
  filter: {kind: Parameter, parameter: since, aliases: [lastModifiedDate], format: yyyy-MM-dd'T'HH:mm:ss'Z', inclusive: false}
records: {path: '$items', id: id}
dates:
  updated: {field: updated_at, format: yyyy-MM-dd'T'HH:mm:ss'Z'}
  created: {field: created_at, format: yyyy-MM-dd'T'HH:mm:ss'Z'}
  granularity: Seconds
  overlapSeconds: 60
  earliest: 2001-01-01T00:00:00Z
paging:
  pageSize: {parameter: items_per_page, default: 20, maximum: 200}
  offset: {parameter: skip}
  next: LinkHeader
";

pub(super) fn ledger() -> Connector {
    Connector::read(LEDGER).unwrap()
}

pub(super) fn spec(value: serde_json::Value) -> PollerResourceSpec {
    let mut spec = json!({"instanceRef": {"name": "acme"}});
    for (key, field) in value.as_object().unwrap() {
        spec[key] = field.clone();
    }
    serde_json::from_value(spec).unwrap()
}

pub(super) fn on(
    connection: Connection,
    resource: &str,
    value: serde_json::Value,
) -> Result<ResourceSource, String> {
    let settings = ResourceSettings {
        resource: resource.into(),
        spec: &spec(value),
    };
    ResourceSource::new(Arc::new(connection), &settings).map_err(|error| error.to_string())
}

pub(super) fn source(resource: &str, value: serde_json::Value) -> ResourceSource {
    on(connect(BASE), resource, value).unwrap()
}

pub(super) fn of_url(url: &str) -> ResourceSource {
    source("accounts", json!({"url": url}))
}

pub(super) fn ask(source: &ResourceSource, step: Step) -> Ask {
    Ask {
        bound: source.bound("2024-05-17T13:14:15.9Z".parse().unwrap()),
        until: None,
        step,
    }
}

/// Path and decoded parameters of a request.
pub(super) fn asked(source: &ResourceSource, step: Step) -> (String, BTreeMap<String, String>) {
    let url = source
        .url(&ask(source, step), source.page_size.get())
        .unwrap();
    (
        url.path().to_owned(),
        url.query_pairs().into_owned().collect(),
    )
}

pub(super) fn query(source: &ResourceSource, step: Step) -> String {
    asked(source, step)
        .1
        .remove("sysparm_query")
        .unwrap_or_default()
}

const DATED: &str = "sys_updated_on>=2024-05-17 13:14:15^ORDERBYsys_updated_on^ORDERBYsys_id";

pub(super) async fn serve(
    respond: impl Fn(&Request) -> ResponseTemplate + Send + Sync + 'static,
) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(respond)
        .mount(&server)
        .await;
    server
}

pub(super) fn parameter(request: &Request, name: &str) -> String {
    request
        .url
        .query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

pub(super) fn rows(page: &Page) -> Vec<String> {
    let mut ids = Vec::new();
    page.rows(|row| ids.push(row.id.unwrap().into_owned()))
        .unwrap();
    ids
}

pub(super) fn at(server: &MockServer, resource: &str) -> ResourceSource {
    on(connect(&server.uri()), resource, json!({})).unwrap()
}
