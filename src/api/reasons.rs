//! Every reason that a condition or a Kubernetes event of Pollen can give.

use std::fmt;

/// Why a condition is as it is, in one word for programs: a constant of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reason(&'static str);

impl Reason {
    /// The word as it stands in a condition, an event and a metric's label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

// All is well, or rests as its user wants.

/// All is as it should be.
pub const SUCCEEDED: Reason = Reason("Succeeded");
/// The object was seen, and the first poll, or the first after an edit, is under way.
pub const PROGRESSING: Reason = Reason("Progressing");
/// `suspend` is true, on the object or on its instance.
pub const SUSPENDED: Reason = Reason("Suspended");
/// The instance's `events.enabled` is not true.
pub const EVENTS_DISABLED: Reason = Reason("EventsDisabled");
/// Events are posted over plain http, readable on the way.
pub const CALLBACK_UNENCRYPTED: Reason = Reason("CallbackUnencrypted");

// What the object says or names.

/// The instance that `instanceRef` names does not exist.
pub const INSTANCE_NOT_FOUND: Reason = Reason("InstanceNotFound");
/// The instance is not ready; its own condition says why.
pub const INSTANCE_NOT_READY: Reason = Reason("InstanceNotReady");
/// A field that admission could not judge is wrong: a date pattern, a placeholder, a path.
pub const INVALID_SPEC: Reason = Reason("InvalidSpec");
/// The stored object cannot be read at all: it was admitted by another version's schema.
pub const MALFORMED_OBJECT: Reason = Reason("MalformedObject");
/// A Secret that the spec names does not exist, or an entry of it is missing.
pub const SECRET_NOT_FOUND: Reason = Reason("SecretNotFound");
/// The catalog has no connector of that key.
pub const UNKNOWN_CONNECTOR: Reason = Reason("UnknownConnector");
/// The connector does not know the resource, and the poller has no `url`.
pub const UNKNOWN_RESOURCE: Reason = Reason("UnknownResource");
/// The address of the provider or the callback is refused by the operator's address guard.
pub const ADDRESS_REFUSED: Reason = Reason("AddressRefused");
/// `startFrom` was edited after the poller had started; `replay` is what re-reads.
pub const START_FROM_IGNORED: Reason = Reason("StartFromIgnored");
/// What is asked was edited: the poller reads again from where the old question was answered last.
pub const QUERY_EDITED: Reason = Reason("QueryEdited");
/// A replay is under way, or waits for the watermark.
pub const REPLAYING: Reason = Reason("Replaying");
/// Another release in the namespace owns the object.
pub const NOT_OWNED: Reason = Reason("NotOwned");

// The provider.

/// The provider refuses the credentials, or the grant has ended.
pub const AUTHENTICATION_FAILED: Reason = Reason("AuthenticationFailed");
/// The refresh token ends soon: authorize again.
pub const AUTHORIZATION_EXPIRING: Reason = Reason("AuthorizationExpiring");
/// The account lacks the right to the resource.
pub const PERMISSION_DENIED: Reason = Reason("PermissionDenied");
/// The provider fails, is out of reach, or answers nonsense.
pub const PROVIDER_UNAVAILABLE: Reason = Reason("ProviderUnavailable");
/// The provider asked to be left alone for a while.
pub const RATE_LIMITED: Reason = Reason("RateLimited");
/// The provider refuses the query that `url` makes.
pub const QUERY_REJECTED: Reason = Reason("QueryRejected");
/// The `url` filters without any placeholder: every poll asks the same.
pub const QUERY_UNBOUNDED: Reason = Reason("QueryUnbounded");
/// The records come in no order by updated date, so that each poll reads all of them.
pub const QUERY_UNORDERED: Reason = Reason("QueryUnordered");
/// Records without an id or with an unreadable date were left out.
pub const BAD_RECORDS: Reason = Reason("BadRecords");
/// The probe that tries a broken instance failed again.
pub const PROBE_FAILED: Reason = Reason("ProbeFailed");

// The callback.

/// The callback fails or is out of reach; delivery is retried.
pub const CALLBACK_UNAVAILABLE: Reason = Reason("CallbackUnavailable");
/// The callback refuses an event, and `onRejected` is Block.
pub const CALLBACK_REJECTED: Reason = Reason("CallbackRejected");
/// The callback answered 410: delivery rests until it changes or is resumed.
pub const CALLBACK_GONE: Reason = Reason("CallbackGone");
/// An event that the callback refuses was posted to the dead letter's URL.
pub const EVENT_DEAD_LETTERED: Reason = Reason("EventDeadLettered");
/// An event that the callback refuses was dropped, as `onRejected: Skip` says.
pub const EVENT_SKIPPED: Reason = Reason("EventSkipped");

// Deletions.

/// Too many records are gone at once: the deletions wait to be confirmed.
pub const DELETES_HELD: Reason = Reason("DeletesHeld");
/// Deletions cannot be found: the account lacks a right, or the query has other conditions.
pub const DELETES_UNAVAILABLE: Reason = Reason("DeletesUnavailable");

// The checkpoint and the cluster.

/// The checkpoint was written by a newer Pollen and is left alone.
pub const CHECKPOINT_TOO_NEW: Reason = Reason("CheckpointTooNew");
/// The checkpoint cannot be read; no poll runs on a guess.
pub const CHECKPOINT_DAMAGED: Reason = Reason("CheckpointDamaged");
/// More versions lie inside the overlap than a checkpoint holds: shorten `overlap`.
pub const WINDOW_TOO_LARGE: Reason = Reason("WindowTooLarge");
/// The cluster's CRDs are older than this Pollen and would cut the status: apply the newer ones.
pub const CRD_OUTDATED: Reason = Reason("CRDOutdated");
/// A fault of Pollen's own; its log says more.
pub const INTERNAL_ERROR: Reason = Reason("InternalError");

// What only Kubernetes events say, and what a poll leaves to tell.

/// What was wrong is over.
pub const RECOVERED: Reason = Reason("Recovered");
/// A sweep goes on with the next poll.
pub const SWEEP_UNFINISHED: Reason = Reason("SweepUnfinished");
/// A self-probe found something that a person should know.
pub const FINDINGS: Reason = Reason("Findings");
/// The API server refuses the status that this Pollen writes.
pub const STATUS_REFUSED: Reason = Reason("StatusRefused");
