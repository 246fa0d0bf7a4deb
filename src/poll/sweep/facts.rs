//! What a page tells about the sweep.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};

/// What one page showed.
#[derive(Clone, Debug, Default)]
pub(in crate::poll) struct PageFacts {
    /// Rows in the page, bad ones included.
    pub(in crate::poll) rows: usize,
    /// Dates of the first and last readable row.
    pub(in crate::poll) first: Option<DateTime<Utc>>,
    pub(in crate::poll) last: Option<DateTime<Utc>>,
    /// The latest date of all.
    pub(in crate::poll) newest: Option<DateTime<Utc>>,
    /// The key of the last row: its id, as a rule.
    pub(in crate::poll) last_key: Option<String>,
    /// Records of one date did not come in the order of their ids, so that behind the last id
    /// there may be others.
    pub(in crate::poll) keys_disordered: bool,
    /// Rows that the question selects before access rules, where the provider says.
    pub(in crate::poll) total: Option<u64>,
    /// Rows that were asked for at most.
    pub(in crate::poll) limit: u32,
    pub(in crate::poll) next: Option<String>,
    /// Versions unseen until now, dated at or before the provider's clock at the sweep's start.
    pub(in crate::poll) unseen: usize,
    /// The watermark would move if the sweep had read everything by now.
    pub(in crate::poll) advances: bool,
    /// The dated rows of a page that is read by offset, or is in no dependable order.
    pub(in crate::poll) shown: Vec<Shown>,
    /// Why the page contradicts the order or the filter that was asked for.
    pub(in crate::poll) disorder: Option<String>,
}

/// One row by two fingerprints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::poll) struct Shown {
    pub(in crate::poll) record: u64,
    pub(in crate::poll) version: u64,
}

/// An empty or short page is not the end: access rules thin a page after its limit was applied.
/// The total tells, and a next link where the provider gives less than was asked for; without a
/// total only an empty page does.
pub(in crate::poll) fn more(facts: &PageFacts, offset: u64) -> bool {
    let linked = facts.next.is_some();
    match facts.total {
        Some(total) if linked => total > offset + facts.rows as u64,
        Some(total) => total > offset + u64::from(facts.limit),
        None => linked || facts.rows > 0,
    }
}

/// The order of ids: numbers by their value, the rest as text.
pub(in crate::poll) fn key_order(left: &str, right: &str) -> Ordering {
    let is_number = |key: &str| key.bytes().all(|byte| byte.is_ascii_digit());
    if is_number(left) && is_number(right) {
        return left.len().cmp(&right.len()).then_with(|| left.cmp(right));
    }
    left.cmp(right)
}
