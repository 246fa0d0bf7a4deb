//! The annotations by which a person asks for something once: a new value acts, an old one doesn't.

/// Asks for a poll now.
pub const POLL_REQUESTED_AT: &str = "pollen.dev/poll-requested-at";
/// Resumes delivery after a 410.
pub const RESUME_DELIVERY: &str = "pollen.dev/resume-delivery";
/// Releases the deletions that are held under the id that is its value.
pub const CONFIRM_DELETES: &str = "pollen.dev/confirm-deletes";
