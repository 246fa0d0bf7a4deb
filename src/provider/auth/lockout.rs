//! Passwords that may be wrong. A provider locks its user out who fails too often, and often counts on
//! while he goes on failing.
//!
//! That a password goes out is recorded before it does, and the record stands until the provider has accepted
//! it, so that whatever ends the process counts as a refusal. Once accepted, it goes out without a record until
//! it is refused; so it does while answers say nothing of it.

mod trial;
mod tried;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::Url;
use secrecy::SecretString;
use tokio::time::sleep;

pub(super) use self::trial::Turn;
pub(in crate::provider) use self::trial::{Trial, Verdict};
pub use self::tried::TriedPassword;
use self::{
    trial::{Standing, Trying},
    tried::Print,
};
use super::{TokenStore, TokenStoreError, words};
use crate::{clock::Clock, provider::FetchError};

/// How often a store is tried again that does not take what has become of a password.
const AGAIN: Duration = Duration::from_secs(5);

/// Watches over one user and password, wherever they are sent.
pub(super) struct Lockout {
    store: Arc<dyn TokenStore>,
    clock: Clock,
    /// For messages.
    host: String,
    secret_name: String,
    /// Everything on which a refusal may rest: once one of these is another, all are tried.
    sent: Vec<SecretString>,
    known: Arc<tokio::sync::Mutex<Known>>,
    /// Held while a password of the instance is on trial, this one or the one before.
    turn: Turn,
    /// Counts what becomes known of the password.
    changes: AtomicU64,
    /// The change by which it was accepted; 0 while it may be wrong.
    accepted: AtomicU64,
    /// A person wants to know.
    is_asked: AtomicBool,
}

/// What is known of a password that may be wrong.
#[derive(Default)]
struct Known {
    /// `None` before the store was read.
    print: Option<Print>,
    /// The last try, where it was one of this password.
    last: Option<TriedPassword>,
    /// A record that the store may hold although it failed, and the one before: nothing was sent.
    unsent: Option<(TriedPassword, Option<TriedPassword>)>,
    /// The provider answers and does not say what it thinks of the password.
    is_open: bool,
}

impl Lockout {
    /// `sent` goes to `url`; the passwords of one instance share a `turn`.
    pub(super) fn new(
        store: Arc<dyn TokenStore>,
        turn: Turn,
        clock: Clock,
        url: &Url,
        secret_name: &str,
        mut sent: Vec<SecretString>,
    ) -> Arc<Self> {
        sent.push(url.as_str().into());
        Arc::new(Self {
            store,
            clock,
            host: url.host_str().unwrap_or_default().to_owned(),
            secret_name: secret_name.to_owned(),
            sent,
            known: Arc::default(),
            turn,
            changes: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            is_asked: AtomicBool::new(false),
        })
    }

    /// Has the next [trial](Self::begin) wait less long, where the password is not accepted.
    pub(super) fn ask(&self) {
        let is_accepted = self.accepted.load(Ordering::SeqCst) != 0;
        self.is_asked.store(!is_accepted, Ordering::SeqCst);
    }

    /// Waits for leave to send the password.
    ///
    /// # Errors
    ///
    /// It is left alone for a while, or that it goes out cannot be recorded.
    pub(super) async fn begin(self: &Arc<Self>) -> Result<Trial, FetchError> {
        if let Some(trial) = self.accepted() {
            return Ok(trial);
        }
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let mut known = Arc::clone(&self.known).lock_owned().await;
        if let Some(trial) = self.accepted() {
            return Ok(trial);
        }
        let print = self.learn(&mut known).await?;
        if let Some(error) = self.paused(&known) {
            return Err(error);
        }
        let trying = Trying {
            before: known.last.clone(),
            is_recorded: !known.is_open,
            is_claimed: false,
            known,
            turn,
        };
        // Whoever is dropped here must not leave a record of what was never sent.
        let begun = tokio::spawn(Arc::clone(self).try_once(trying, print));
        let begun = begun
            .await
            .unwrap_or_else(|_| Err(words::trial_interrupted()));
        begun.map(Trial::claimed)
    }

    async fn try_once(
        self: Arc<Self>,
        mut trying: Trying,
        print: Print,
    ) -> Result<Trial, FetchError> {
        if trying.is_recorded {
            let now = self.clock.now();
            let tried = TriedPassword::once_more(trying.before.as_ref(), print, now);
            self.record(&mut trying.known, tried).await?;
        }
        self.is_asked.store(false, Ordering::SeqCst);
        Ok(Trial::new(&self, Standing::Trying(trying)))
    }

    /// Waits until no password of the instance is on trial.
    pub(super) async fn rest(&self) {
        drop(self.turn.lock().await);
    }

    /// Why it is left alone now, if it is.
    pub(super) async fn pause(&self) -> Option<FetchError> {
        let known = self.known.lock().await;
        self.paused(&known)
    }

    fn accepted(self: &Arc<Self>) -> Option<Trial> {
        let count = self.accepted.load(Ordering::SeqCst);
        (count != 0).then(|| Trial::new(self, Standing::Accepted(count)))
    }

    fn paused(&self, known: &Known) -> Option<FetchError> {
        let last = known.last.as_ref()?;
        let is_asked = self.is_asked.load(Ordering::SeqCst);
        let left = last.left(self.clock.now(), is_asked);
        (!left.is_zero()).then(|| FetchError {
            retry_after: Some(left),
            ..words::left_alone(&self.host, &self.secret_name, last, is_asked)
        })
    }

    /// What the store holds of this password, once.
    async fn learn(&self, known: &mut Known) -> Result<Print, FetchError> {
        if let Some(print) = &known.print {
            return Ok(print.clone());
        }
        let stored = self.store.tried().await;
        let stored = stored.map_err(|error| self.unrecorded(&error))?;
        known.last = match (stored, known.unsent.take()) {
            (Some(stored), Some((unsent, before))) if stored == unsent => before,
            (Some(stored), _) if stored.is_of(self.sent.clone()).await => Some(stored),
            _ => None,
        };
        let print = match &known.last {
            Some(last) => last.print().clone(),
            None => Print::of(self.sent.clone()).await,
        };
        known.print = Some(print.clone());
        Ok(print)
    }

    async fn record(&self, known: &mut Known, tried: TriedPassword) -> Result<(), FetchError> {
        self.change();
        match self.store.note_tried(Some(tried.clone())).await {
            Ok(()) => {
                known.last = Some(tried);
                known.unsent = None;
                Ok(())
            }
            Err(error) => {
                // Another replica may have tried it, or this record may stand there nevertheless.
                known.print = None;
                known.unsent = Some((tried, known.last.take()));
                Err(self.unrecorded(&error))
            }
        }
    }

    fn unrecorded(&self, error: &TokenStoreError) -> FetchError {
        words::unrecorded(&self.host, error)
    }

    /// Takes what has become of a trial.
    async fn end_trial(self: Arc<Self>, trying: Trying, verdict: Verdict) {
        let Trying {
            mut known,
            turn,
            before,
            is_recorded,
            ..
        } = trying;
        self.end(&mut known, before, is_recorded, verdict).await;
        // In the order in which a trial takes them.
        drop(known);
        drop(turn);
    }

    /// Takes what has become of a trial whose record replaced `before`.
    async fn end(
        self: &Arc<Self>,
        known: &mut Known,
        before: Option<TriedPassword>,
        is_recorded: bool,
        verdict: Verdict,
    ) {
        let Some(print) = known.print.clone() else {
            return;
        };
        let again = || TriedPassword::once_more(before.as_ref(), print.clone(), self.clock.now());
        known.is_open = matches!(verdict, Verdict::Open);
        let change = self.change();
        known.last = match verdict {
            Verdict::Accepted => {
                self.accepted.store(change, Ordering::SeqCst);
                // What was asked meanwhile is answered.
                self.is_asked.store(false, Ordering::SeqCst);
                None
            }
            Verdict::Refused(answer) => Some(again().refused(answer)),
            Verdict::Unanswered => Some(again().unanswered(before.as_ref())),
            Verdict::Unlooked | Verdict::Open => before.clone(),
        };
        if is_recorded || known.last != before {
            self.settle(change, print, known.last.clone()).await;
        }
    }

    /// What was accepted is refused; once, however many requests are told so.
    async fn end_acceptance(self: &Arc<Self>, accepted: u64, answer: String) {
        let mut known = self.known.lock().await;
        let exchanged =
            self.accepted
                .compare_exchange(accepted, 0, Ordering::SeqCst, Ordering::SeqCst);
        if exchanged.is_ok() {
            self.end(&mut known, None, false, Verdict::Refused(answer))
                .await;
        }
    }

    fn change(&self) -> u64 {
        1 + self.changes.fetch_add(1, Ordering::SeqCst)
    }

    /// Has the store hold `tried` of this password; where it fails, later, unless there is another change.
    async fn settle(self: &Arc<Self>, change: u64, print: Print, tried: Option<TriedPassword>) {
        if self.settled(&print, tried.clone()).await {
            return;
        }
        let lockout = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                sleep(AGAIN).await;
                // No other trial is recorded between the look and the write.
                let _known = lockout.known.lock().await;
                let is_last = lockout.changes.load(Ordering::SeqCst) == change;
                if !is_last || lockout.settled(&print, tried.clone()).await {
                    return;
                }
            }
        });
    }

    async fn settled(&self, print: &Print, tried: Option<TriedPassword>) -> bool {
        let Ok(stored) = self.store.tried().await else {
            return false;
        };
        // Another password may have been tried meanwhile: then what is recorded of that counts.
        let is_others = stored
            .as_ref()
            .is_some_and(|stored| stored.print() != print);
        is_others || stored == tried || self.store.note_tried(tried).await.is_ok()
    }
}

impl fmt::Debug for Lockout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lockout")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
