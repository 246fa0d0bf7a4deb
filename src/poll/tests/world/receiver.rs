//! A callback in memory.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use crate::{
    callback::{Callback, Delivery, Rejection, Unavailable},
    event::{Kind, Notification, Origin},
};

/// As a number of turns: no answer at all.
pub(in crate::poll::tests) const NEVER: usize = usize::MAX;

/// One event as the receiver got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::poll::tests) struct Got {
    pub(in crate::poll::tests) event: String,
    pub(in crate::poll::tests) id: String,
    pub(in crate::poll::tests) kind: Kind,
    pub(in crate::poll::tests) version: u64,
}

type Script = Box<dyn FnMut(&[Got]) -> Option<Delivery> + Send>;

/// A callback that acknowledges everything unless its script says otherwise.
#[derive(Clone, Default)]
pub(in crate::poll::tests) struct Receiver {
    posted: Arc<Mutex<Vec<Vec<Got>>>>,
    acknowledged: Arc<Mutex<Vec<Got>>>,
    script: Arc<Mutex<Option<Script>>>,
    /// Dead letters that were taken, and what the next ones are answered before.
    letters: Arc<Mutex<Vec<(Got, Rejection)>>>,
    pub(in crate::poll::tests) letter_answers: Arc<Mutex<VecDeque<Delivery>>>,
    /// Turns of the runtime that each answer takes, used up from the front; [`NEVER`] answers never.
    pub(in crate::poll::tests) turns: Arc<Mutex<VecDeque<usize>>>,
}

impl Receiver {
    pub(in crate::poll::tests) fn acknowledged(&self) -> Vec<Got> {
        self.acknowledged.lock().unwrap().clone()
    }

    pub(in crate::poll::tests) fn posted(&self) -> Vec<Vec<Got>> {
        self.posted.lock().unwrap().clone()
    }

    pub(in crate::poll::tests) fn script(
        &self,
        script: impl FnMut(&[Got]) -> Option<Delivery> + Send + 'static,
    ) {
        *self.script.lock().unwrap() = Some(Box::new(script));
    }

    pub(in crate::poll::tests) fn accept_all(&self) {
        *self.script.lock().unwrap() = None;
    }

    /// The ids of the records whose dead letters were taken.
    pub(in crate::poll::tests) fn letters(&self) -> Vec<String> {
        let letters = self.letters.lock().unwrap();
        letters.iter().map(|(got, _)| got.id.clone()).collect()
    }

    fn answer(&self, got: Vec<Got>) -> Delivery {
        self.posted.lock().unwrap().push(got.clone());
        let scripted = self
            .script
            .lock()
            .unwrap()
            .as_mut()
            .and_then(|script| script(&got));
        let delivery = scripted.unwrap_or(Delivery::Acknowledged);
        if delivery == Delivery::Acknowledged {
            self.acknowledged.lock().unwrap().extend(got);
        }
        delivery
    }
}

impl Callback for Receiver {
    async fn deliver(&self, _: &Origin, notification: &Notification) -> Delivery {
        let turns = self.turns.lock().unwrap().pop_front().unwrap_or(1);
        if turns == NEVER {
            // Time passes under a paused clock only while nothing else is to do.
            return std::future::pending().await;
        }
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        let delivery = self.answer(got(notification));
        tokio::task::yield_now().await;
        delivery
    }

    async fn dead_letter(
        &self,
        _: &Origin,
        notification: &Notification,
        rejection: &Rejection,
    ) -> Delivery {
        let answer = self.letter_answers.lock().unwrap().pop_front();
        let answer = answer.unwrap_or(Delivery::Acknowledged);
        if answer == Delivery::Acknowledged {
            let letter = (got(notification).remove(0), rejection.clone());
            self.letters.lock().unwrap().push(letter);
        }
        tokio::task::yield_now().await;
        answer
    }
}

fn got(notification: &Notification) -> Vec<Got> {
    let got = notification.events.iter().map(|event| {
        let record: serde_json::Value = serde_json::from_slice(&event.record).unwrap();
        Got {
            event: event.id.as_str().to_owned(),
            id: event.object_id.clone(),
            kind: event.kind,
            version: record["sys_mod_count"].as_u64().unwrap_or_default(),
        }
    });
    got.collect()
}

pub(in crate::poll::tests) fn rejected() -> Delivery {
    Delivery::Rejected(Rejection {
        status: 400,
        message: "the callback answered 400".to_owned(),
        ..Rejection::default()
    })
}

pub(in crate::poll::tests) fn unavailable() -> Delivery {
    let message = "the callback answered 503".to_owned();
    Delivery::Unavailable(Unavailable {
        message,
        retry_after: None,
    })
}
