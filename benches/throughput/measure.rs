//! Two clients by turns, so that a machine's moods meet both.

use std::time::{Duration, Instant};

use crate::{Result, cores::thread_time};

/// How long one turn took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) wall: Duration,
    /// Of the client's core: what other programs take of a shared machine is no part of it.
    pub(crate) processor: Duration,
}

/// The samples of both clients.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    pub(crate) bare: Vec<Sample>,
    pub(crate) pollen: Vec<Sample>,
}

impl Turns {
    /// Lets both clients work in turn, the one that begins changing from round to round, and
    /// checks what each turn came to.
    pub(crate) async fn take<T>(
        rounds: usize,
        mut bare: impl AsyncFnMut() -> Result<T>,
        mut pollen: impl AsyncFnMut() -> Result<T>,
        mut check: impl FnMut(T) -> Result<()>,
    ) -> Result<Self> {
        let mut turns = Self::default();
        for turn in 0..2 * rounds {
            let bares = matches!(turn % 4, 0 | 3);
            let (begin, processor) = (Instant::now(), thread_time());
            let came_to = if bares { bare().await } else { pollen().await }?;
            let sample = Sample {
                wall: begin.elapsed(),
                processor: thread_time().saturating_sub(processor),
            };
            check(came_to)?;
            let samples = if bares {
                &mut turns.bare
            } else {
                &mut turns.pollen
            };
            samples.push(sample);
        }
        Ok(turns)
    }
}

/// The least, the middle and the greatest of several figures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Of at least one figure; not a number of none.
    pub(crate) fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.collect();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        Self {
            min: at(0),
            median: at(sorted.len() / 2),
            max: at(sorted.len().saturating_sub(1)),
        }
    }
}
