//! Lines for the person who watches: on standard output what was delivered, on standard error
//! what needs attention and what to do about it.

use std::{
    collections::BTreeMap,
    fmt::Display,
    io::{self, Write},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::{DateTime, Local, SecondsFormat};

use super::attention::Attention;
use crate::{
    clock::Clock,
    fleet::Heard,
    poll::{End, Outcome, Progress, SetAside},
};

/// Where the lines go.
pub struct Streams {
    /// What was delivered.
    pub output: Box<dyn Write + Send>,
    /// What needs attention.
    pub errors: Box<dyn Write + Send>,
    /// Events that were told of, for whoever ends the run at once.
    pub delivered: Arc<AtomicU64>,
}

impl Streams {
    /// Lines that go to these.
    #[must_use]
    pub fn to(output: Box<dyn Write + Send>, errors: Box<dyn Write + Send>) -> Self {
        Self {
            output,
            errors,
            delivered: Arc::default(),
        }
    }
}

impl Default for Streams {
    /// The process's own.
    fn default() -> Self {
        Self::to(Box::new(io::stdout()), Box::new(io::stderr()))
    }
}

/// Writes the lines of all pollers, one at a time.
pub(super) struct Report {
    clock: Clock,
    /// Width of the longest label.
    width: usize,
    inner: Mutex<Inner>,
    delivered: Arc<AtomicU64>,
}

struct Inner {
    output: Box<dyn Write + Send>,
    errors: Box<dyn Write + Send>,
    /// What keeps each poller from its work, and what else was last said of it: each is said once.
    trouble: BTreeMap<String, Attention>,
    noted: BTreeMap<String, Attention>,
    /// Which refused events of each poller's poll under way have been said.
    heard: BTreeMap<String, Heard>,
}

impl Report {
    /// A report over pollers called `labels`.
    pub(super) fn new<'a>(
        clock: Clock,
        labels: impl Iterator<Item = &'a str>,
        streams: Streams,
    ) -> Self {
        let Streams {
            output,
            errors,
            delivered,
        } = streams;
        let width = labels
            .map(|label| label.chars().count())
            .max()
            .unwrap_or_default();
        let inner = Inner {
            output,
            errors,
            trouble: BTreeMap::new(),
            noted: BTreeMap::new(),
            heard: BTreeMap::new(),
        };
        Self {
            clock,
            width,
            inner: Mutex::new(inner),
            delivered,
        }
    }

    /// A poll of the poller `label` has ended. `is_held`: something still holds its instance, so that
    /// nobody can say that it is over.
    pub(super) fn polled(&self, label: &str, outcome: &Outcome, is_held: bool) {
        self.told_of_delivery(label, outcome);
        if outcome.end == End::Stopped {
            // It shows neither that something is wrong nor that something is over.
            return;
        }
        if outcome.end == End::Complete && !is_held {
            self.recovered(label);
        }
        match Attention::of(outcome) {
            Some(attention) => self.attend(label, attention),
            None => self.with(|inner| _ = inner.noted.remove(label)),
        }
    }

    /// A stretch of a replay has ended: what it found is said once no other follows.
    pub(super) fn replayed(&self, label: &str, outcome: &Outcome, is_over: bool, is_held: bool) {
        if is_over {
            self.polled(label, outcome, is_held);
        } else {
            self.told_of_delivery(label, outcome);
        }
    }

    /// All of the replay `id` is read and delivered.
    pub(super) fn replay_is_over(&self, label: &str, id: &str) {
        let line = self.line(label, &format!("the replay {id:?} is over"));
        self.with(|inner| _ = writeln!(inner.output, "{line}"));
    }

    /// The poller `label` waits, for the reason given; one whose own error is the reason has said so.
    pub(super) fn waiting(&self, label: &str, reason: &str) {
        let mut failed = false;
        self.with(|inner| failed = inner.trouble.get(label).is_some_and(Attention::is_error));
        if failed {
            return;
        }
        self.attend(label, Attention::waiting(reason));
    }

    /// A line about no poller in particular.
    pub(super) fn say(&self, text: &str) {
        self.with(|inner| _ = writeln!(inner.output, "{text}"));
    }

    /// Something that keeps a poller from running.
    pub(super) fn complain(&self, error: impl Display) {
        self.with(|inner| _ = writeln!(inner.errors, "error: {error}"));
    }

    /// A problem of no poller in particular.
    pub(super) fn warn(&self, text: &str) {
        self.with(|inner| _ = writeln!(inner.errors, "warning: {text}"));
    }

    /// Events delivered so far.
    pub(super) fn events(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    /// A poll of the poller `label` goes on, and has come so far.
    pub(super) fn progressed(&self, label: &str, progress: &Progress) {
        let mut more: &[SetAside] = &[];
        self.with(|inner| more = inner.heard(label).more(progress));
        self.tell_of_refused(label, more.iter().map(SetAside::told));
    }

    fn tell_of_refused(&self, label: &str, texts: impl Iterator<Item = String>) {
        for text in texts {
            let line = self.line(label, &Attention::warning(text).to_string());
            self.with(|inner| _ = writeln!(inner.errors, "{line}"));
        }
    }

    fn told_of_delivery(&self, label: &str, outcome: &Outcome) {
        let progress = &outcome.progress;
        if progress.events() > 0 {
            self.delivered(label, outcome);
        }
        let unnamed = (progress.unnamed() > 0).then(|| {
            format!(
                "{} were refused too",
                counted(progress.unnamed(), "other event")
            )
        });
        let mut rest: &[SetAside] = &[];
        self.with(|inner| rest = inner.heard(label).rest(progress));
        self.tell_of_refused(label, rest.iter().map(SetAside::told).chain(unnamed));
    }

    fn delivered(&self, label: &str, outcome: &Outcome) {
        let watermark = outcome
            .checkpoint
            .as_ref()
            .map_or_else(String::new, |held| {
                format!(
                    "  watermark {}",
                    held.checkpoint
                        .records
                        .watermark
                        .to_rfc3339_opts(SecondsFormat::AutoSi, true)
                )
            });
        let line = self.line(
            label,
            &format!("{}{watermark}", delivered(&outcome.progress)),
        );
        let events = outcome.progress.events();
        self.delivered.fetch_add(events, Ordering::Relaxed);
        self.with(|inner| _ = writeln!(inner.output, "{line}"));
    }

    fn attend(&self, label: &str, attention: Attention) {
        let line = self.line(label, &attention.to_string());
        self.with(|inner| {
            let said = if attention.is_trouble() {
                &mut inner.trouble
            } else {
                &mut inner.noted
            };
            if said.get(label) != Some(&attention) {
                _ = writeln!(inner.errors, "{line}");
                said.insert(label.to_owned(), attention);
            }
        });
    }

    fn recovered(&self, label: &str) {
        let line = self.line(label, "well again");
        self.with(|inner| {
            if inner.trouble.remove(label).is_some() {
                _ = writeln!(inner.errors, "{line}");
            }
        });
    }

    fn line(&self, label: &str, text: &str) -> String {
        let now: DateTime<Local> = self.clock.now().into();
        let width = self.width;
        format!("{}  {label:width$}  {text}", now.format("%H:%M:%S"))
    }

    fn with(&self, act: impl FnOnce(&mut Inner)) {
        act(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Inner {
    fn heard(&mut self, label: &str) -> &mut Heard {
        self.heard.entry(label.to_owned()).or_default()
    }
}

fn delivered(progress: &Progress) -> String {
    let kinds = [
        (progress.created, "created"),
        (progress.updated, "updated"),
        (progress.deleted, "deleted"),
    ];
    let kinds: Vec<_> = kinds
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, kind)| format!("{count} {kind}"))
        .collect();
    format!(
        "{} delivered ({})",
        counted(progress.events(), "event"),
        kinds.join(", ")
    )
}

/// `1 event`, `2 events`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests;
