//! The provider's list of deletions beside a poller's records, and the question which of these
//! records exist.

use std::{collections::HashSet, sync::Arc};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;

use super::{ResourceSettings, ResourceSource, encoded_query::escape, request, text::Moments};
use crate::{
    api::PollerResourceSpec,
    catalog::{Connector, DeletionStream, RecordsDefinition},
    category::{Category, ConfigurationError},
    provider::{
        FetchError, Page,
        connection::{Failure, below},
    },
};

/// Ids in one question, and their characters: a URL of 8 KiB is what servers take at least.
const MOST_IDS: usize = 100;
const MOST_CHARACTERS: usize = 4096;

impl ResourceSource {
    /// Adds the connector's stream of deletions, where there is one for this poller's table.
    ///
    /// # Errors
    ///
    /// The connector's definition of the stream can't be asked.
    pub fn with_deletions(mut self, spec: &PollerResourceSpec) -> Result<Self, ConfigurationError> {
        let connector = Arc::clone(self.connection.connector());
        let (Some(stream), Some(table)) = (&connector.deletes.stream, self.table()) else {
            return Ok(self);
        };
        let settings = ResourceSettings {
            resource: "deletions".to_owned(),
            spec: &spec_of(stream, &connector.family(table), spec),
        };
        let rows = connector_of(stream, &connector);
        let deletions = Self::of(Arc::clone(&self.connection), &rows, &settings)?;
        self.deletions = Some(Box::new(deletions));
        Ok(self)
    }

    /// Whether deletions are told by a list, and by no flag in the records.
    #[must_use]
    pub fn streams_deletions(&self) -> bool {
        let deletes = &self.connection.connector().deletes;
        deletes.flag.is_none() && deletes.stream.is_some()
    }

    /// Whether records have the ids that the connector's own definition gives them, as the rows of
    /// its list of deletions do.
    #[must_use]
    pub fn ids_are_the_connectors(&self) -> bool {
        self.fields.id == self.connection.connector().records.id
    }

    /// The classes whose deletions are this poller's.
    #[must_use]
    pub fn family(&self) -> HashSet<String> {
        let connector = self.connection.connector();
        let classes = self.table().map(|table| connector.family(table));
        classes.into_iter().flatten().map(str::to_owned).collect()
    }

    /// Why the stream may leave out deletions of this poller's records, and what to do.
    #[must_use]
    pub fn unaudited(&self) -> Option<String> {
        let stream = self.connection.connector().deletes.stream.as_ref()?;
        let unaudited = stream.unaudited.as_ref()?;
        let table = self
            .table()
            .filter(|table| table.starts_with(&unaudited.prefix))?;
        Some(format!(
            "the provider records deletions in {table} only where it is told to: {}",
            unaudited.advice
        ))
    }

    /// The ids among `ids` whose records exist, as far as one page of them tells.
    pub(super) async fn find_existing(
        &self,
        ids: &[String],
    ) -> Result<HashSet<String>, FetchError> {
        let mut existing = HashSet::new();
        let mut questions: Vec<&[String]> = split(ids);
        while let Some(asked) = questions.pop() {
            let page = self.ask_for(asked).await?;
            let mut shown = HashSet::new();
            page.rows(|row| shown.extend(row.id.map(|id| id.into_owned())))?;
            let counted = self.counted(&page)?;
            let is_cut = page.next.is_some() && page.total.is_none();
            let hidden = is_cut || counted > shown.len() as u64;
            match asked {
                [_, _, ..] if hidden => {
                    // Access rules hide some of them, or they follow behind a next link; which ones
                    // tells only a smaller question.
                    let (first, second) = asked.split_at(asked.len() / 2);
                    questions.extend([first, second]);
                }
                [id] if hidden => drop(existing.insert(id.clone())),
                _ => existing.extend(shown),
            }
        }
        Ok(existing)
    }

    /// How many of the records that were asked for exist. Where the provider counts those that access
    /// rules hide, an answer without the count doesn't prove that any is gone.
    fn counted(&self, page: &Page) -> Result<u64, FetchError> {
        let total = &self.connection.connector().paging.total;
        match (page.total, total) {
            (Some(counted), _) => Ok(counted),
            (None, Some(total)) if total.before_access_rules => Err(FetchError::new(
                Category::Configuration,
                format!(
                    "an answer to the question which deleted records exist lacks the header {}, so that none of them \
                     counts as gone: name no version of the provider's interface in spec.url, and let proxies on the way \
                     pass the header on",
                    total.header
                ),
            )),
            (None, _) => Ok(0),
        }
    }

    async fn ask_for(&self, ids: &[String]) -> Result<Page, FetchError> {
        let rows = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        let url = self.existing_url(ids, rows);
        let reply = self.connection.get(&url).await;
        let reply = reply.map_err(|failure| match failure {
            Failure::TooMuch(error) | Failure::Other(error) => error,
        })?;
        Ok(self.page(&url, &self.page_size, rows, reply))
    }

    fn existing_url(&self, ids: &[String], rows: u32) -> Url {
        let connector = self.connection.connector();
        let ids: Vec<_> = ids.iter().map(|id| escape(id)).collect();
        let ids = ids.join(",");
        let stated = connector
            .deletes
            .stream
            .iter()
            .flat_map(|stream| &stream.existing);
        let stated = stated.map(|(name, value)| {
            let value = value
                .replace("{id}", &self.fields.id)
                .replace("{ids}", &ids);
            (name.clone(), value)
        });
        let size = connector.paging.page_size.iter();
        let size = size.map(|size| (size.parameter.clone(), rows.to_string()));
        let defaults = connector.request.parameters.clone();
        let moment = self.connection.clock().now();
        let path = self.plan.path.print(Moments {
            bound: moment,
            now: moment,
        });
        let mut url = below(self.connection.base(), &path);
        request::set_query(&mut url, stated.chain(defaults).chain(size));
        url
    }
}

/// The ids in questions of a bearable length.
fn split(ids: &[String]) -> Vec<&[String]> {
    let mut questions = Vec::new();
    let mut rest = ids;
    while !rest.is_empty() {
        let mut characters = 0;
        let fitting = rest.iter().take(MOST_IDS).take_while(|id| {
            characters += id.chars().count() + 1;
            characters <= MOST_CHARACTERS
        });
        let (asked, after) = rest.split_at(fitting.count().max(1));
        questions.push(asked);
        rest = after;
    }
    questions
}

/// The stream as a resource's spec.
fn spec_of(
    stream: &DeletionStream,
    tables: &std::collections::BTreeSet<&str>,
    spec: &PollerResourceSpec,
) -> PollerResourceSpec {
    let tables: Vec<_> = tables.iter().copied().collect();
    let tables = tables.join(",");
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let parameters = stream.parameters.iter().map(|(name, value)| {
        let value = value.replace("{tables}", &tables);
        format!("{}={}", encode(name), encode(&value))
    });
    let parameters: Vec<_> = parameters.collect();
    PollerResourceSpec {
        url: Some(format!("{}?{}", stream.path, parameters.join("&"))),
        id_field: None,
        dates_configuration: None,
        filter_by_updated_date: None,
        ignore_fields: Vec::new(),
        ..spec.clone()
    }
}

/// The connector, with the stream's rows for records.
fn connector_of(stream: &DeletionStream, connector: &Connector) -> Connector {
    let mut connector = connector.clone();
    connector.records = RecordsDefinition {
        id: stream.record.clone(),
        key: Some(stream.id.clone()),
        version: Some(stream.id.clone()),
        class: stream.class.clone(),
        ignore: Vec::new(),
        ..connector.records
    };
    connector.dates.updated = stream.date.clone();
    connector.dates.created = stream.date.clone();
    connector.request.filter = stream.filter.clone().or(connector.request.filter);
    connector.resources.clear();
    connector.deletes.flag = None;
    connector
}
