//! Whether a stored checkpoint is one that a poll can have written.
//!
//! One that was edited by hand is refused rather than believed: a watermark too late loses changes
//! without a word, and one too early repeats them.

use chrono::{DateTime, Datelike as _, Utc};

use crate::api::{Checkpoint, IdList, Reconcile, Stream};

/// What is wrong with a checkpoint that no poll can have written.
pub(super) fn check(checkpoint: &Checkpoint) -> Result<(), String> {
    let (started_at, records) = (checkpoint.started_at, &checkpoint.records);
    within_years("startedAt", Some(started_at))?;
    within_years("askedSince", checkpoint.asked_since)?;
    within_years("sweptAt", checkpoint.swept_at)?;
    for child in &checkpoint.children {
        within_years("children.startedAt", Some(child.started_at))?;
        within_years("children.watermark", Some(child.watermark))?;
        within_years("children.settledBefore", child.settled_before)?;
        within_years("children.deletesWatermark", child.deletes_watermark)?;
        let settled_before = child.deletes_settled_before;
        within_years("children.deletesSettledBefore", settled_before)?;
    }
    stream("records", records)?;
    if let Some(deletes) = &checkpoint.deletes {
        stream("deletes", deletes)?;
    }
    if let Some(part) = &checkpoint.reconcile {
        reconcile(part)?;
    }
    let replay = checkpoint.replay.as_ref();
    if let Some(running) = replay.and_then(|replay| replay.running.as_ref()) {
        within_years("replay.running.from", Some(running.from))?;
        within_years("replay.running.until", Some(running.until))?;
        stream("replay.running.records", &running.records)?;
    }
    not_later(
        ("startedAt".to_owned(), started_at),
        ("records.watermark".to_owned(), records.watermark),
    )
}

/// `windowSince` may be later than the watermark, which goes back further than the window where the
/// class of a child is taken back.
fn stream(name: &str, stream: &Stream) -> Result<(), String> {
    let field = |field: &str| format!("{name}.{field}");
    within_years(&field("watermark"), Some(stream.watermark))?;
    within_years(&field("settledAtStart"), stream.settled_at_start)?;
    within_years(&field("sweptAt"), stream.swept_at)?;
    within_years(&field("windowSince"), Some(stream.window_since))?;
    stream.settled_at_start.map_or(Ok(()), |settled| {
        not_later(
            (field("settledAtStart"), settled),
            (field("watermark"), stream.watermark),
        )
    })
}

fn reconcile(part: &Reconcile) -> Result<(), String> {
    within_years("reconcile.startedAt", Some(part.started_at))?;
    within_years("reconcile.completedAt", part.completed_at)?;
    counted("reconcile.known", &part.known)?;
    counted("reconcile.since", &part.since)?;
    let Some(missing) = &part.missing else {
        return Ok(());
    };
    within_years("reconcile.missing.deletedAt", Some(missing.deleted_at))?;
    counted("reconcile.missing.ids", &missing.ids)?;
    counted("reconcile.missing.done", &missing.done)?;
    if (0..=missing.ids.count).contains(&missing.settled) {
        return Ok(());
    }
    Err(format!(
        "its reconcile.missing.settled is {}, of {} ids",
        missing.settled, missing.ids.count
    ))
}

/// The count of a list is that of its segments and of what it holds itself.
fn counted(field: &str, list: &IdList) -> Result<(), String> {
    let counts = list.segments.iter().map(|segment| segment.count);
    let sealed = counts
        .clone()
        .try_fold(0_i64, i64::checked_add)
        .filter(|_| counts.clone().all(|count| count >= 0));
    match sealed {
        Some(sealed) if sealed <= list.count => Ok(()),
        _ => Err(format!("its {field}.count is {}", list.count)),
    }
}

/// RFC 3339 knows years of four digits, and dates at the edge of what a computer counts overflow
/// when a reach is taken from them.
fn within_years(field: &str, instant: Option<DateTime<Utc>>) -> Result<(), String> {
    match instant {
        Some(instant) if !(1..=9999).contains(&instant.year()) => {
            Err(format!("its {field} is in the year {}", instant.year()))
        }
        _ => Ok(()),
    }
}

type Instant = (String, DateTime<Utc>);

fn not_later((earlier, first): Instant, (later, second): Instant) -> Result<(), String> {
    if first <= second {
        Ok(())
    } else {
        Err(format!("its {earlier} is later than its {later}"))
    }
}
