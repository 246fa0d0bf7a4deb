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
    /// A poller of a class is made, which starts so many intervals ago or, with 0, now; the parent is
    /// built anew at once, or a poll later.
    Apply(u32, bool),
    /// It is deleted.
    Discard(bool),
    /// Its filter is added or removed, or something else is asked of the same records.
    Edit(bool, bool),
    /// It is suspended, or goes on.
    Suspend,
    /// One poll of it.
    ChildPoll(Vec<(u32, Fault)>),
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
    /// The poller's parent or child polls meanwhile.
    Kin,
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

/// Adds to `steps` what becomes of a child.
pub(crate) fn add_child(random: &mut Random, steps: &mut Vec<Step>) {
    let faulty = random.pick(&[0, 10, 40]);
    let meets = random.pick(&[0, 20]);
    for step in &mut *steps {
        if let Step::Poll(faults) = step
            && random.percent(meets)
        {
            faults.push((random.small(80), Fault::Kin));
            tidy(faults);
        }
    }
    for _ in 0..random.between(8, 30) {
        let place = random.below(steps.len() as u32 + 1) as usize;
        steps.insert(place, child_step(random, faulty));
    }
    let first = random.small(20) as usize;
    steps.insert(first, applied(random));
}

fn child_step(random: &mut Random, faulty: u32) -> Step {
    let is_seen = random.percent(70);
    match random.below(20) {
        0..3 => applied(random),
        3..5 => Step::Discard(is_seen),
        5 => Step::Edit(true, is_seen),
        6 => Step::Edit(false, is_seen),
        7 => Step::Suspend,
        _ => {
            let mut faults = faults(random, faulty);
            if random.percent(10) {
                faults.push((random.small(80), Fault::Kin));
                tidy(&mut faults);
            }
            Step::ChildPoll(faults)
        }
    }
}

fn applied(random: &mut Random) -> Step {
    let back = if random.percent(60) {
        0
    } else {
        random.small(40) + 1
    };
    Step::Apply(back, random.percent(70))
}

fn tidy(faults: &mut Vec<(u32, Fault)>) {
    faults.sort_by_key(|(point, _)| *point);
    faults.dedup_by_key(|(point, _)| *point);
}

const fn late(is_seen: &bool) -> &'static str {
    if *is_seen {
        ""
    } else {
        ", and its parent built anew a poll later"
    }
}

fn faults(random: &mut Random, faulty: u32) -> Vec<(u32, Fault)> {
    let mut faults = Vec::new();
    while faults.len() < 6 && random.percent(faulty) {
        faults.push((random.small(80), fault(random)));
    }
    tidy(&mut faults);
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
            Self::Apply(0, seen) => write!(out, "a child is made, which starts now{}", late(seen)),
            Self::Apply(back, seen) => write!(
                out,
                "a child is made, which starts {back} intervals ago{}",
                late(seen)
            ),
            Self::Discard(seen) => write!(out, "the child is deleted{}", late(seen)),
            Self::Edit(true, seen) => {
                write!(out, "the child's filter is added or removed{}", late(seen))
            }
            Self::Edit(false, seen) => write!(out, "the child asks for more fields{}", late(seen)),
            Self::Suspend => write!(out, "the child is suspended, or no more"),
            Self::ChildPoll(faults) => {
                write!(out, "the child polls")?;
                faults.iter().try_for_each(|(point, fault)| {
                    write!(out, "; at await point {point}: {fault:?}")
                })
            }
            Self::AskOtherwise => write!(out, "the spec asks another question"),
            Self::NarrowReach => write!(out, "the overlap is shortened"),
            Self::WidenReach => write!(out, "the overlap is lengthened"),
        }
    }
}
