//! The engine: one poll, from checkpoint to checkpoint.
//!
//! [`poll`] sweeps the pages that may hold changes since the bound, compares each record with the
//! window of versions already settled, delivers the changes in order of their updated date, and
//! moves the checkpoint over what was acknowledged. The middle is pure: [`Plan`], the window, the
//! order of requests and the comparison take values and return values; pages, notifications,
//! storage and the time of day come in as arguments.

mod carried;
mod change;
mod children;
mod delivering;
mod explain;
mod fingerprint;
mod held;
mod ids;
mod intact;
mod plan;
mod reconcile;
mod refusal;
mod replay;
mod returned;
mod run;
mod scan;
mod segment;
mod set_aside;
mod start;
mod state;
mod stream;
mod sweep;
#[cfg(test)]
mod tests;
mod trail;
mod unusable;
mod varint;
mod window;

use std::future::Future;

use bytes::Bytes;
use chrono::{DateTime, Utc};

pub use explain::{Explainer, Explanation, Fate};
pub use held::Held;
pub use plan::{Child, Deletions, Plan, Reached, Reconciliation, Start};
pub use replay::{Replay, is_replaying, replay};
pub use run::{Edges, poll};
pub use segment::{SEGMENT_SIZE, Segment, SegmentName};
pub use set_aside::{How, SetAside, told_of_block};
pub use start::start;
pub use trail::Trail;

use crate::{
    api::{Checkpoint, HeldDeletes},
    callback::{Rejection, Unavailable},
    event::Kind,
    provider::FetchError,
};

/// One of the two lists that a poller goes through, each with a watermark of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Track {
    Records,
    /// The provider's list of deletions.
    Deletions,
}

impl Track {
    const ALL: [Self; 2] = [Self::Records, Self::Deletions];
}

/// Where a poller's checkpoint is stored: the engine's edge towards what survives a restart.
///
/// An implementation is fenced: it writes over the version it last read or wrote and no other.
pub trait CheckpointStore: Send {
    /// Fingerprints that one checkpoint may hold.
    fn window_capacity(&self) -> usize;

    /// Ids that it may hold to be compared with the provider's.
    fn known_capacity(&self) -> usize;

    /// The checkpoint as it is stored now, read from where the truth is; `None` for a new poller.
    fn load(&mut self) -> impl Future<Output = Result<Option<Checkpoint>, StoreError>> + Send;

    /// The content of a segment; `None` where it is missing.
    fn load_segment(
        &mut self,
        name: &SegmentName,
    ) -> impl Future<Output = Result<Option<Bytes>, StoreError>> + Send;

    /// Stores `checkpoint` durably, together with what the poll has done so far.
    ///
    /// The `segments` are those that it names and the last one saved did not: they are stored first.
    /// Then the checkpoint is, which is the fence; and only behind it segments of this poller that
    /// it doesn't name are removed, also those that a crash left.
    fn save(
        &mut self,
        checkpoint: &Checkpoint,
        segments: &[Segment],
        progress: &Progress,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// What a poll did so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Records read: each page's rows counted, re-read ones too.
    pub read: u64,
    /// Of these, versions that were settled before.
    pub unchanged: u64,
    /// Of these, left to another poller or excluded by their class.
    pub excluded: u64,
    /// Of these, dated before the start or bound, or after the provider's clock, as configured.
    pub out_of_range: u64,
    /// Of these, versions that were not settled before.
    pub changed: u64,
    /// Of these, records that cannot be events, by what is wrong with them.
    pub flaws: Flaws,
    /// Events acknowledged, by kind.
    pub created: u64,
    pub updated: u64,
    pub deleted: u64,
    /// Events that the callback refused and that are settled all the same, by how.
    pub dead_lettered: u64,
    pub skipped: u64,
    /// The first few of these.
    pub set_aside: Vec<SetAside>,
    /// When the last event was acknowledged.
    pub last_event: Option<DateTime<Utc>>,
    /// Requests for pages.
    pub requests: u64,
    /// Bad records, each counted once in a sweep, the first few named.
    pub bad_records: u64,
    pub bad_samples: Vec<String>,
    /// Why paging fell back to an unordered sweep, in words for a condition.
    pub unordered: Option<String>,
    /// Why deletions could not be asked for, in words for a condition.
    pub deletes_unavailable: Option<String>,
    /// A class of the records read whose deletions the provider's list is not asked for.
    pub unlisted_class: Option<String>,
    /// What else a person should know of this poll, in words for a condition.
    pub notes: Vec<String>,
    /// The same of what the spec asks for.
    pub remarks: Vec<Remark>,
}

/// Rows that cannot be events, by what is wrong with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flaws {
    pub no_id: u64,
    pub no_date: u64,
    pub unreadable_date: u64,
    pub not_utf8: u64,
    pub no_class: u64,
}

impl Flaws {
    const fn add(&mut self, other: &Self) {
        self.no_id += other.no_id;
        self.no_date += other.no_date;
        self.unreadable_date += other.unreadable_date;
        self.not_utf8 += other.not_utf8;
        self.no_class += other.no_class;
    }

    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.no_id + self.no_date + self.unreadable_date + self.not_utf8 + self.no_class
    }
}

impl Progress {
    /// Counts one acknowledged event.
    const fn count(&mut self, kind: Kind) {
        let events = match kind {
            Kind::Created => &mut self.created,
            Kind::Updated => &mut self.updated,
            Kind::Deleted => &mut self.deleted,
        };
        *events += 1;
    }

    /// Events acknowledged.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.created + self.updated + self.deleted
    }
}

/// What became of something that the spec asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    pub topic: Topic,
    /// In words for a condition.
    pub text: String,
}

/// What a remark is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// What is asked was edited.
    Query,
    /// `startFrom` was edited behind the start.
    StartFrom,
    /// A replay is under way, or waits.
    Replay,
}

/// What is said before [`Progress::deletes_unavailable`].
pub const DELETES_UNAVAILABLE: &str = "deletions are not found";

/// A checkpoint that could not be stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another writer has the poller now: this poll stops, and the next starts from what is stored.
    #[error("the claim on this poller is lost: {0}")]
    ClaimLost(String),
    /// The store refused the write for good until it is mended (an outdated CRD, say).
    #[error("{0}")]
    Refused(String),
    /// The store could not be reached.
    #[error("{0}")]
    Unavailable(String),
}

/// How a poll ended, and what it leaves behind.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The checkpoint to go on from in this process, as far as it is settled. `None` where what is
    /// stored must be read again.
    pub checkpoint: Option<Held>,
    pub progress: Progress,
    pub end: End,
    /// What self-probes and the configuration gave reason to tell, in words for a condition.
    pub findings: Vec<String>,
    /// What it went by; `None` where it ended before its first request.
    pub trail: Option<Box<Trail>>,
}

impl Outcome {
    /// The deletions that wait for a person, as far as this process knows.
    #[must_use]
    pub fn held_deletes(&self) -> Option<HeldDeletes> {
        let checkpoint = &self.checkpoint.as_ref()?.checkpoint;
        checkpoint.reconcile.as_ref()?.held()
    }

    /// The outcome of a poll that ended before it read anything.
    #[must_use]
    pub fn of(end: End) -> Self {
        Self {
            checkpoint: None,
            progress: Progress::default(),
            end,
            findings: Vec::new(),
            trail: None,
        }
    }
}

/// How a poll ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// All pages were read and all changes settled.
    Complete,
    /// Pages remain, for the reason given; the next poll goes on.
    Unfinished(String),
    /// The poll was asked to stop; what was acknowledged is stored.
    Stopped,
    /// The provider failed.
    ProviderFailed(FetchError),
    /// The callback refused an event for good; the poller waits there.
    Blocked {
        object_id: String,
        rejection: Rejection,
        /// Why its dead letter was not taken either, where there is to be one.
        dead_letter: Option<Unavailable>,
    },
    /// The callback cannot take notifications now.
    CallbackUnavailable(Unavailable),
    /// The callback wants nothing more: it answered 410, or so by a header.
    CallbackGone,
    /// The checkpoint could not be stored.
    StoreFailed(StoreError),
    /// The stored checkpoint cannot be used: what is wrong and what to do.
    Unusable(String),
    /// More versions must be kept apart than a checkpoint holds; nothing was given up.
    WindowTooLarge(String),
}
