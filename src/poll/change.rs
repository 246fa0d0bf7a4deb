//! Telling changes from what was settled before: pure, one record at a time.

use std::borrow::Cow;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::{
    Plan, Track, carried::Carried, children::Claim, fingerprint::Fingerprints, state::State,
    sweep::Shown,
};
use crate::{
    api::CreatedCheck,
    event::Kind,
    provider::{DateRead, Row},
};

/// A record in a version not delivered before.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    /// The list that showed it.
    pub(super) track: Track,
    pub(super) carried: Carried,
    pub(super) id: String,
    pub(super) updated: DateTime<Utc>,
    pub(super) kind: Kind,
    /// What tells this version from others: the updated date and the version text.
    pub(super) version: String,
    pub(super) fingerprint: u64,
    /// When the record was deleted, where that was delivered and it is back now.
    pub(super) restores: Option<DateTime<Utc>>,
    /// The record was settled under this date before, with other content.
    pub(super) content_only: bool,
}

impl Change {
    /// The deletion of the record `id`, told by what the provider calls `key`: the row of a list of
    /// deletions, or the run that missed the record. `tombstone` is what stands for the record.
    pub(super) fn deletion(
        fingerprints: &Fingerprints,
        id: &str,
        deleted: DateTime<Utc>,
        key: &str,
        tombstone: Bytes,
    ) -> Self {
        Self {
            track: Track::Deletions,
            carried: Carried::Tombstone(tombstone),
            id: id.to_owned(),
            updated: deleted,
            kind: Kind::Deleted,
            // No version of a record begins so.
            version: format!("deleted/{}/{key}", deleted.timestamp_micros()),
            fingerprint: fingerprints.version(id, deleted, key),
            restores: None,
            content_only: false,
        }
    }
}

/// What a record is to this poll.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    Change(Change),
    /// Settled before, with its fingerprint.
    Unchanged(u64),
    /// Another poller's, or excluded by its class.
    Excluded,
    /// Dated before the start, before the bound, or after the provider's clock.
    OutOfRange,
    /// It cannot be an event: what is wrong with it, in words too.
    Bad(Flaw, String),
}

/// Why a record cannot be an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    NoId,
    /// Neither an updated nor a created date.
    NoDate,
    UnreadableDate,
    NotUtf8,
    /// The row of a deletion that says not of what.
    NoClass,
}

/// What a record is compared with.
pub(super) struct Comparison<'a> {
    pub(super) plan: &'a Plan,
    pub(super) state: &'a State,
    /// The list that the rows are of.
    pub(super) track: Track,
    /// The bound as it was rendered into the request.
    pub(super) bound: DateTime<Utc>,
    /// The provider's clock when the sweep began.
    pub(super) clock: DateTime<Utc>,
    /// The record is asked for itself, whatever its date.
    pub(super) any_date: bool,
}

impl Comparison<'_> {
    /// The date that orders a record: its updated date, or the created one where that is empty.
    pub(super) fn date(row: &Row<'_>) -> Option<DateTime<Utc>> {
        match (&row.updated, &row.created) {
            (DateRead::At(updated), _) => Some(*updated),
            (DateRead::Absent, DateRead::At(created)) => Some(*created),
            _ => None,
        }
    }

    /// What `row` is to this poll.
    pub(super) fn judge(&self, row: &Row<'_>) -> Verdict {
        let Some(id) = row.id.as_deref() else {
            let text = format!("record {} of the page has no id", row.index);
            return Verdict::Bad(Flaw::NoId, text);
        };
        let Some(updated) = Self::date(row) else {
            return undated(id, row);
        };
        if self.is_out_of_range(updated) {
            return Verdict::OutOfRange;
        }
        if self.track == Track::Deletions {
            return self.judge_deletion(id, updated, row);
        }
        if let Some(verdict) = self.of_class(row.class.as_deref(), updated) {
            return verdict;
        }
        if !row.is_utf8 {
            return not_utf8(id);
        }
        let version = self.version(row);
        let fingerprint = self
            .state
            .records
            .fingerprints
            .version(id, updated, version);
        let restores = self.restores(id, row);
        if restores.is_none() && self.state.records.window.contains(fingerprint) {
            return Verdict::Unchanged(fingerprint);
        }
        // Only now: a version that is settled stays so when the provider's clock is set back.
        if self.plan.drop_after_clock && updated > self.clock {
            return Verdict::OutOfRange;
        }
        Verdict::Change(Change {
            track: Track::Records,
            carried: Carried::Row(row.index),
            id: id.to_owned(),
            updated,
            kind: self.kind(id, updated, row, restores),
            version: version_text(updated, version, restores),
            fingerprint,
            restores,
            content_only: restores.is_none() && self.is_settled_with_other_content(id, updated),
        })
    }

    /// What the row of a deletion is to this poll. It carries nothing but the record's id: whether
    /// that exists again, the provider is asked before it is delivered.
    fn judge_deletion(&self, id: &str, deleted: DateTime<Utc>, row: &Row<'_>) -> Verdict {
        if let Some(verdict) = self.of_deleted_class(id, deleted, row) {
            return verdict;
        }
        let known = self.state.of(Track::Deletions);
        let key = row.version.as_deref().unwrap_or_default();
        let change = Change::deletion(&known.fingerprints, id, deleted, key, Bytes::new());
        if known.window.contains(change.fingerprint) {
            return Verdict::Unchanged(change.fingerprint);
        }
        if self.plan.drop_after_clock && deleted > self.clock {
            return Verdict::OutOfRange;
        }
        Verdict::Change(change)
    }

    /// What the row of a deletion is already by its class: a record of a child's class is the
    /// child's to delete.
    fn of_deleted_class(&self, id: &str, deleted: DateTime<Utc>, row: &Row<'_>) -> Option<Verdict> {
        let classes = &self.plan.deletions.as_ref()?.classes;
        let class = row.class.as_deref();
        match class {
            _ if classes.is_empty() => None,
            None => Some(unclassed(id)),
            Some(class) if !classes.contains(class) => Some(Verdict::Excluded),
            Some(_) => self.of_class(class, deleted),
        }
    }

    /// The class of a record of this poller whose deletion the provider's list will not tell, as it
    /// isn't asked for that class.
    pub(super) fn unlisted_class(&self, row: &Row<'_>, verdict: &Verdict) -> Option<String> {
        let classes = &self.plan.deletions.as_ref()?.classes;
        let is_own = matches!(verdict, Verdict::Change(_) | Verdict::Unchanged(_));
        let is_own = is_own && self.track == Track::Records && !classes.is_empty();
        let class = row.class.as_deref().filter(|_| is_own)?;
        (!classes.contains(class)).then(|| class.to_owned())
    }

    /// When the record was deleted that `row` shows to be back.
    fn restores(&self, id: &str, row: &Row<'_>) -> Option<DateTime<Utc>> {
        let deleted = (!row.is_deleted).then(|| self.state.deleted_at(id));
        deleted.flatten()
    }

    /// What a record is already by its class.
    fn of_class(&self, class: Option<&str>, updated: DateTime<Utc>) -> Option<Verdict> {
        if class.is_some_and(|class| self.plan.excluded_classes.contains(class)) {
            return Some(Verdict::Excluded);
        }
        match self.state.children.claim(self.track, class, updated) {
            Claim::Own => None,
            Claim::Childs => Some(Verdict::Excluded),
            Claim::Settled => Some(Verdict::OutOfRange),
        }
    }

    /// The version of a record that can be an event.
    pub(super) fn version_of(&self, row: &Row<'_>) -> Option<String> {
        let id = row.id.as_deref().filter(|_| row.is_utf8)?;
        let restores = self.restores(id, row);
        Some(version_text(Self::date(row)?, self.version(row), restores))
    }

    /// Which version of which record a row shows. Those of a list of deletions tell of a record anew
    /// in each row, and never change.
    pub(super) fn shown(&self, row: &Row<'_>) -> Option<Shown> {
        let (id, date) = (row.id.as_deref()?, Self::date(row)?);
        let fingerprints = &self.state.of(self.track).fingerprints;
        if self.track == Track::Deletions {
            let key = row.version.as_deref().unwrap_or_default();
            let row = fingerprints.version(id, date, key);
            return Some(Shown {
                record: row,
                version: row,
            });
        }
        Some(Shown {
            record: fingerprints.record(id),
            version: fingerprints.version(id, date, self.version(row)),
        })
    }

    /// What tells apart two states of a record under one date.
    fn version<'r>(&self, row: &'r Row<'_>) -> &'r str {
        if self.state.content_ignored {
            return "";
        }
        row.version.as_deref().unwrap_or_default()
    }

    fn is_settled_with_other_content(&self, id: &str, updated: DateTime<Utc>) -> bool {
        self.plan.content.is_some()
            && self
                .state
                .records
                .window
                .contains(self.state.records.fingerprints.version(id, updated, ""))
    }

    /// The record is dated before the poller began.
    pub(super) fn is_before_start(&self, updated: DateTime<Utc>) -> bool {
        updated < self.state.started_at()
    }

    fn is_out_of_range(&self, updated: DateTime<Utc>) -> bool {
        let is_early = self.is_before_start(updated)
            || (self.plan.drops_before_bound(self.track) && updated < self.bound);
        is_early && !self.any_date
    }

    /// Deleted where it says so itself. Created when it is back from a deletion, by its dates, or when
    /// it was created after everything settled before this sweep; but an id already delivered as
    /// created is updated. Open Connectors looks at the dates alone.
    fn kind(
        &self,
        id: &str,
        updated: DateTime<Utc>,
        row: &Row<'_>,
        restores: Option<DateTime<Utc>>,
    ) -> Kind {
        if row.is_deleted {
            return Kind::Deleted;
        }
        if restores.is_some() {
            return Kind::Created;
        }
        let DateRead::At(created) = row.created else {
            return Kind::Updated;
        };
        let by_dates = (updated - created).abs() <= self.plan.created_tolerance;
        let is_created = match self.plan.created_check {
            CreatedCheck::OpenConnectors => by_dates,
            CreatedCheck::Watermark => {
                (by_dates || created > self.state.records.settled_at_start) && !self.was_created(id)
            }
        };
        if is_created {
            Kind::Created
        } else {
            Kind::Updated
        }
    }

    pub(super) fn was_created(&self, id: &str) -> bool {
        let mark = self.state.records.fingerprints.created_mark(id);
        self.state.records.window.contains(mark)
    }
}

/// What tells one version of a record from all others, also where a restored record has the date and
/// the version that it had before.
fn version_text(updated: DateTime<Utc>, version: &str, restores: Option<DateTime<Utc>>) -> String {
    let updated = updated.timestamp_micros();
    match restores {
        None => format!("{updated}/{version}"),
        Some(deleted) => format!("{updated}/{version}/{}", deleted.timestamp_micros()),
    }
}

fn undated(id: &str, row: &Row<'_>) -> Verdict {
    let (flaw, what) = match (&row.updated, &row.created) {
        (DateRead::Unreadable(text), _) | (_, DateRead::Unreadable(text)) => (
            Flaw::UnreadableDate,
            format!(
                "its date {:?} cannot be read with the configured format",
                shortened(text)
            ),
        ),
        _ => (
            Flaw::NoDate,
            "it has neither an updated nor a created date".to_owned(),
        ),
    };
    Verdict::Bad(flaw, format!("record {:?}: {what}", shortened(id)))
}

fn unclassed(id: &str) -> Verdict {
    let text = format!(
        "deletion of record {:?}: its class cannot be read, so that it may be any resource's; give \
         the account access to the field that states it",
        shortened(id)
    );
    Verdict::Bad(Flaw::NoClass, text)
}

fn not_utf8(id: &str) -> Verdict {
    let text = format!(
        "record {:?}: it holds bytes that are no UTF-8; write its texts anew at the provider, which was given them \
         in another encoding",
        shortened(id)
    );
    Verdict::Bad(Flaw::NotUtf8, text)
}

/// Enough of a stranger's text to find it by.
fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(64) {
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(text),
    }
}
