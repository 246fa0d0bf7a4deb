//! Every reason that a condition or a Kubernetes event of Pollen can give, what it means, and what a
//! person does about it: the table in `docs/conditions.md`, which is made of them.

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

/// A reason in words for a person.
#[derive(Clone, Copy, Debug)]
pub struct Explained {
    pub reason: Reason,
    /// What it means.
    pub meaning: &'static str,
    /// What to do; empty where nothing is to be done.
    pub next: &'static str,
}

/// Constants whose description is what their reason means, and a list of them all.
macro_rules! reasons {
    ($($(#[doc = $meaning:literal])+ $name:ident = $word:literal, $next:literal;)+) => {
        $($(#[doc = $meaning])+ pub const $name: Reason = Reason($word);)+

        /// All reasons.
        pub const ALL: &[Explained] = &[$(Explained {
            reason: $name,
            meaning: concat!($($meaning),+),
            next: $next,
        }),+];
    };
}

reasons! {
    // All is well, or rests as its user wants.

    /// All is as it should be.
    SUCCEEDED = "Succeeded", "";
    /// The object was seen, and the first poll, or the first after an edit, is under way.
    PROGRESSING = "Progressing", "wait";
    /// `suspend` is true, on the object or on its instance.
    SUSPENDED = "Suspended", "remove `spec.suspend` to go on from where it was";
    /// The instance's `events.enabled` is not true.
    EVENTS_DISABLED = "EventsDisabled", "set `spec.events.enabled: true` on the instance";
    /// Events, or their dead letters, are posted over plain http, readable on the way.
    CALLBACK_UNENCRYPTED = "CallbackUnencrypted", "write https in the field that the message names";
    /// The key that signs for `OpenConnectors` is short, or has blanks around it, which count.
    SIGNING_KEY_DOUBTFUL = "SigningKeyDoubtful", "write the key without blanks, or a longer one, and give the receiver the same";

    // What the object says or names.

    /// The instance that `instanceRef` names does not exist.
    INSTANCE_NOT_FOUND = "InstanceNotFound", "create it in the poller's namespace";
    /// The instance is not ready, or waits; its own conditions say why.
    INSTANCE_NOT_READY = "InstanceNotReady", "`kubectl describe cinst NAME`";
    /// A field that admission could not judge is wrong: a date pattern, a placeholder, a path, a query that the provider refuses.
    INVALID_SPEC = "InvalidSpec", "mend the field that the message names; `pollen check` tries it before it is applied";
    /// The stored object cannot be read at all: it was admitted by another version's schema.
    MALFORMED_OBJECT = "MalformedObject", "apply the object anew";
    /// A Secret that the spec names does not exist in the namespace, or an entry of it is missing.
    SECRET_NOT_FOUND = "SecretNotFound", "create it there, or add the entry; it is taken within seconds";
    /// The catalog has no connector of that key.
    UNKNOWN_CONNECTOR = "UnknownConnector", "make a new instance with one that `pollen connectors` lists";
    /// The address of the provider or the callback is refused by the operator's address guard.
    ADDRESS_REFUSED = "AddressRefused", "name a public address, or have the cluster's admin add it to `allowAddresses` ([network.md](network.md))";
    /// `startFrom` was edited after the poller had started.
    START_FROM_IGNORED = "StartFromIgnored", "write it as it was; `spec.replay` reads older records ([replay.md](replay.md))";
    /// What is asked was edited: the poller reads again from where the old question was answered last.
    QUERY_EDITED = "QueryEdited", "nothing, or `spec.replay` for older records that the edit lets in";
    /// A replay is under way, waits for the watermark, or stands still.
    REPLAYING = "Replaying", "wait; where it stands still, the message says why ([replay.md](replay.md))";
    /// Another release in the namespace owns the object.
    NOT_OWNED = "NotOwned", "uninstall one of the two, or give them different `watchNamespaces`";

    // The provider.

    /// The provider refuses the credentials, or the grant has ended.
    AUTHENTICATION_FAILED = "AuthenticationFailed", "`pollen authorize NAMESPACE/INSTANCE`, or mend the Secret ([authentication.md](authentication.md))";
    /// The refresh token ends soon.
    AUTHORIZATION_EXPIRING = "AuthorizationExpiring", "`pollen authorize NAMESPACE/INSTANCE` before the end that the message names";
    /// The account lacks the right to the resource.
    PERMISSION_DENIED = "PermissionDenied", "give the account the right to read it; the next poll finds out";
    /// The provider fails, is out of reach, or answers nonsense; it is tried again.
    PROVIDER_UNAVAILABLE = "ProviderUnavailable", "where it lasts: check `spec.baseUrl` and `spec.configuration`, and the provider";
    /// The provider asked to be left alone for a while.
    RATE_LIMITED = "RateLimited", "nothing; where it comes often, lengthen `refreshInterval`";
    /// The records come in no order by updated date, so that each poll reads all of them.
    QUERY_UNORDERED = "QueryUnordered", "leave the order out of `spec.url`, or write it by the updated date";
    /// Records without an id or with an unreadable date were left out.
    BAD_RECORDS = "BadRecords", "look at `spec.idField` and `spec.datesConfiguration`; the message has examples";

    // The callback.

    /// The callback fails or is out of reach; delivery is tried again.
    CALLBACK_UNAVAILABLE = "CallbackUnavailable", "where it lasts: check `spec.events.callback.url`, and the receiver ([delivery.md](delivery.md))";
    /// The callback refuses an event, and a poller waits there.
    CALLBACK_REJECTED = "CallbackRejected", "do what the message says: mend the address, the credentials or the receiver; where a single event is refused, `spec.events.callback.onRejected` can set it aside; the event is tried again with each poll";
    /// The callback answered 410, or that it wants nothing more: delivery rests.
    CALLBACK_GONE = "CallbackGone", "change `spec.events.callback`, or annotate the instance with `pollen.dev/resume-delivery`";
    /// An event that the callback refuses was posted to the dead letters' URL.
    EVENT_DEAD_LETTERED = "EventDeadLettered", "look at the letter; `spec.replay` sends the event again";
    /// An event that the callback refuses was dropped, as `onRejected: Skip` says.
    EVENT_SKIPPED = "EventSkipped", "where it matters, mend the receiver and set `spec.replay`";

    // Deletions.

    /// Too many records are gone at once: their deletions wait to be confirmed.
    DELETES_HELD = "DeletesHeld", "confirm them as the message says, or give the account its right back ([reconcile.md](reconcile.md))";
    /// Deletions cannot be found: the account lacks a right, or the query has other conditions.
    DELETES_UNAVAILABLE = "DeletesUnavailable", "do what the message says, or set `spec.deletes.mode: Ignore` ([deletes.md](deletes.md))";

    // The checkpoint and the cluster.

    /// The checkpoint was written by a newer Pollen and is left alone.
    CHECKPOINT_TOO_NEW = "CheckpointTooNew", "install that release again";
    /// The checkpoint cannot be read; no poll runs on a guess.
    CHECKPOINT_DAMAGED = "CheckpointDamaged", "restore it from a backup, or make a new poller with `startFrom` ([windows.md](windows.md))";
    /// More versions lie inside the overlap than a checkpoint holds.
    WINDOW_TOO_LARGE = "WindowTooLarge", "shorten `spec.overlap`";
    /// The cluster's CRDs are older than this Pollen and would cut the status.
    CRD_OUTDATED = "CRDOutdated", "`pollen crds | kubectl apply -f -` with this release";
    /// A fault of Pollen's own, or of what it runs on.
    INTERNAL_ERROR = "InternalError", "look into the operator's log";

    // What only Kubernetes events say, and what a poll leaves to tell.

    /// What was wrong is over.
    RECOVERED = "Recovered", "";
    /// A poll left pages unread and the next one goes on; False where that lasts.
    SWEEP_UNFINISHED = "SweepUnfinished", "do what the message says; where it asks for nothing, wait";
    /// The poller's probes found something that a person should know.
    FINDINGS = "Findings", "read the message";
    /// The API server refuses the status that this Pollen writes.
    STATUS_REFUSED = "StatusRefused", "do what the server says, which is in the message";
}
