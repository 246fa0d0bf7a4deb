//! What happens when: a storyline that its seed decides.

use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

use super::cast::Table;

/// One thing that happens, so long after the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) at: Duration,
    pub(super) act: Act,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Create(Table),
    Edit(Table),
    /// So many records within one second.
    Tie(Table, usize),
    /// Two edits of one record within one second.
    EditTwice(Table),
    /// A record is written that nobody can see yet.
    Write(Table),
    /// What was written becomes visible.
    Commit,
    Throttle,
    RevokeTokens,
    CallbackFails,
    CallbackRecovers,
}

/// What goes on all the time happens so far apart, in milliseconds.
const CALM: std::ops::Range<u64> = 500..1_700;

/// The storyline goes on in rounds of this length.
const ROUND: Duration = Duration::from_secs(20);

/// The steps in their order, without end. A `length` shorter than a round has a whole one in it.
pub(super) fn steps(
    seed: u64,
    tables: Vec<Table>,
    length: Option<Duration>,
) -> impl Iterator<Item = Step> {
    let mut rng = StdRng::seed_from_u64(seed);
    let round = length.map_or(ROUND, |length| length.min(ROUND));
    (0..).flat_map(move |number| {
        let begin = round * number;
        self::round(&mut rng, &tables, round)
            .into_iter()
            .map(move |step| Step {
                at: begin + step.at,
                ..step
            })
    })
}

fn round(rng: &mut StdRng, tables: &[Table], length: Duration) -> Vec<Step> {
    let mut steps = set_pieces(rng, tables, length);
    let mut at = Duration::ZERO;
    while at < length {
        let table = any(rng, tables);
        let act = if rng.random_bool(0.5) {
            Act::Create(table)
        } else {
            Act::Edit(table)
        };
        steps.push(Step { at, act });
        at += Duration::from_millis(rng.random_range(CALM));
    }
    steps.sort_by_key(|step| step.at);
    steps
}

/// What a poller must come through, each at its share of the round.
fn set_pieces(rng: &mut StdRng, tables: &[Table], length: Duration) -> Vec<Step> {
    let mut table = || any(rng, tables);
    let acts = [
        (0.08, Act::Tie(table(), 5)),
        (0.18, Act::Write(table())),
        (0.26, Act::EditTwice(table())),
        (0.36, Act::Commit),
        (0.44, Act::Throttle),
        (0.64, Act::RevokeTokens),
        (0.72, Act::CallbackFails),
        (0.82, Act::CallbackRecovers),
    ];
    acts.map(|(share, act)| Step {
        at: length.mul_f64(share),
        act,
    })
    .to_vec()
}

fn any(rng: &mut StdRng, tables: &[Table]) -> Table {
    tables.choose(rng).copied().unwrap_or(Table::Incident)
}

#[cfg(test)]
mod tests;
