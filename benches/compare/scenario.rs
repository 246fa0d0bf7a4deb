//! What happens at the provider, and when it is polled.

use std::time::Duration;

use simulator::{RetryAfter, servicenow::Fault};

use crate::{
    Result,
    world::{self, World},
};

/// One row of the table.
pub(crate) struct Scenario {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    /// What is right.
    pub(crate) right: &'static str,
    /// How far behind its cursor a poller is told to read again; as it comes where nothing is said.
    pub(crate) lookback: Option<Duration>,
    pub(crate) act: Act,
}

/// What happens around the first poll and behind it.
#[derive(Clone, Copy)]
pub(crate) enum Act {
    /// Nothing, and a second poll.
    Idle,
    /// The newest record is changed within its second.
    UpdateInCursorSecond,
    /// A record appears in the second of the newest.
    CreateInCursorSecond,
    /// A record appears that is dated 5 s before the newest; then so many polls.
    CreateLate { polls: usize },
    /// A record is deleted.
    Delete,
    /// The oldest record is changed before the second page is read.
    Drift,
    /// The first request is told to wait.
    Throttle(RetryAfter),
    /// The second page is refused as no retry would mend.
    FailSecondPage,
}

const fn scenario(
    id: &'static str,
    title: &'static str,
    right: &'static str,
    act: Act,
) -> Scenario {
    Scenario {
        id,
        title,
        right,
        lookback: None,
        act,
    }
}

pub(crate) const ALL: &[Scenario] = &[
    scenario("S1", "idle second poll", "nothing", Act::Idle),
    scenario(
        "S2",
        "a record is updated again within the cursor's second",
        "that version, once",
        Act::UpdateInCursorSecond,
    ),
    scenario(
        "S3",
        "a new record in the cursor's second",
        "that record alone",
        Act::CreateInCursorSecond,
    ),
    scenario(
        "S4",
        "a record appears 5 s behind the cursor",
        "that record, once",
        Act::CreateLate { polls: 1 },
    ),
    Scenario {
        lookback: Some(Duration::from_secs(10)),
        ..scenario(
            "S4b",
            "the same with 10 s of lookback, then an idle poll",
            "that record, then nothing",
            Act::CreateLate { polls: 2 },
        )
    },
    scenario("S5", "a record is deleted", "its deletion", Act::Delete),
    scenario(
        "S6",
        "a record of page 1 changes while page 2 is read",
        "every record",
        Act::Drift,
    ),
    scenario(
        "S7",
        "429 with `Retry-After: 3`",
        "a wait of 3 s",
        Act::Throttle(RetryAfter::Seconds(3)),
    ),
    scenario(
        "S8",
        "429 with a `Retry-After` date 8 s ahead",
        "a wait until then",
        Act::Throttle(RetryAfter::HttpDate(8)),
    ),
    scenario(
        "S9",
        "a fatal 400 on page 2, then the next poll",
        "each record once over both",
        Act::FailSecondPage,
    ),
];

impl Act {
    pub(crate) async fn play(self, world: &mut World<'_>) -> Result<()> {
        match self {
            Self::Drift => world.before_second_page(|instance| instance.update(world::OLDEST, &[])),
            Self::FailSecondPage => {
                world.before_second_page(|instance| instance.fail_next(Fault::Status(400)));
            }
            Self::Throttle(retry_after) => world.throttle(retry_after),
            _ => {}
        }
        world.poll().await?;
        self.change(world);
        for _ in 0..self.further_polls() {
            world.poll().await?;
        }
        Ok(())
    }

    /// What happens between the first poll and the second.
    fn change(self, world: &World<'_>) {
        match self {
            Self::UpdateInCursorSecond => world.touch_newest(),
            Self::CreateInCursorSecond => world.create_before_newest(0),
            Self::CreateLate { .. } => world.create_before_newest(5),
            Self::Delete => world.instance.delete(world::DELETED),
            _ => {}
        }
    }

    const fn further_polls(self) -> usize {
        match self {
            Self::CreateLate { polls } => polls,
            Self::Throttle(_) => 0,
            _ => 1,
        }
    }
}
