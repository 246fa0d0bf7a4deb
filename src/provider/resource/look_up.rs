//! Looking for one record by its id.

use chrono::DateTime;

use super::ResourceSource;
use crate::provider::{Ask, FetchError, Page, PageSource as _, Step, connection::Failure};

/// Where the provider shows a record.
#[derive(Debug)]
pub enum LookUp {
    /// The connector has no query by which one record can be asked for.
    Impossible,
    /// Nowhere: it is deleted, or access rules hide it, or it is in another table.
    Nowhere,
    /// In its table, but the poller's query leaves it out.
    OutsideQuery(Page),
    /// Among what the poller's query returns.
    InQuery(Page),
}

impl ResourceSource {
    /// Asks for the record with the id `id`, by itself and as the poller's query would return it.
    ///
    /// # Errors
    ///
    /// A question could not be asked.
    pub async fn look_up(&self, id: &str) -> Result<LookUp, FetchError> {
        let Some((_, query)) = &self.plan.query else {
            return Ok(LookUp::Impossible);
        };
        let condition = format!("{}={}", self.fields.id, super::encoded_query::escape(id));
        let mut narrowed = query.clone();
        narrowed.restrict(&condition);
        let (page, rows) = self
            .page_of(&narrowed.print(&self.all(), self.now()))
            .await?;
        if rows > 0 {
            return Ok(LookUp::InQuery(page));
        }
        let (page, rows) = self.page_of(&condition).await?;
        Ok(if rows > 0 {
            LookUp::OutsideQuery(page)
        } else {
            LookUp::Nowhere
        })
    }

    /// The page of a query that takes the place of the poller's, and its rows.
    async fn page_of(&self, query: &str) -> Result<(Page, usize), FetchError> {
        let mut url = self.url(&self.all(), 1)?;
        if let Some((parameter, _)) = &self.plan.query {
            super::request::replace(&mut url, parameter, query);
        }
        let reply = self
            .connection
            .get(&url)
            .await
            .map_err(|failure| match failure {
                Failure::TooMuch(error) | Failure::Other(error) => error,
            })?;
        let page = self.page(&url, &self.page_size, 1, reply);
        let rows = page.rows(|_| {})?;
        Ok((page, rows))
    }

    /// Everything from the beginning of dates on.
    fn all(&self) -> Ask {
        Ask {
            bound: self.bound(DateTime::UNIX_EPOCH),
            until: None,
            step: Step::First,
        }
    }

    fn now(&self) -> DateTime<chrono::Utc> {
        self.connection.clock().now()
    }
}
