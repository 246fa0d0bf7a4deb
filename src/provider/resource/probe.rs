//! Questions to a provider that show whether it understands a poller's query.
//!
//! ServiceNow leaves out conditions that it doesn't understand and answers the rest, and reads
//! dates in the zone of its user: either loses changes without a word.

mod sample;

use chrono::{DateTime, TimeDelta, Utc};

use self::sample::{Sample, first_row};
use super::ResourceSource;
use crate::provider::{Ask, Bound, FetchError, Page, PageSource as _, Step, connection::Failure};

/// A date that no record has.
const FAR: i64 = 32_472_144_000; // 2999-01-01T00:00:00Z

/// Zones lie on quarters of an hour up to 14 hours from Greenwich.
const QUARTER: i64 = 15 * 60;
const QUARTERS: i64 = 14 * 4;

/// Rows looked at for a readable one: a single bad record must not condemn the rest.
const ROWS: u32 = 20;

/// How often a row is read again that changes while it is looked at.
const ATTEMPTS: usize = 3;

/// What probing found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Why this poller must not run: it would lose changes or read everything at every poll.
    pub fatal: Option<String>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// How far the provider's clock is ahead of ours.
    pub clock_skew: Option<TimeDelta>,
    /// No row was there to look at, or access rules hide the first ones: a page that has one tells
    /// the rest ([`ResourceSource::probe_page`]).
    pub is_partial: bool,
}

impl ResourceSource {
    /// Asks the provider whether it knows the updated date and reads dates in the stated zone;
    /// an empty resource passes.
    ///
    /// Rows are looked for at `from`, where the poller stands: the oldest of a large table would
    /// take longer than the provider grants, at every poll.
    ///
    /// # Errors
    ///
    /// A question could not be asked; nothing is known then.
    pub async fn probe(
        &self,
        now: DateTime<Utc>,
        from: DateTime<Utc>,
    ) -> Result<Findings, FetchError> {
        let mut findings = Findings {
            fatal: self.ignored_date().await?,
            ..Findings::default()
        };
        if findings.fatal.is_some() {
            return Ok(findings);
        }
        let (sample, page) = self.sample(self.bounds.bound(from), ROWS).await?;
        let sample = match sample {
            Some(sample) => Some(sample),
            None => self.any_row().await,
        };
        findings = match sample {
            Some(sample) => self.examine(sample).await?,
            None => Findings {
                is_partial: true,
                ..findings
            },
        };
        findings.clock_skew = page.server_time.map(|server| server - now);
        Ok(findings)
    }

    /// What the first readable row of a page shows; `None` where it has none.
    ///
    /// # Errors
    ///
    /// The page cannot be read, or a question could not be asked; nothing is known then.
    pub async fn probe_page(&self, page: &Page) -> Result<Option<Findings>, FetchError> {
        match first_row(page)?.filter(Sample::is_readable) {
            Some(sample) => self.examine(sample).await.map(Some),
            None => Ok(None),
        }
    }

    async fn examine(&self, sample: Sample) -> Result<Findings, FetchError> {
        let mut findings = Findings {
            fatal: self.missing_field(&sample),
            ..Findings::default()
        };
        if self.connection.connector().records.class.is_some() && !sample.classified {
            findings
                .notes
                .push("records have no class: subclasses cannot be told from their parents".into());
        }
        if findings.fatal.is_none() && self.paging().by_key {
            findings.fatal = self.foreign_zone(sample).await?;
        }
        Ok(findings)
    }

    async fn ignored_date(&self) -> Result<Option<String>, FetchError> {
        if !self
            .plan
            .query
            .as_ref()
            .is_some_and(|(_, query)| query.is_dated())
        {
            return Ok(None);
        }
        let far = DateTime::from_timestamp(FAR, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let (sample, _) = self.sample(self.bounds.bound(far), 1).await?;
        Ok(sample.map(|_| {
            let field = self.updated_field();
            format!(
                "the provider ignores the condition on {field} and returns all records: it knows no such field, or the \
                 account may not read it; correct datesConfiguration.updatedDateField or give the account access"
            )
        }))
    }

    fn missing_field(&self, sample: &Sample) -> Option<String> {
        let missing = match (&sample.id, sample.updated) {
            (None, _) => ("idField", self.fields.id.as_str()),
            (_, None) => ("datesConfiguration.updatedDateField", self.updated_field()),
            _ => return None,
        };
        let (key, field) = missing;
        Some(format!(
            "records have no readable {field}: correct {key} or its format, or give the account access to it"
        ))
    }

    /// Finds the row again by its own date; else finds by how much the provider is off.
    async fn foreign_zone(&self, mut sample: Sample) -> Result<Option<String>, FetchError> {
        for _ in 0..ATTEMPTS {
            let (Some(id), Some(updated)) = (&sample.id, sample.updated) else {
                return Ok(None);
            };
            if self.finds(id, updated, "=").await? {
                return Ok(None);
            }
            let Some(again) = self.read_again(id).await? else {
                return Ok(None);
            };
            if again.updated == sample.updated {
                return self.offset(id, updated).await.map(Some);
            }
            sample = again;
        }
        Ok(None)
    }

    async fn offset(&self, id: &str, updated: DateTime<Utc>) -> Result<String, FetchError> {
        // The row is found from every literal up to its own, as the provider reads it.
        let (mut low, mut high) = (-QUARTERS, QUARTERS);
        while low < high {
            let middle = low + (high - low + 1).div_euclid(2);
            let literal = updated + TimeDelta::seconds(middle * QUARTER);
            if self.finds(id, literal, ">=").await? {
                low = middle
            } else {
                high = middle - 1
            }
        }
        let minutes = low * 15;
        let (sign, minutes) = if minutes < 0 {
            ('-', -minutes)
        } else {
            ('+', minutes)
        };
        Ok(format!(
            "the provider reads dates in the zone of the account's user, about {sign}{:02}:{:02} from GMT, so that changes \
             would be missed or read again; set that user's time zone to GMT",
            minutes / 60,
            minutes % 60
        ))
    }

    async fn finds(
        &self,
        id: &str,
        date: DateTime<Utc>,
        operator: &str,
    ) -> Result<bool, FetchError> {
        let date = self.bounds.bound(date).text;
        let query = format!(
            "{}={}^{}{operator}{date}",
            self.fields.id,
            super::encoded_query::escape(id),
            self.updated_field()
        );
        Ok(self.one(&query).await?.is_some())
    }

    async fn read_again(&self, id: &str) -> Result<Option<Sample>, FetchError> {
        self.one(&format!(
            "{}={}",
            self.fields.id,
            super::encoded_query::escape(id)
        ))
        .await
    }

    /// A readable row wherever it stands, in no order: found without a search. Nothing depends on
    /// it, since a page that has rows tells the rest.
    async fn any_row(&self) -> Option<Sample> {
        let found = self.of_query("", ROWS).await.ok().flatten();
        found.filter(Sample::is_readable)
    }

    /// One row of a query of the probe's own.
    async fn one(&self, query: &str) -> Result<Option<Sample>, FetchError> {
        self.of_query(query, 1).await
    }

    async fn of_query(&self, query: &str, rows: u32) -> Result<Option<Sample>, FetchError> {
        let ask = Ask {
            bound: self.bounds.bound(DateTime::UNIX_EPOCH),
            until: None,
            step: Step::First,
        };
        let mut url = self.url(&ask, rows)?;
        let Some((parameter, _)) = &self.plan.query else {
            return Ok(None);
        };
        super::request::replace(&mut url, parameter, query);
        self.read(&url, rows).await.map(|(sample, _)| sample)
    }

    async fn sample(&self, bound: Bound, rows: u32) -> Result<(Option<Sample>, Page), FetchError> {
        let ask = Ask {
            bound,
            until: None,
            step: Step::First,
        };
        self.read(&self.url(&ask, rows)?, rows).await
    }

    /// A page of so many `rows`, and its first.
    async fn read(
        &self,
        url: &reqwest::Url,
        rows: u32,
    ) -> Result<(Option<Sample>, Page), FetchError> {
        let reply = self
            .connection
            .get(url)
            .await
            .map_err(|failure| match failure {
                Failure::TooMuch(error) | Failure::Other(error) => error,
            })?;
        let page = self.page(url, &self.page_size, rows, reply);
        Ok((first_row(&page)?, page))
    }

    fn updated_field(&self) -> &str {
        self.fields
            .updated
            .as_ref()
            .map(|date| date.field.as_str())
            .unwrap_or_default()
    }
}
