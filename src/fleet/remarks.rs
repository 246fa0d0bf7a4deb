//! What a poller tells of edits that its spec has seen: what became of them, and what to do.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, SecondsFormat, Utc};

use crate::{
    api::Checkpoint,
    poll::{End, Outcome, Plan, Remark, Topic},
    provider::{PageSource as _, ResourceSource},
};

/// What is to be told with the next polls.
#[derive(Default)]
pub(super) struct Remarks {
    /// An edit of what is asked, until a poll is complete.
    edited: Mutex<Option<Remark>>,
    /// How the last stretch of a replay ended, where something hinders the replay alone.
    hindrance: Mutex<Option<End>>,
}

impl Remarks {
    /// Notices before a poll from `checkpoint` that something else is asked.
    pub(super) fn meet(
        &self,
        checkpoint: Option<&Checkpoint>,
        plan: &Plan,
        source: &ResourceSource,
    ) {
        let asked =
            |checkpoint: &&Checkpoint| checkpoint.query_fingerprint != plan.query_fingerprint;
        if let Some(checkpoint) = checkpoint.filter(asked) {
            *self.lock() = Some(edited(checkpoint, plan, source));
        }
    }

    /// Adds to an outcome what is to be told with it.
    pub(super) fn make(&self, outcome: &mut Outcome, plan: &Plan) {
        let mut edited = self.lock();
        let mut remarks = Vec::from_iter(edited.clone());
        if outcome.end == End::Complete {
            *edited = None;
        }
        if let Some(held) = &outcome.checkpoint {
            remarks.extend(start_from(&held.checkpoint, plan));
            remarks.extend(replay(&held.checkpoint, plan));
        }
        if let Some((asked, why)) = plan.replay.as_ref().zip(self.hindrance()) {
            remarks.retain(|remark| remark.topic != Topic::Replay);
            remarks.push(hindered(&asked.id, &why));
        }
        outcome.progress.remarks.extend(remarks);
    }

    /// A stretch of a replay has ended, and something hinders the replay, or nothing.
    pub(super) fn hinder(&self, end: Option<End>) {
        *self
            .hindrance
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = end;
    }

    pub(super) fn hindrance(&self) -> Option<End> {
        let hindrance = self.hindrance.lock();
        hindrance.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Remark>> {
        self.edited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn edited(checkpoint: &Checkpoint, plan: &Plan, source: &ResourceSource) -> Remark {
    let watermark = checkpoint.records.watermark;
    let answered = checkpoint.swept_at.unwrap_or(watermark).min(watermark);
    let from = source.bound(answered - plan.reach).instant;
    let text = format!(
        "what is asked was edited: records dated from {} on are read anew, and those inside the \
         overlap may be delivered once more; older ones that the edit lets in are not delivered: \
         set spec.replay with a new id to read them",
        told(from)
    );
    Remark {
        topic: Topic::Query,
        text,
    }
}

fn start_from(checkpoint: &Checkpoint, plan: &Plan) -> Option<Remark> {
    let resolved = checkpoint.start_from?;
    (resolved != plan.start_from).then(|| Remark {
        topic: Topic::StartFrom,
        text: format!(
            "spec.startFrom was edited and has no effect, as the poller started at {} already: set \
             spec.replay with a new id to read earlier records, or write startFrom as it was",
            told(checkpoint.started_at)
        ),
    })
}

fn told(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn hindered(id: &str, end: &End) -> Remark {
    let why = match end {
        End::Blocked {
            object_id,
            rejection,
            dead_letter,
        } => {
            let letter = dead_letter.as_ref();
            let letter = letter.map_or_else(String::new, |why| format!("; {}", why.message));
            format!(
                "the callback refused the event of record {object_id:?}: {}{letter}; mend the receiver: until it takes \
                 the event",
                rejection.message
            )
        }
        End::ProviderFailed(error) => format!("{}; until this is over", error.message),
        End::Unfinished(why) | End::Unusable(why) | End::WindowTooLarge(why) => {
            format!("{why}; until this is over")
        }
        _ => end.result().to_owned(),
    };
    Remark {
        topic: Topic::Replay,
        text: format!("the replay {id:?} stands still: {why}, it is tried once behind each poll"),
    }
}

fn replay(checkpoint: &Checkpoint, plan: &Plan) -> Option<Remark> {
    let asked = plan.replay.as_ref()?;
    let progress = checkpoint.replay.as_ref();
    if progress.is_some_and(|progress| progress.done.contains(&asked.id)) {
        return None;
    }
    let id = &asked.id;
    let running = checkpoint.running_replay();
    let text = if let Some(running) = running.filter(|running| running.id == *id) {
        format!(
            "the replay {id:?} is under way, between the polls, from {} to {} as it began: what is edited \
             of these needs a new id",
            told(running.from),
            told(running.until)
        )
    } else if asked.from <= checkpoint.records.watermark {
        format!("the replay {id:?} begins behind the next poll")
    } else {
        format!(
            "the replay {id:?} waits: spec.replay.from is later than what was delivered so far; \
             write an earlier instant, or leave the field out"
        )
    };
    Some(Remark {
        topic: Topic::Replay,
        text,
    })
}
