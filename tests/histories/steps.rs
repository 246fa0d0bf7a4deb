//! What happens in a history: changes, time, edits and polls, with the faults of each poll.

use std::fmt;

use crate::random::Random;

/// One step of a history. Records are named by number, and times by eighths of the settings' own
/// interval or reach, so that a step means something under any settings.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// A record is created or updated now.
    Touch(u32),
    /// So many records at once.
    Tie(u32, u32),
    /// It is dated now, and listings show it later, by eighths of the reach.
    Late(u32, u32),
    /// It is dated so many intervals ahead.
    Ahead(u32, u32),
    /// It is deleted, and the list of deletions shows it so many eighths of the reach later.
    Remove(u32, u32),
    /// So many are deleted at once.
    Clear(u32, u32),
    /// It is back as it was.
    Restore(u32),
    /// Access rules hide it, or no more.
    Hide(u32),
    Show(u32),
    /// Eighths of the interval pass.
    Pass(u32),
    /// The provider's clock is set, by eighths of an interval.
    Jump(i32),
    /// One poll, with a fault at some of its await points, counted from 0.
    Poll(Vec<(u32, Fault)>),
    /// The process ends without a word; the next one goes on from what is stored.
    Restart,
    /// The callback refuses events of this record.
    Refuse(u32),
    /// The callback refuses nothing.
    Accept,
    /// A person confirms the deletions that wait.
    Confirm,
    /// What is dated from so many intervals ago on is to be read once more: so many intervals of it, or
    /// with 0 all.
    Replay(u32, u32),
    /// Edits of the poller's spec.
    AskOtherwise,
    NarrowReach,
    WidenReach,
}

/// What happens at an await point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// The process ends there.
    Crash,
    /// The request, notification or write fails: before it reached the other side, or behind it,
    /// when the other side took it and the answer is lost.
    Fail,
    /// So does it after half a minute.
    Hang,
    /// It takes three seconds longer.
    Slow,
    /// The poll is asked to stop.
    Stop,
    /// Another process polls meanwhile, from what is stored.
    Conflict,
    /// A record is updated.
    Touch(u32),
}

/// The steps of a history.
pub(crate) fn draw(random: &mut Random, length: u32) -> Vec<Step> {
    let faulty = random.pick(&[0, 10, 40, 80]);
    (0..length).map(|_| step(random, faulty)).collect()
}

fn step(random: &mut Random, faulty: u32) -> Step {
    let record = random.below(60);
    match random.below(100) {
        0..30 => Step::Touch(record),
        30..34 => Step::Tie(record, random.between(2, 25)),
        34..40 => Step::Late(record, random.between(1, 8)),
        40..41 => Step::Ahead(record, random.between(1, 20)),
        41..44 => Step::Remove(record, random.below(24).saturating_sub(16)),
        44..45 => Step::Clear(record, random.between(2, 25)),
        45..47 => Step::Restore(record),
        47..48 => Step::Hide(record),
        48..49 => Step::Show(record),
        49..65 => Step::Pass(random.small(40) + 1),
        65..66 => Step::Jump(random.between(0, 160) as i32 - 80),
        66..70 => Step::Restart,
        70..71 => Step::Refuse(record),
        71..73 => Step::Accept,
        73..74 if random.percent(40) => Step::Replay(random.small(60), random.small(20)),
        73..74 => random.pick(&[0, 1, 2, 3]).into(),
        _ => Step::Poll(faults(random, faulty)),
    }
}

impl From<u32> for Step {
    fn from(edit: u32) -> Self {
        match edit {
            0 => Self::AskOtherwise,
            1 => Self::NarrowReach,
            3 => Self::Confirm,
            _ => Self::WidenReach,
        }
    }
}

fn faults(random: &mut Random, faulty: u32) -> Vec<(u32, Fault)> {
    let mut faults = Vec::new();
    while faults.len() < 6 && random.percent(faulty) {
        faults.push((random.small(80), fault(random)));
    }
    faults.sort_by_key(|(point, _)| *point);
    faults.dedup_by_key(|(point, _)| *point);
    faults
}

fn fault(random: &mut Random) -> Fault {
    match random.below(16) {
        0..3 => Fault::Crash,
        3..6 => Fault::Fail,
        6 => Fault::Hang,
        7..9 => Fault::Slow,
        9 => Fault::Stop,
        10 => Fault::Conflict,
        _ => Fault::Touch(random.below(60)),
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Touch(record) => write!(out, "record {record} is created or updated"),
            Self::Tie(record, count) => {
                write!(
                    out,
                    "{count} records from {record} on are created or updated at once"
                )
            }
            Self::Late(record, eighths) => write!(
                out,
                "record {record} is updated, but shown {eighths}/8 of the reach later"
            ),
            Self::Ahead(record, intervals) => {
                write!(out, "record {record} is dated {intervals} intervals ahead")
            }
            Self::Remove(record, 0) => write!(out, "record {record} is deleted"),
            Self::Remove(record, eighths) => write!(
                out,
                "record {record} is deleted, but the list shows so {eighths}/8 of the reach later"
            ),
            Self::Clear(record, count) => {
                write!(out, "{count} records from {record} on are deleted at once")
            }
            Self::Replay(back, 0) => {
                write!(out, "what is dated since {back} intervals is replayed")
            }
            Self::Replay(back, length) => write!(
                out,
                "what is dated since {back} intervals is replayed, {length} intervals of it"
            ),
            Self::Confirm => write!(out, "the deletions that wait are confirmed"),
            Self::Restore(record) => write!(out, "record {record} is back as it was"),
            Self::Hide(record) => write!(out, "access rules hide record {record}"),
            Self::Show(record) => write!(out, "access rules show record {record}"),
            Self::Pass(eighths) => write!(out, "{eighths}/8 of the interval pass"),
            Self::Jump(eighths) => {
                write!(
                    out,
                    "the provider's clock is set by {eighths}/8 of the interval"
                )
            }
            Self::Poll(faults) if faults.is_empty() => write!(out, "poll"),
            Self::Poll(faults) => {
                write!(out, "poll")?;
                faults.iter().try_for_each(|(point, fault)| {
                    write!(out, "; at await point {point}: {fault:?}")
                })
            }
            Self::Restart => write!(out, "the process is killed"),
            Self::Refuse(record) => write!(out, "the callback refuses record {record}"),
            Self::Accept => write!(out, "the callback refuses nothing"),
            Self::AskOtherwise => write!(out, "the spec asks another question"),
            Self::NarrowReach => write!(out, "the overlap is shortened"),
            Self::WidenReach => write!(out, "the overlap is lengthened"),
        }
    }
}
