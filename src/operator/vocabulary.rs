//! The types and reasons of the conditions that the operator sets.

/// Types of conditions.
pub(super) mod conditions {
    pub(in crate::operator) const READY: &str = "Ready";
    pub(in crate::operator) const RECONCILING: &str = "Reconciling";
    pub(in crate::operator) const STALLED: &str = "Stalled";
    pub(in crate::operator) const AUTHENTICATED: &str = "Authenticated";
    pub(in crate::operator) const CALLBACK_ACCEPTING: &str = "CallbackAccepting";
}

/// Reasons of conditions and Kubernetes events.
pub(super) mod reasons {
    pub(in crate::operator) const SUCCEEDED: &str = "Succeeded";
    pub(in crate::operator) const PROGRESSING: &str = "Progressing";
    pub(in crate::operator) const SUSPENDED: &str = "Suspended";
    pub(in crate::operator) const EVENTS_DISABLED: &str = "EventsDisabled";
    pub(in crate::operator) const INSTANCE_NOT_FOUND: &str = "InstanceNotFound";
    pub(in crate::operator) const INSTANCE_NOT_READY: &str = "InstanceNotReady";
    pub(in crate::operator) const SECRET_NOT_FOUND: &str = "SecretNotFound";
    pub(in crate::operator) const INVALID_CONFIGURATION: &str = "InvalidConfiguration";
    pub(in crate::operator) const AUTHENTICATION_FAILED: &str = "AuthenticationFailed";
    pub(in crate::operator) const PERMISSION_DENIED: &str = "PermissionDenied";
    pub(in crate::operator) const RATE_LIMITED: &str = "RateLimited";
    pub(in crate::operator) const PROVIDER_FAILED: &str = "ProviderFailed";
    pub(in crate::operator) const CALLBACK_UNAVAILABLE: &str = "CallbackUnavailable";
    pub(in crate::operator) const CALLBACK_GONE: &str = "CallbackGone";
    pub(in crate::operator) const EVENT_REJECTED: &str = "EventRejected";
    pub(in crate::operator) const SWEEP_UNFINISHED: &str = "SweepUnfinished";
    pub(in crate::operator) const BAD_RECORDS: &str = "BadRecords";
    pub(in crate::operator) const UNORDERED: &str = "Unordered";
    pub(in crate::operator) const FINDINGS: &str = "Findings";
    pub(in crate::operator) const WAITING: &str = "Waiting";
    pub(in crate::operator) const DEFERRED: &str = "Deferred";
    pub(in crate::operator) const RECOVERED: &str = "Recovered";
    pub(in crate::operator) const AUTHENTICATION_RECOVERED: &str = "AuthenticationRecovered";
    pub(in crate::operator) const CALLBACK_RECOVERED: &str = "CallbackRecovered";
    pub(in crate::operator) const CHECKPOINT_UNUSABLE: &str = "CheckpointUnusable";
    pub(in crate::operator) const CHECKPOINT_TOO_NEW: &str = "CheckpointTooNew";
    pub(in crate::operator) const CRD_OUTDATED: &str = "CRDOutdated";
    pub(in crate::operator) const STATUS_REFUSED: &str = "StatusRefused";
    pub(in crate::operator) const INTERNAL: &str = "InternalError";
    pub(in crate::operator) const OTHER_CONTROLLER: &str = "OtherController";
    pub(in crate::operator) const MALFORMED: &str = "Malformed";
}
