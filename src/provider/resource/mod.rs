//! One poller's resource: its url compiled, and its pages fetched.

mod address;
mod bounds;
mod dates;
mod deletions;
mod encoded_query;
mod fingerprint;
mod ids;
mod link;
mod look_up;
mod plan;
mod probe;
mod request;
mod text;
mod where_clause;

use std::{collections::HashSet, sync::Arc};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};

use self::{
    bounds::Bounds,
    dates::Fields,
    fingerprint::{digest_of_ignored, fingerprint},
    plan::{Plan, Source, plan},
};
use super::{
    Ask, Bound, Connection, FetchError, IdAsk, Listing, Page, PageSource, Paging, RecordShape,
    Step,
    answer::{Answerer, HOPELESS},
    connection::{Failure, Reply, subject},
    page_size::PageSize,
};
use crate::{
    api::PollerResourceSpec, catalog::Connector, category::ConfigurationError, network,
    template::Unit,
};

pub use look_up::LookUp;
pub use probe::Findings;

/// Records in a page where neither spec nor connector say.
const PAGE_SIZE: u32 = 100;

/// What a source is compiled from.
#[derive(Clone, Debug)]
pub struct ResourceSettings<'a> {
    /// Name of the resource: `spec.resource`, else the poller's name.
    pub resource: String,
    pub spec: &'a PollerResourceSpec,
}

/// One poller's pages, over HTTP.
#[derive(Debug)]
pub struct ResourceSource {
    connection: Arc<Connection>,
    plan: Plan,
    bounds: Bounds,
    fields: Fields,
    shape: Arc<RecordShape>,
    page_size: Arc<PageSize>,
    /// Ids in a page of a list.
    list_size: Arc<PageSize>,
    fingerprint: String,
    content: Option<String>,
    /// The provider's list of deletions, whose rows name deleted records.
    deletions: Option<Box<Self>>,
}

impl ResourceSource {
    /// Compiles a poller's spec.
    ///
    /// # Errors
    ///
    /// A field of the spec is wrong, or its url can't be asked of this connector.
    pub fn new(
        connection: Arc<Connection>,
        settings: &ResourceSettings<'_>,
    ) -> Result<Self, ConfigurationError> {
        let connector = Arc::clone(connection.connector());
        Self::of(connection, &connector, settings)
    }

    /// Compiles a spec by what `connector` says of lists like this one.
    fn of(
        connection: Arc<Connection>,
        connector: &Connector,
        settings: &ResourceSettings<'_>,
    ) -> Result<Self, ConfigurationError> {
        let ResourceSettings { resource, spec } = settings;
        let fields = Fields::new(spec, connector)?;
        let shape = Arc::new(fields.shape(spec, connector)?);
        let origin = connection.base().origin().ascii_serialization();
        let source = Source {
            connector,
            spec,
            resource,
            fields: &fields,
            origin: &origin,
        };
        let mut plan = plan(source)?;
        plan.notes.extend(ignored_in_vain(spec, connector));
        let bounds = Bounds::new(
            &plan,
            fields.updated.as_ref(),
            dates::unit(connector.dates.granularity),
        );
        let size = page_size(spec, &plan, &connection)?;
        let stated = spec.page_size.is_some() || plan.page_size.is_some();
        let maximum = connector.paging.page_size.as_ref().map(|size| size.maximum);
        let list_size = Arc::new(PageSize::new(ids::list_size(stated, size, maximum)));
        let page_size = Arc::new(PageSize::new(size));
        let fingerprint = fingerprint(&connector.key, &origin, resource, spec, &fields);
        let content = (!shape.has_version()).then(|| digest_of_ignored(&spec.ignore_fields));
        Ok(Self {
            connection,
            plan,
            bounds,
            fields,
            shape,
            page_size,
            list_size,
            fingerprint,
            content,
            deletions: None,
        })
    }

    /// How this poller's records are read.
    #[must_use]
    pub const fn shape(&self) -> &Arc<RecordShape> {
        &self.shape
    }

    /// Hex digest of what is asked: another one means that the watermark is another query's.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Where versions are digests of contents, a digest of the fields that are no part of these.
    #[must_use]
    pub fn content(&self) -> Option<&str> {
        self.content.as_deref()
    }

    /// The query has no condition but the date.
    #[must_use]
    pub const fn unfiltered(&self) -> bool {
        self.plan.unfiltered
    }

    /// What the provider calls the resource, where that is known: also the class of its records.
    #[must_use]
    pub fn table(&self) -> Option<&str> {
        self.plan.table.as_deref()
    }

    /// Whether this poller's query returns records of `class`: its table's own, or one that
    /// extends it as far as the connector knows.
    #[must_use]
    pub fn covers(&self, class: &str) -> bool {
        self.table()
            .is_some_and(|table| self.connection.connector().extends(class, table))
    }

    /// Hex digest of where its records are: ids of another place are others'.
    #[must_use]
    pub fn place(&self) -> String {
        fingerprint::place(self.connection.base(), &self.plan, &self.fields)
    }

    /// The coarsest of the updated date's format, the request's and the provider's clock.
    #[must_use]
    pub const fn unit(&self) -> Unit {
        self.bounds.unit()
    }

    /// How late records may appear behind their date, as the connector says.
    #[must_use]
    pub fn overlap(&self) -> TimeDelta {
        TimeDelta::seconds(self.connection.connector().dates.overlap_seconds.into())
    }

    /// From when on records may be dated: what `startFrom: Beginning` renders.
    #[must_use]
    pub fn earliest(&self) -> DateTime<Utc> {
        let stated = self
            .connection
            .connector()
            .dates
            .earliest
            .as_ref()
            .and_then(|text| text.parse().ok());
        stated.unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// What a person should know of how the url was understood.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.plan.notes
    }

    fn page(&self, url: &reqwest::Url, size: &Arc<PageSize>, asked: u32, reply: Reply) -> Page {
        let paging = &self.connection.connector().paging;
        let total = paging
            .total
            .as_ref()
            .and_then(|total| reply.headers.get(&total.header));
        let total = total
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.trim().parse().ok());
        let body = reply.body.unwrap_or_else(|| self.empty());
        let mut page =
            Page::new(Arc::clone(&self.shape), body).answered_by(self.answerer(url, size, asked));
        page.server_time = network::server_time(&reply.headers);
        page.total = total;
        page.limit = asked;
        page.next = paging.next.and_then(|_| link::next(&reply.headers, url));
        page
    }

    fn answerer(&self, url: &reqwest::Url, size: &Arc<PageSize>, asked: u32) -> Answerer {
        Answerer {
            connector: Arc::clone(self.connection.connector()),
            redact: Arc::clone(self.connection.redact()),
            page_size: Arc::clone(size),
            asked,
            subject: subject(url).into(),
        }
    }

    /// A page without records.
    fn empty(&self) -> Bytes {
        let mut body = serde_json::Value::Null;
        super::words::put(
            &mut body,
            &self.connection.connector().records.path,
            serde_json::json!([]),
        );
        body.to_string().into()
    }
}

impl PageSource for ResourceSource {
    fn paging(&self) -> Paging {
        let paging = &self.connection.connector().paging;
        let anchored = self.plan.ordered && self.bounds.is_monotonic();
        let queried = anchored && self.plan.query.is_some();
        Paging {
            anchored,
            by_key: queried && self.bounds.is_exact(),
            by_offset: paging.offset.is_some(),
            bisectable: queried
                && paging
                    .total
                    .as_ref()
                    .is_some_and(|total| total.before_access_rules),
            page_size: self.page_size.get(),
        }
    }

    fn bound(&self, instant: DateTime<Utc>) -> Bound {
        self.bounds.bound(instant)
    }

    fn deletions(&self) -> Option<&Self> {
        self.deletions.as_deref()
    }

    async fn existing(&self, ids: &[String]) -> Result<HashSet<String>, FetchError> {
        self.find_existing(ids).await
    }

    fn tombstone(&self, id: &str) -> Bytes {
        let mut record = serde_json::Value::Null;
        super::words::put(&mut record, &self.fields.id, id.into());
        record.to_string().into()
    }

    async fn fetch(&self, ask: &Ask) -> Result<Page, FetchError> {
        self.asked(&self.page_size, |asked| self.url(ask, asked))
            .await
    }

    fn listing(&self) -> Result<Listing, String> {
        self.id_listing()
    }

    async fn list(&self, ask: &IdAsk) -> Result<Page, FetchError> {
        self.listed(ask).await
    }
}

impl ResourceSource {
    /// One request, asked for less where `size` was too much.
    async fn asked(
        &self,
        size: &Arc<PageSize>,
        url: impl Fn(u32) -> Result<reqwest::Url, FetchError>,
    ) -> Result<Page, FetchError> {
        loop {
            let asked = size.get();
            let url = url(asked)?;
            match self.connection.get(&url).await {
                Ok(reply) => return Ok(self.page(&url, size, asked, reply)),
                Err(Failure::TooMuch(_)) if size.shrink(asked) => {}
                Err(Failure::TooMuch(mut error)) => {
                    error.message.push_str(HOPELESS);
                    return Err(error);
                }
                Err(Failure::Other(error)) => return Err(error),
            }
        }
    }

    fn url(&self, ask: &Ask, asked: u32) -> Result<reqwest::Url, FetchError> {
        let request = request::Request {
            connection: &self.connection,
            plan: &self.plan,
            page_size: asked,
            now: self.connection.clock().now(),
        };
        match &ask.step {
            Step::Link(link) => request.link(link),
            _ => Ok(request.url(ask)),
        }
    }
}

/// Where the provider states versions, nothing is compared field by field.
fn ignored_in_vain(spec: &PollerResourceSpec, connector: &Connector) -> Option<String> {
    let version = connector.records.version.as_ref()?;
    (!spec.ignore_fields.is_empty()).then(|| {
        format!(
            "ignoreFields has no effect: connector {} tells versions apart by {version} and looks \
             at no other field; leave it out",
            connector.key
        )
    })
}

fn page_size(
    spec: &PollerResourceSpec,
    plan: &Plan,
    connection: &Connection,
) -> Result<u32, ConfigurationError> {
    let known = connection.connector().paging.page_size.as_ref();
    let stated = match spec.page_size {
        Some(size) => Some(
            u32::try_from(size)
                .ok()
                .filter(|size| *size > 0)
                .ok_or_else(|| {
                    ConfigurationError::new(
                        "spec.pageSize",
                        format!("{size} is no page size; write a number from 1 on"),
                    )
                })?,
        ),
        None => plan.page_size,
    };
    let size = stated
        .or(known.map(|known| known.default))
        .unwrap_or(PAGE_SIZE);
    Ok(known.map_or(size, |known| size.min(known.maximum)))
}

#[cfg(test)]
mod tests;
