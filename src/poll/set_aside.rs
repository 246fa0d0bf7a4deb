//! Events that the callback refused and that are settled all the same.

use super::Progress;
use crate::callback::{Refused, Rejection, Unavailable};

/// The most events set aside in one poll that are named; all are counted and logged.
const NAMED: usize = 20;

/// An event that the callback refused and that is settled all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    pub object_id: String,
    pub how: How,
    /// The status code by which it was refused.
    pub status: u16,
    /// The same in words: never a secret, bounded in length.
    pub message: String,
}

/// How a refused event is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The dead letters' URL took it.
    DeadLettered,
    /// It was dropped, as `onRejected: Skip` says.
    Skipped,
}

impl How {
    /// The word in logs and as a metric's label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeadLettered => "dead_lettered",
            Self::Skipped => "skipped",
        }
    }
}

impl SetAside {
    /// What became of the event, in words for a person.
    #[must_use]
    pub fn told(&self) -> String {
        let fate = match self.how {
            How::DeadLettered => "it was posted to spec.events.callback.deadLetter.url",
            How::Skipped => "it was dropped, as onRejected: Skip says",
        };
        let Self {
            object_id, message, ..
        } = self;
        format!("the event of record {object_id:?} was refused, and {fate}: {message}")
    }
}

/// Why a poller waits at the event of the record `object_id`, in words for a person, and what to do.
#[must_use]
pub fn told_of_block(
    object_id: &str,
    rejection: &Rejection,
    dead_letter: Option<&Unavailable>,
) -> String {
    let message = &rejection.message;
    match (dead_letter, rejection.of) {
        (Some(why), _) => format!(
            "the callback refused the event of record {object_id:?}: {message}; and its dead letter was not taken: {}; \
             mend the receiver of dead letters: until it takes the event, the poller waits there",
            why.message
        ),
        (None, Refused::Everything) => format!(
            "the callback refuses whatever is posted there, and so the event of record {object_id:?}: {message}; mend \
             its address, its credentials or the receiver: until it takes the event, the poller waits there"
        ),
        (None, Refused::Event | Refused::Size) => format!(
            "the callback refused the event of record {object_id:?}: {message}; mend the receiver: until it takes the \
             event, the poller waits there; or set spec.events.callback.onRejected to DeadLetter or Skip"
        ),
    }
}

impl Progress {
    pub(super) fn set_aside(&mut self, event: SetAside) {
        match event.how {
            How::DeadLettered => self.dead_lettered += 1,
            How::Skipped => self.skipped += 1,
        }
        if self.set_aside.len() < NAMED {
            self.set_aside.push(event);
        }
    }

    /// Events settled, whichever way.
    #[must_use]
    pub const fn settled(&self) -> u64 {
        self.events() + self.dead_lettered + self.skipped
    }

    /// Events set aside that [`set_aside`](Self::set_aside) does not name.
    #[must_use]
    pub fn unnamed(&self) -> u64 {
        let named = u64::try_from(self.set_aside.len()).unwrap_or(u64::MAX);
        (self.dead_lettered + self.skipped).saturating_sub(named)
    }
}
