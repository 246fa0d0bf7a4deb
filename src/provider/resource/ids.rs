//! Requests by id, without the date that polls are bounded by.

use chrono::DateTime;
use reqwest::Url;

use super::{
    ResourceSource,
    request::{Request, replace},
};
use crate::provider::{Ask, FetchError, IdAsk, Listing, Page, PageSource as _, Step};

/// Ids in one page where the poller's own pages are smaller: a row of a list is a few bytes.
const LISTED: u32 = 10_000;

impl ResourceSource {
    /// How ids can be listed: a query whose date is anywhere but in one condition of its own
    /// cannot be asked without it.
    pub(super) fn id_listing(&self) -> Result<Listing, String> {
        if self.plan.path.bounds().next().is_some() || self.is_dated_elsewhere() {
            return Err(
                "spec.deletes: the records cannot be listed whatever their date, since spec.url states the date in \
                 more than one condition: compare the updated date alone with it, or write mode Ignore"
                    .to_owned(),
            );
        }
        let paging = &self.connection.connector().paging;
        let by_query = self.plan.query.is_some();
        let counts_hidden = |total: &crate::catalog::Total| total.before_access_rules;
        Ok(Listing {
            by_key: by_query,
            by_offset: paging.offset.is_some(),
            linked: paging.next.is_some(),
            by_id: by_query,
            shows_hidden: by_query && paging.total.as_ref().is_some_and(counts_hidden),
        })
    }

    fn is_dated_elsewhere(&self) -> bool {
        let query = self.plan.query.as_ref();
        query.is_some_and(|(_, query)| query.other_bounds().next().is_some())
    }

    /// One request by id, with a smaller page where one was too much.
    pub(super) async fn listed(&self, ask: &IdAsk) -> Result<Page, FetchError> {
        let size = match ask {
            IdAsk::Records(_) => &self.page_size,
            _ => &self.list_size,
        };
        self.asked(size, |asked| self.id_url(ask, asked)).await
    }

    fn id_url(&self, ask: &IdAsk, asked: u32) -> Result<Url, FetchError> {
        let request = Request {
            connection: &self.connection,
            plan: &self.plan,
            page_size: asked,
            now: self.connection.clock().now(),
        };
        let step = match ask {
            IdAsk::Link(link) => return request.link(link),
            IdAsk::Offset(rows) => Step::Offset(*rows),
            _ => Step::First,
        };
        let any_date = Ask {
            bound: self.bound(DateTime::UNIX_EPOCH),
            until: None,
            step,
        };
        let mut url = request.undated_url(&any_date);
        if let Some((parameter, query)) = &self.plan.query {
            replace(&mut url, parameter, &query.print_by_id(ask, request.now));
        }
        if let Some(parameter) = self.fields_parameter(ask) {
            replace(&mut url, parameter, &self.listed_fields());
        }
        Ok(url)
    }

    /// The parameter that leaves out what a list doesn't need; without lookups by id the rows of
    /// the list itself are what is delivered.
    fn fields_parameter(&self, ask: &IdAsk) -> Option<&str> {
        let whole = self.plan.query.is_none() || matches!(ask, IdAsk::Records(_));
        let parameter = &self.connection.connector().request.fields_parameter;
        parameter.as_deref().filter(|_| !whole)
    }

    fn listed_fields(&self) -> String {
        let class = self.connection.connector().records.class.as_deref();
        let fields: Vec<_> = [self.fields.id.as_str()].into_iter().chain(class).collect();
        fields.join(",")
    }
}

/// How many ids a page of a list asks for: what the user found bearable, else as many as the
/// provider gives.
pub(super) fn list_size(stated: bool, page_size: u32, maximum: Option<u32>) -> u32 {
    if stated {
        return page_size;
    }
    maximum.map_or(page_size, |maximum| maximum.min(LISTED).max(page_size))
}
