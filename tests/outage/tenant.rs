//! One instance's provider and callback.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use simulator::{
    Clock, RetryAfter,
    receiver::{Answer, Receiver},
    servicenow::Instance,
};
use tokio::task::JoinHandle;

use crate::each;

/// How long a callback takes to answer.
const TAKES: Duration = Duration::from_millis(20);

/// What a callback does in the half hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Well,
    /// It fails in every way there is, and recovers.
    Dying,
}

impl Behaviour {
    /// The answer to the post with this number, so many minutes after the beginning.
    fn answer(self, minute: i64, post: usize) -> Answer {
        let well = Answer::Slow(TAKES, 200);
        match (self, minute) {
            (Self::Well, _) | (Self::Dying, ..5 | 18..) => well,
            (Self::Dying, 5..8) => Answer::Status(503),
            (Self::Dying, 8..10) => Answer::Hang,
            (Self::Dying, 10..12) => Answer::CloseConnection,
            (Self::Dying, 12..14) => Answer::RetryAfter(429, RetryAfter::Seconds(45)),
            (Self::Dying, 14..16) => Answer::Status(500),
            (Self::Dying, 16..18) if post.is_multiple_of(3) => well,
            (Self::Dying, 16..18) => Answer::Status(502),
        }
    }
}

/// The ids of records, and when each came to be.
type Written = Vec<(String, DateTime<Utc>)>;

/// One instance's provider and callback, and what was written.
pub(crate) struct Tenant {
    pub(crate) index: usize,
    pub(crate) provider: Instance,
    pub(crate) receiver: Receiver,
    pub(crate) pages: Arc<AtomicUsize>,
    clock: Clock,
    written: Arc<Mutex<Written>>,
}

impl Tenant {
    pub(crate) fn new(clock: Clock, index: usize, behaviour: Behaviour) -> Self {
        let (begin, posts) = (clock.now(), AtomicUsize::new(0));
        let receiver = Receiver::by_clock(clock, &[]);
        receiver.answer_by(move |_| {
            let post = posts.fetch_add(1, Ordering::SeqCst);
            behaviour.answer((clock.now() - begin).num_minutes(), post)
        });
        let (provider, pages) = (Instance::by_clock(clock), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&pages);
        provider.before_table_requests(move |_, _| _ = count.fetch_add(1, Ordering::SeqCst));
        Self {
            index,
            provider,
            receiver,
            pages,
            clock,
            written: Arc::default(),
        }
    }

    /// Writes records until it is aborted, each tenant at moments of its own.
    pub(crate) fn write(&self) -> JoinHandle<()> {
        let (provider, clock) = (self.provider.clone(), self.clock);
        let written = Arc::clone(&self.written);
        let offset = Duration::from_millis(70 * self.index as u64);
        tokio::spawn(async move {
            tokio::time::sleep(offset).await;
            loop {
                tokio::time::sleep(Duration::from_secs(each())).await;
                let id = provider.create("incident", &[]);
                written.lock().unwrap().push((id, clock.now()));
            }
        })
    }

    /// The records as they were written.
    pub(crate) fn written(&self) -> Written {
        self.written.lock().unwrap().clone()
    }

    /// How many posts came so far.
    pub(crate) fn posts(&self) -> usize {
        self.receiver.notifications().len()
    }

    pub(crate) fn has_everything_in_order_and_once(&self) {
        let arrived = self.receiver.acknowledged().into_iter();
        let arrived: Vec<_> = arrived.map(|event| event.object_id).collect();
        let written: Vec<_> = self.written().into_iter().map(|(id, _)| id).collect();
        let least = 29 * 60 / each() as usize;
        assert!(written.len() >= least, "{} records", written.len());
        let differs = written
            .iter()
            .zip(&arrived)
            .position(|(one, other)| one != other);
        assert_eq!(differs, None, "tenant {}: out of order", self.index);
        assert_eq!(arrived.len(), written.len(), "tenant {}", self.index);
    }
}
