//! Why a poller delivered a record, or did not.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::Poller;
use crate::{
    category::Category,
    poll::{CheckpointStore, Explainer, Explanation, Fate, StoreError},
    provider::{DateRead, FetchError, LookUp, Page, Row},
};

/// A version of a record, as a person states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    pub updated: DateTime<Utc>,
    /// The text at the connector's version field, or the digest of the content.
    pub text: String,
}

/// What is to be said of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The connector has no query by which one record can be asked for.
    Unaskable,
    /// The provider shows no such record.
    Nowhere,
    /// The provider shows it, but the poller's query leaves it out.
    OutsideQuery(Explanation),
    /// What the poller makes of it, and whose it is where another poller takes its class.
    Known(Explanation, Option<String>),
}

/// Why nothing can be said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    #[error("checkpoint: {0}")]
    Checkpoint(String),
    #[error("provider: {0}{again}", again = again(.0))]
    Provider(#[from] FetchError),
}

/// When to ask again, where that helps.
fn again(error: &FetchError) -> String {
    match (error.category, error.retry_after) {
        (_, Some(after)) => format!("; ask again in {} s", after.as_secs().max(1)),
        (Category::RateLimited, None) => {
            "; the provider does not say for how long: ask again in a minute".to_owned()
        }
        _ => String::new(),
    }
}

impl Poller {
    /// What the poller makes of the record `id`, from what `store` holds: in the version `stated`,
    /// else in the one that the provider shows now. Nothing is delivered or stored.
    ///
    /// # Errors
    ///
    /// The checkpoint cannot be used, or the provider could not be asked.
    pub async fn explain<K: CheckpointStore>(
        &self,
        store: &mut K,
        id: &str,
        stated: Option<&Version>,
    ) -> Result<Answer, ExplainError> {
        let unread = |error: StoreError| ExplainError::Checkpoint(error.to_string());
        let mut stored = store.load().await.map_err(unread)?;
        loop {
            let plan = self.plan_among_kin(stored.as_ref());
            let opened =
                Explainer::open(&plan, self.source(), stored.clone(), store, self.clock()).await;
            let why = match opened {
                Ok(explainer) => return self.answer(&explainer, id, stated).await,
                Err(why) => why,
            };
            // Whoever polls may have stored another one since, and removed what this one named.
            let now = store.load().await.map_err(unread)?;
            if now == stored {
                return Err(ExplainError::Checkpoint(why));
            }
            stored = now;
        }
    }

    async fn answer(
        &self,
        explainer: &Explainer<'_>,
        id: &str,
        stated: Option<&Version>,
    ) -> Result<Answer, ExplainError> {
        if let Some(version) = stated {
            return Ok(self.known(explainer.explain(&row(id, version))));
        }
        let _leave = self.instance().leave_to_ask().await;
        Ok(match self.source().look_up(id).await? {
            LookUp::Impossible => Answer::Unaskable,
            LookUp::Nowhere => Answer::Nowhere,
            LookUp::OutsideQuery(page) => {
                first(explainer, &page)?.map_or(Answer::Nowhere, Answer::OutsideQuery)
            }
            LookUp::InQuery(page) => {
                first(explainer, &page)?.map_or(Answer::Nowhere, |known| self.known(known))
            }
        })
    }

    fn known(&self, explanation: Explanation) -> Answer {
        let taker = match &explanation.fate {
            Fate::Excluded(class) => self.takers().iter().find(|taker| taker.class == *class),
            _ => None,
        };
        let taker = taker.map(|taker| taker.sibling.name.clone());
        Answer::Known(explanation, taker)
    }
}

fn row<'a>(id: &'a str, version: &'a Version) -> Row<'a> {
    Row {
        index: 0,
        id: Some(Cow::Borrowed(id)),
        updated: DateRead::At(version.updated),
        created: DateRead::Absent,
        version: Some(Cow::Borrowed(&version.text)),
        class: None,
        key: None,
        is_deleted: false,
        is_utf8: true,
    }
}

fn first(explainer: &Explainer<'_>, page: &Page) -> Result<Option<Explanation>, FetchError> {
    let mut first = None;
    page.rows(|row| {
        first.get_or_insert_with(|| explainer.explain(&row));
    })?;
    Ok(first)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Category::RateLimited, Some(90), "provider: 429; ask again in 90 s")]
    #[case(
        Category::RateLimited,
        None,
        "provider: 429; the provider does not say for how long: ask again in a minute"
    )]
    #[case(Category::Provider, Some(5), "provider: 429; ask again in 5 s")]
    #[case(Category::Provider, None, "provider: 429")]
    fn a_throttled_question_says_when_to_ask_again(
        #[case] category: Category,
        #[case] after: Option<u64>,
        #[case] told: &str,
    ) {
        let error = FetchError {
            retry_after: after.map(Duration::from_secs),
            ..FetchError::new(category, "429")
        };
        assert_eq!(ExplainError::from(error).to_string(), told);
    }
}
