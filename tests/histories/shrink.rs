//! From a history that fails to the least one that fails alike: fewer steps, fewer faults, and
//! settings nearer to the plain ones.

use crate::{
    invariants::Invariant,
    play::History,
    settings::{Deletes, Listing, Part, Settings},
    steps::Step,
};

/// The least history found that violates `invariant` too.
pub(crate) fn shrink(mut history: History, invariant: Invariant) -> History {
    let fails = |history: &History| {
        history
            .play()
            .is_some_and(|found| found.invariant == invariant)
    };
    loop {
        let before = history.clone();
        shrink_settings(&mut history, &fails);
        shrink_steps(&mut history, &fails);
        shrink_faults(&mut history, &fails);
        if history == before {
            return history;
        }
    }
}

/// Leaves out ever smaller stretches of steps (delta debugging).
fn shrink_steps(history: &mut History, fails: &impl Fn(&History) -> bool) {
    let mut size = history.steps.len().max(1);
    loop {
        let mut start = 0;
        while start < history.steps.len() {
            let mut fewer = history.clone();
            let end = (start + size).min(fewer.steps.len());
            fewer.steps.drain(start..end);
            if fails(&fewer) {
                *history = fewer;
            } else {
                start += size;
            }
        }
        if size == 1 {
            return;
        }
        size = size.div_ceil(2);
    }
}

fn shrink_faults(history: &mut History, fails: &impl Fn(&History) -> bool) {
    for index in 0..history.steps.len() {
        let (Step::Poll(faults) | Step::ChildPoll(faults)) = history.steps[index].clone() else {
            continue;
        };
        for fault in faults {
            let mut fewer = history.clone();
            if let Step::Poll(kept) | Step::ChildPoll(kept) = &mut fewer.steps[index] {
                kept.retain(|other| *other != fault);
            }
            if fails(&fewer) {
                *history = fewer;
            }
        }
    }
}

fn shrink_settings(history: &mut History, fails: &impl Fn(&History) -> bool) {
    for simplify in SIMPLER {
        let mut simpler = history.clone();
        simplify(&mut simpler.settings);
        simpler.settings = simpler.settings.made_consistent();
        if simpler.settings != history.settings && fails(&simpler) {
            *history = simpler;
        }
    }
}

type Simplify = fn(&mut Settings);

/// Each makes one of the settings plain.
const SIMPLER: &[Simplify] = &[
    |settings| {
        *settings = Settings {
            part: settings.part,
            ..Settings::plain()
        };
    },
    |settings| settings.part = Part::Alone,
    |settings| settings.remembers_gone = false,
    |settings| {
        let plain = Settings::plain();
        (settings.field, settings.stated) = (plain.field, plain.stated);
        (settings.reach, settings.narrow_reach) = (plain.reach, plain.narrow_reach);
        settings.interval = plain.interval;
    },
    |settings| settings.listing = Settings::plain().listing,
    |settings| {
        if let Listing::Anchored { reverses_ties, .. } = &mut settings.listing {
            *reverses_ties = false;
        }
    },
    |settings| settings.strict = false,
    |settings| settings.ignores_filter = false,
    |settings| settings.tells_total = true,
    |settings| settings.cap = None,
    |settings| settings.page_size = 10,
    |settings| settings.page_size = settings.page_size.min(2),
    |settings| settings.records = settings.records.min(5),
    |settings| settings.numeric_ids = false,
    |settings| settings.tells_time = true,
    |settings| settings.skew = 0,
    |settings| settings.narrow_reach = settings.reach,
    |settings| settings.latency = 0,
    |settings| settings.in_flight = 1,
    |settings| settings.max_events = 1,
    |settings| settings.created_check = Settings::plain().created_check,
    |settings| settings.tolerance = 0,
    |settings| settings.drop_before_bound = true,
    |settings| settings.drop_after_clock = false,
    |settings| settings.versioned = true,
    |settings| settings.excludes = false,
    |settings| settings.hides = false,
    |settings| settings.deletes = Deletes::Ignored,
    |settings| settings.deletes_from_start = true,
    |settings| {
        if let Deletes::Compared(comparing) = &mut settings.deletes {
            (comparing.by_key, comparing.by_id) = (true, true);
        }
    },
];
