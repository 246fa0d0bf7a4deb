//! By what a poller finds deletions: exactly one of the connector's flag, its list of deletions, and
//! reconciliation.

use chrono::TimeDelta;

use crate::{
    api::{DeletesMode, PollerResourceSpec, StartFrom},
    category::ConfigurationError,
    poll::Deletions,
    provider::{PageSource as _, ResourceSource},
};

/// What a poller finds deletions by.
pub(super) struct Deletes {
    pub(super) source: ResourceSource,
    /// Why it finds none though it should, in words for a condition.
    pub(super) unavailable: Option<String>,
    /// What a person who asked for deletions should know.
    pub(super) finding: Option<String>,
}

/// Adds the connector's list of deletions to `source` where the poller is to go by it.
///
/// # Errors
///
/// The connector's list can't be asked for.
pub(super) fn deletes(
    source: ResourceSource,
    spec: &PollerResourceSpec,
) -> Result<Deletes, ConfigurationError> {
    let mode = spec.deletes.as_ref().and_then(|deletes| deletes.mode);
    if mode.unwrap_or_default() != DeletesMode::Auto || !source.streams_deletions() {
        return Ok(Deletes::without(source, None));
    }
    if source.table().is_none() {
        return Ok(Deletes::without(source, Some(NO_TABLE)));
    }
    if !source.unfiltered() {
        return Ok(Deletes::without(source, Some(FILTERED)));
    }
    if !source.ids_are_the_connectors() {
        return Ok(Deletes::without(source, Some(OTHER_IDS)));
    }
    let source = source.with_deletions(spec)?;
    let finding = source.unaudited().filter(|_| spec.deletes.is_some());
    Ok(Deletes {
        source,
        unavailable: None,
        finding: finding.map(|finding| format!("spec.deletes: {finding}")),
    })
}

const NO_TABLE: &str = "the table behind spec.url is not known, so that its deletions cannot be told from those of others: \
     write a path that names the table, or spec.deletes.mode Reconcile or Ignore";
const FILTERED: &str = "spec.url has conditions beside the date, and the provider's list of deletions does not say which \
     deleted records met them: write spec.deletes.mode Reconcile or Ignore, or leave the conditions out";
const OTHER_IDS: &str = "spec.idField names another field than the one by which the provider's list of deletions names \
     records: leave spec.idField out, or write spec.deletes.mode Reconcile or Ignore";

/// Why deletions of records of `class` are not found, though others are.
pub(super) fn unlisted(class: &str) -> String {
    format!(
        "records of class {class:?} are read, which the connector doesn't know as one that extends the polled table: of \
         this class the provider's list of deletions is not asked; write spec.deletes.mode Reconcile, or Ignore"
    )
}

impl Deletes {
    fn without(source: ResourceSource, unavailable: Option<&str>) -> Self {
        Self {
            source,
            unavailable: unavailable.map(str::to_owned),
            finding: None,
        }
    }
}

/// How the polls of `source` go by its list of deletions, where it has one.
pub(super) fn plan(
    source: &ResourceSource,
    spec: &PollerResourceSpec,
    reach: TimeDelta,
) -> Option<Deletions> {
    let list = source.deletions()?;
    let unit = list.unit().duration();
    Some(Deletions {
        classes: if list.shape().has_class() {
            source.family()
        } else {
            Default::default()
        },
        // Of records that were deleted before anyone asked for them nobody knows.
        from_start: spec.start_from != Some(StartFrom::Beginning),
        unit,
        reach: reach.max(unit),
    })
}
