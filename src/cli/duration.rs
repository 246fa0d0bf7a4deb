//! Durations as arguments, written as in manifests.

use std::time::Duration;

/// Reads a length of time such as `20s`, `1m30s` or `0s`.
///
/// # Errors
///
/// The text is none; the message says what to write.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    todo!("{text}")
}
