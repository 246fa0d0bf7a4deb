//! What must hold in every history, and exactly what each invariant promises.
//!
//! What lies outside the promise is told in `docs/histories.md`, and demanded in no history.

mod deletions;
mod events;
mod kin;
mod polls;
mod replays;
mod writes;

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Invariant {
    /// I1: what was visible within the overlap of its date is acknowledged at least once.
    AtLeastOnce,
    /// I2: acknowledged once by a process that knows of it, always under one event id.
    Once,
    /// I3: an idle poll sends and writes nothing.
    Idle,
    /// I4: no restart and no edit loses how far a poller had come.
    Kept,
    /// I5: nothing unsettled moves a checkpoint, and no watermark passes the provider's clock.
    Settled,
    /// I6: nothing is told to be deleted that is there.
    Truly,
    /// Events are created or updated as their dates and the window say.
    Kind,
    /// Notifications are formed, ordered and ended as the plan says.
    Delivery,
    /// Every poll ends, and when nothing changes any more, with everything read.
    Ends,
}

/// The first thing in a history that should not be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Violation {
    pub(crate) invariant: Invariant,
    pub(crate) expected: String,
    pub(crate) came: String,
}

impl fmt::Display for Invariant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::AtLeastOnce => "I1 (no change is lost)",
            Self::Once => "I2 (a version is acknowledged once, under one id)",
            Self::Idle => "I3 (an idle poll sends and writes nothing)",
            Self::Kept => "I4 (no restart or edit moves a checkpoint)",
            Self::Settled => "I5 (nothing unsettled moves a checkpoint)",
            Self::Truly => "I6 (no deletion is invented)",
            Self::Kind => "the kind of an event",
            Self::Delivery => "the form and order of notifications",
            Self::Ends => "every poll ends",
        };
        out.write_str(name)
    }
}

impl Violation {
    pub(crate) fn new(
        invariant: Invariant,
        expected: impl Into<String>,
        came: impl Into<String>,
    ) -> Self {
        Self {
            invariant,
            expected: expected.into(),
            came: came.into(),
        }
    }
}
