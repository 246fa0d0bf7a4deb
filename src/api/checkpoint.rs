//! The checkpoint: everything a poll needs to go on, as it stands in a poller's status.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HeldDeletes, StartFrom};

/// The newest format that this build writes, that of a checkpoint with segments. A checkpoint in a
/// newer one is left alone.
pub const CHECKPOINT_VERSION: i32 = 2;

/// The format of a checkpoint that is whole in itself. Every release goes on from it, but leaves
/// aside what it doesn't know yet.
pub const WHOLE_CHECKPOINT_VERSION: i32 = 1;

/// Everything a poll needs to go on. Written by Pollen alone.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checkpoint {
    /// Format of this checkpoint; a newer one is left alone.
    pub version: i32,
    /// metadata.uid of the poller it belongs to, so that a copy on another object is not believed.
    #[schemars(length(max = 128))]
    pub uid: String,
    /// Digest of what is asked, so that an edit is noticed.
    #[schemars(length(max = 128))]
    pub query_fingerprint: String,
    /// Where the poller started; records dated before are not delivered.
    pub started_at: DateTime<Utc>,
    /// The `startFrom` that this was resolved from, so that a later edit is noticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", length(max = 35))]
    pub start_from: Option<StartFrom>,
    /// Where an edit of what is asked found the watermark; absent while nothing was edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_since: Option<DateTime<Utc>>,
    /// The provider's clock when the last stored sweep began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swept_at: Option<DateTime<Utc>>,
    /// Created and updated records.
    pub records: Stream,
    /// The stream of deletions, where one is in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletes: Option<Stream>,
    /// The running or last reconciliation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile: Option<Reconcile>,
    /// The running replay and those done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<ReplayProgress>,
    /// The pollers that take a class of this one's records, and those that did and are gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_CHILDREN), extend("x-kubernetes-list-type" = "atomic"))]
    pub children: Vec<ChildProgress>,
}

/// Entries in [`Checkpoint::children`] at most.
pub const MAX_CHILDREN: usize = 64;

/// How far a poller has settled the class that it takes from this one's records.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChildProgress {
    /// metadata.uid of that poller.
    #[schemars(length(max = 128))]
    pub uid: String,
    /// The class, as records name it.
    #[schemars(length(max = 128))]
    pub class: String,
    /// Digest of what that poller asks: what it settled under another one is not counted.
    #[schemars(length(max = 128))]
    pub query_fingerprint: String,
    /// From which updated date on records of the class are left to that poller.
    pub started_at: DateTime<Utc>,
    /// Newest updated date up to which that poller has settled the class, as it is stored.
    pub watermark: DateTime<Utc>,
    /// Set once that poller is gone, so that the class is read again from its watermark: what other
    /// records are dated before this was settled already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_before: Option<DateTime<Utc>>,
    /// The same as `watermark` of the deletions that that poller reads from the provider's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletes_watermark: Option<DateTime<Utc>>,
    /// The same as `settledBefore` of the provider's list of deletions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletes_settled_before: Option<DateTime<Utc>>,
}

impl Checkpoint {
    /// The oldest format that says all of this: an older release, which knows nothing of segments,
    /// must not take what is left for the whole.
    #[must_use]
    pub fn least_version(&self) -> i32 {
        if self.segments().next().is_none() {
            WHOLE_CHECKPOINT_VERSION
        } else {
            CHECKPOINT_VERSION
        }
    }

    /// The replay that is under way.
    #[must_use]
    pub fn running_replay(&self) -> Option<&RunningReplay> {
        self.replay.as_ref()?.running.as_ref()
    }

    /// The names of all segments that belong to this checkpoint.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        let replayed = self.running_replay().map(|running| &running.records);
        let windows = [Some(&self.records), self.deletes.as_ref(), replayed]
            .into_iter()
            .flatten()
            .filter_map(|stream| stream.window.as_ref())
            .flat_map(|window| &window.segments)
            .map(|segment| segment.name.as_str());
        windows.chain(self.reconcile.iter().flat_map(Reconcile::segments))
    }
}

impl Reconcile {
    /// The names of the segments that hold its ids.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        let missing = self.missing.iter();
        let missing = missing.flat_map(|missing| [&missing.ids, &missing.done]);
        let lists = [&self.known, &self.since].into_iter().chain(missing);
        lists.flat_map(|list| list.segments.iter().map(|segment| segment.name.as_str()))
    }

    /// The deletions that wait for a person.
    #[must_use]
    pub fn held(&self) -> Option<HeldDeletes> {
        let missing = self.missing.as_ref().filter(|missing| missing.held)?;
        Some(HeldDeletes {
            id: missing.id.clone(),
            count: missing.ids.count,
        })
    }
}

/// How far one stream of changes is settled.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stream {
    /// Newest updated date up to which everything is settled.
    pub watermark: DateTime<Utc>,
    /// The watermark when the unfinished sweep began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at_start: Option<DateTime<Utc>>,
    /// A time by the provider's clock no later than when the last sweep asked for its first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swept_at: Option<DateTime<Utc>>,
    /// Since when the window is complete.
    pub window_since: DateTime<Utc>,
    /// The versions settled inside the reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Digest of `ignoreFields` while the content of records is left out of their versions,
    /// because most of them varied at every poll.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub content_ignored: Option<String>,
    /// Where the unfinished sweep stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

/// Fingerprints of settled versions, grouped by updated date.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// Key of the fingerprints: 16 bytes, base64.
    #[schemars(length(max = 64))]
    pub key: String,
    /// Number of fingerprints, those in segments too.
    pub count: i64,
    /// The fingerprints by updated date, base64: all, or those that are in no segment yet.
    #[schemars(length(max = 1_048_576))]
    pub entries: String,
    /// Where the others are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128), extend("x-kubernetes-list-type" = "atomic"))]
    pub segments: Vec<WindowSegment>,
}

/// Fingerprints that stand outside the status, and never change there.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowSegment {
    /// SHA-256 of the segment's content: the end of its PollerWindow's name.
    #[schemars(length(max = 64))]
    pub name: String,
    /// The earliest updated date in it.
    pub since: DateTime<Utc>,
    /// The latest.
    pub until: DateTime<Utc>,
    /// Number of fingerprints.
    pub count: i64,
}

/// Where an unfinished sweep stands; exactly one field is set.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Position {
    /// Inside a tie that is stepped through by key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyPosition>,
}

/// Inside the records that share one updated date, after one key.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyPosition {
    /// The shared updated date.
    pub at: DateTime<Utc>,
    /// The last key read.
    #[schemars(length(max = 4096))]
    pub after: String,
}

/// A comparison of known ids with the provider's.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reconcile {
    /// Id of the running or last run.
    #[schemars(length(max = 128))]
    pub id: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it was completed; absent while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<DateTime<Utc>>,
    /// Digest of what the last complete list showed: after an edit, what another one shows beyond
    /// the known ids is no change.
    #[schemars(length(max = 128))]
    pub list_fingerprint: String,
    /// Digest of where they were listed: ids from elsewhere are not compared.
    #[schemars(length(max = 128))]
    pub place: String,
    /// There are more ids than are kept: none is.
    pub too_many: bool,
    /// The ids known when the last run was completed.
    pub known: IdList,
    /// Those settled since.
    pub since: IdList,
    /// Those that are gone, and whose deletions are not all delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<MissingIds>,
}

/// Ids, here while they are few, else in segments.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IdList {
    /// Number of ids, those in segments too.
    pub count: i64,
    /// Ids in order, front-coded, base64: all, or those that are in no segment yet.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 1_048_576))]
    pub entries: String,
    /// Where the others are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1024), extend("x-kubernetes-list-type" = "atomic"))]
    pub segments: Vec<IdSegment>,
}

/// Ids that stand outside the status, and never change there.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IdSegment {
    /// SHA-256 of the segment's content: the end of its PollerWindow's name.
    #[schemars(length(max = 64))]
    pub name: String,
    /// Number of ids.
    pub count: i64,
}

/// Ids that a run missed.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MissingIds {
    /// Id of the run: what confirms the deletions while they are held.
    #[schemars(length(max = 128))]
    pub id: String,
    /// The date of the deletions: when that run began.
    pub deleted_at: DateTime<Utc>,
    /// They are too many to be believed before a person confirms them.
    pub held: bool,
    /// The ids.
    pub ids: IdList,
    /// Of these, from the first on, how many are settled.
    pub settled: i64,
    /// Further ones that are settled, out of their order.
    pub done: IdList,
}

/// The replays done, and how far a running one is.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplayProgress {
    /// The last ids done, newest last, so that a reverted edit runs none twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(max = 63)), extend("x-kubernetes-list-type" = "atomic"))]
    pub done: Vec<String>,
    /// The running one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<RunningReplay>,
}

/// [`ReplayProgress::done`] holds so many ids.
pub const REPLAYS_REMEMBERED: usize = 16;

/// How far a running replay is.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunningReplay {
    /// Its id.
    #[schemars(length(max = 63))]
    pub id: String,
    /// The first updated date that it reads.
    pub from: DateTime<Utc>,
    /// The last one: `to`, or the watermark when it began where that was earlier.
    pub until: DateTime<Utc>,
    /// What of it is settled; its window holds the versions of the watermark's unit.
    pub records: Stream,
}
