//! What passes between Pollen and both ends while it polls.

use simulator::{
    receiver::{Answer, Incoming},
    servicenow::{Fault, Request},
};
use tokio_util::sync::CancellationToken;

use super::{
    letters::DEAD_LETTERS,
    world::{World, lock},
};
use crate::format::{Cut, Poll, Step};

/// What probes the query asks for one record, or for a few; pages of scenarios have other sizes.
const PROBES: [Option<&str>; 2] = [Some("1"), Some("20")];

/// The fields of a list of ids.
const OF_IDS: &str = "sys_id,sys_class_name";

/// What asks for single records has in its query.
const OF_SINGLE: &str = "sys_idIN";

/// The provider's list of deletions.
const DELETIONS: &str = "/sys_audit_delete";

/// What a request is for.
#[derive(Clone, Copy)]
enum Subject {
    /// A page of the records that are polled.
    Records,
    /// A page of the list of all ids.
    Ids,
    /// Which of some ids there are, or their records.
    Single,
    /// A page of the provider's list of deletions.
    Deletions,
}

impl Subject {
    /// Nothing for what probes a query.
    fn of(request: &Request) -> Option<Self> {
        let query = request.parameter("sysparm_query").unwrap_or_default();
        if query.contains(OF_SINGLE) {
            Some(Self::Single)
        } else if request.parameter("sysparm_fields") == Some(OF_IDS) {
            Some(Self::Ids)
        } else if PROBES.contains(&request.parameter("sysparm_limit")) {
            None
        } else if request.path.ends_with(DELETIONS) {
            Some(Self::Deletions)
        } else {
            Some(Self::Records)
        }
    }
}

/// The poll that is under way.
#[derive(Default)]
pub(super) struct UnderWay {
    /// Its place among the steps.
    step: Option<usize>,
    /// So many pages were asked for.
    pages: usize,
    /// So many notifications came.
    notifications: usize,
    /// So many pages of the list of ids were asked for.
    ids: usize,
    /// So many questions about single records were asked.
    singles: usize,
    /// So many pages of deletions were asked for.
    deletions: usize,
    /// So many messages went either way, without those that probe the query.
    messages: usize,
    signals: Signals,
    /// Kills before this message in either direction.
    kill_before: Option<usize>,
}

/// What is sent to the process under way.
#[derive(Clone, Default)]
pub(super) struct Signals {
    pub(super) kill: CancellationToken,
    pub(super) stop: CancellationToken,
}

impl UnderWay {
    /// How many pages of records were asked for, and how many of the list of ids.
    pub(super) const fn requests(&self) -> (usize, usize) {
        (self.pages, self.ids)
    }

    /// Whether the message that has come is the one before which the process is killed.
    fn is_due(&mut self) -> bool {
        self.messages += 1;
        self.kill_before == Some(self.messages)
    }

    /// The number of this request among those of its subject.
    const fn count(&mut self, subject: Subject) -> usize {
        let count = match subject {
            Subject::Records => &mut self.pages,
            Subject::Ids => &mut self.ids,
            Subject::Single => &mut self.singles,
            Subject::Deletions => &mut self.deletions,
        };
        *count += 1;
        *count
    }
}

impl World {
    /// A poll begins.
    pub(super) fn begin(&self, step: Option<usize>, kill_before: Option<usize>) -> Signals {
        let begun = UnderWay {
            step,
            kill_before,
            ..UnderWay::default()
        };
        let signals = begun.signals.clone();
        *lock(&self.under_way) = begun;
        signals
    }

    fn poll(&self, step: Option<usize>) -> Option<&Poll> {
        match &self.scenario.steps.get(step?)?.value {
            Step::Poll(poll) => Some(poll),
            _ => None,
        }
    }

    /// The provider was asked something, and is about to answer.
    pub(super) fn asked(&self, request: &Request) {
        let Some(subject) = Subject::of(request) else {
            return;
        };
        let (step, number, is_killed) = {
            let mut now = lock(&self.under_way);
            let is_killed = now.is_due();
            (now.step, now.count(subject), is_killed)
        };
        if is_killed {
            self.instance.fail_next(Fault::Hang);
            return self.kill();
        }
        let Some(poll) = self.poll(step) else {
            return;
        };
        let answers = match subject {
            Subject::Records => {
                self.interrupt(poll, number);
                &poll.pages
            }
            Subject::Ids => &poll.ids,
            Subject::Single => &poll.singles,
            Subject::Deletions => &poll.deletions,
        };
        if let Some(fault) = answers.get(&number).and_then(|answer| answer.fault()) {
            self.instance.fail_next(fault);
        }
    }

    fn interrupt(&self, poll: &Poll, page: usize) {
        let due = poll.during.iter().filter(|each| each.before_page == page);
        due.flat_map(|each| &each.steps)
            .for_each(|step| self.act(&step.value));
        let at = Some(Cut::BeforePage(page));
        if poll.stopped == at {
            self.instance.fail_next(Fault::Hang);
            lock(&self.under_way).signals.stop.cancel();
        }
        if poll.killed == at {
            self.instance.fail_next(Fault::Hang);
            self.kill();
        }
    }

    /// A notification has come; how it is answered.
    pub(super) fn notified(&self, incoming: &Incoming) -> Answer {
        if incoming.path == DEAD_LETTERS {
            return self.lettered();
        }
        let (step, number, is_killed) = {
            let mut now = lock(&self.under_way);
            now.notifications += 1;
            let is_killed = now.is_due();
            (now.step, now.notifications, is_killed)
        };
        let poll = self.poll(step);
        let at = Some(Cut::BeforeNotification(number));
        if poll.is_some_and(|poll| poll.stopped == at) {
            lock(&self.under_way).signals.stop.cancel();
            return Answer::Hang;
        }
        if is_killed || poll.is_some_and(|poll| poll.killed == at) {
            self.kill();
            return Answer::Hang;
        }
        match poll.and_then(|poll| poll.notifications.get(&number)) {
            Some(answer) => answer.answer(),
            None => self.usual_answer(incoming, number),
        }
    }

    /// A dead letter has come; how it is answered.
    fn lettered(&self) -> Answer {
        if lock(&self.under_way).is_due() {
            self.kill();
            return Answer::Hang;
        }
        let change = lock(&self.dead_letters).clone();
        change.map_or_else(Answer::default, |change| change.answers.answer())
    }

    fn usual_answer(&self, incoming: &Incoming, number: usize) -> Answer {
        let Some(usual) = lock(&self.callback).clone() else {
            return Answer::default();
        };
        let is_due = usual.every.is_none_or(|every| number.is_multiple_of(every));
        let concerns = |names: &crate::format::Names| {
            let ids = incoming.object_ids();
            ids.iter().any(|id| names.0.contains(&self.name(id)))
        };
        let is_large = |above| incoming.object_ids().len() > above;
        if is_due && usual.to.as_ref().is_none_or(concerns) && usual.above.is_none_or(is_large) {
            usual.answers.answer()
        } else {
            Answer::default()
        }
    }

    fn kill(&self) {
        lock(&self.under_way).signals.kill.cancel();
    }
}
