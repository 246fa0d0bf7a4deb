//! A provider, a callback and the manifests between them, as a scenario wants them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use serde_json::{Map, Value, json};
use simulator::{
    Clock,
    receiver::{Answer, Incoming, Receiver},
    servicenow::{Fault, Instance, Request},
};
use tokio_util::sync::CancellationToken;

use super::manifests::Manifests;
use crate::format::{CallbackChange, Cut, Fields, Poll, Scenario, Step};

/// The signing key, which both schemes can use.
const KEY: &str = "whsec_c2lnbmluZy1rZXktb2YtdGhlLXNjZW5hcmlvcyE=";

/// The name of the ConnectorInstance.
const INSTANCE: &str = "servicenow";

/// What probes the query asks for one record, or for a few; pages of scenarios have other sizes.
const PROBES: [Option<&str>; 2] = [Some("1"), Some("20")];

/// Everything around Pollen.
pub(super) struct World {
    pub(super) scenario: Arc<Scenario>,
    pub(super) instance: Instance,
    pub(super) receiver: Receiver,
    pub(super) manifests: Manifests,
    pub(super) under_way: Mutex<UnderWay>,
    /// How the callback answers where the poll says nothing of it.
    pub(super) callback: Mutex<Option<CallbackChange>>,
    /// The names of records by their ids, where these are others.
    pub(super) names: Mutex<BTreeMap<String, String>>,
}

/// The poll that is under way.
#[derive(Default)]
pub(super) struct UnderWay {
    /// Its place among the steps.
    step: Option<usize>,
    /// So many pages were asked for.
    pub(super) pages: usize,
    /// So many notifications came.
    pub(super) notifications: usize,
    pub(super) signals: Signals,
    /// Kills before this message in either direction.
    pub(super) kill_before: Option<usize>,
}

/// What is sent to the process under way.
#[derive(Clone, Default)]
pub(super) struct Signals {
    pub(super) kill: CancellationToken,
    pub(super) stop: CancellationToken,
}

/// Where the two ends are reached.
pub(super) struct Addresses {
    pub(super) provider: String,
    pub(super) callback: String,
}

/// Probes, the list of deletions, and the question which records exist are no pages.
fn is_page_of_records(request: &Request) -> bool {
    let query = request.parameter("sysparm_query").unwrap_or_default();
    !PROBES.contains(&request.parameter("sysparm_limit"))
        && !request.path.ends_with("/sys_audit_delete")
        && !query.starts_with("sys_idIN")
}

impl World {
    pub(super) fn new(scenario: Arc<Scenario>, clock: Clock) -> Arc<Self> {
        let world = Arc::new(Self {
            instance: Instance::by_clock(clock),
            receiver: Receiver::by_clock(clock, &[KEY]),
            manifests: Manifests::new(),
            under_way: Mutex::default(),
            callback: Mutex::default(),
            names: Mutex::default(),
            scenario,
        });
        let watching = Arc::downgrade(&world);
        world.instance.before_table_requests(move |_, request| {
            with(&watching, |world| world.asked(request));
        });
        let watching = Arc::downgrade(&world);
        world.receiver.answer_by(move |incoming| {
            with(&watching, |world| world.notified(incoming)).unwrap_or_default()
        });
        world
    }

    /// Writes the manifests.
    pub(super) fn lay_out(&self, addresses: &Addresses) {
        let mut callback = fields(&json!({
            "url": format!("{}/events", addresses.callback),
            "signing": {
                "secretRef": {"name": "signing"},
                "schemes": ["OpenConnectors", "StandardWebhooks"],
            },
        }));
        callback.extend(self.scenario.callback.clone());
        let mut spec = fields(&json!({
            "connector": "servicenowoauth",
            "baseUrl": addresses.provider,
            "authentication": {"type": "ClientCredentials", "secretRef": {"name": "oauth"}},
            "events": {"enabled": true, "refreshInterval": "1m", "callback": callback},
        }));
        spec.extend(self.scenario.instance.clone());
        self.manifests
            .put("ConnectorInstance", INSTANCE, json!(spec));
        self.manifests.put_secret(
            "oauth",
            json!({"clientId": "demo-client", "clientSecret": "demo-secret"}),
        );
        self.manifests.put_secret("signing", json!({"key": KEY}));
        for (name, spec) in &self.scenario.pollers {
            self.lay_out_poller(name, spec);
        }
    }

    fn lay_out_poller(&self, name: &str, spec: &Fields) {
        let mut whole = fields(&json!({
            "instanceRef": {"name": INSTANCE},
            "startFrom": "Beginning",
        }));
        whole.extend(spec.clone());
        self.manifests.put("PollerResource", name, json!(whole));
    }

    /// Sets fields of a manifest's spec; null takes one away.
    pub(super) fn edit(&self, poller: Option<&str>, changes: &Fields) {
        self.manifests.edit(poller.unwrap_or(INSTANCE), |manifest| {
            let Some(spec) = manifest["spec"].as_object_mut() else {
                return;
            };
            for (field, value) in changes {
                merge(spec, field, value);
            }
        });
    }

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
    fn asked(&self, request: &Request) {
        let is_page = is_page_of_records(request);
        let (step, number, is_killed) = {
            let mut now = lock(&self.under_way);
            now.pages += usize::from(is_page);
            let is_killed = now.is_due(is_page.then_some(Cut::BeforePage(now.pages)));
            (now.step, now.pages, is_killed)
        };
        if is_killed {
            self.instance.fail_next(Fault::Hang);
            return self.kill();
        }
        if let Some(poll) = self.poll(step).filter(|_| is_page) {
            self.interrupt(poll, number);
        }
    }

    fn interrupt(&self, poll: &Poll, page: usize) {
        let due = poll.during.iter().filter(|each| each.before_page == page);
        due.flat_map(|each| &each.steps)
            .for_each(|step| self.act(&step.value));
        if let Some(fault) = poll.pages.get(&page).and_then(|answer| answer.fault()) {
            self.instance.fail_next(fault);
        }
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
    fn notified(&self, incoming: &Incoming) -> Answer {
        let (step, number, is_killed) = {
            let mut now = lock(&self.under_way);
            now.notifications += 1;
            let is_killed = now.is_due(Some(Cut::BeforeNotification(now.notifications)));
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

    fn usual_answer(&self, incoming: &Incoming, number: usize) -> Answer {
        let Some(usual) = lock(&self.callback).clone() else {
            return Answer::default();
        };
        let is_due = usual.every.is_none_or(|every| number.is_multiple_of(every));
        let concerns = |names: &crate::format::Names| {
            let ids = incoming.object_ids();
            ids.iter().any(|id| names.0.contains(&self.name(id)))
        };
        if is_due && usual.to.as_ref().is_none_or(concerns) {
            usual.answers.answer()
        } else {
            Answer::default()
        }
    }

    fn kill(&self) {
        lock(&self.under_way).signals.kill.cancel();
    }

    /// What the scenario calls the record with this id.
    pub(super) fn name(&self, id: &str) -> String {
        let names = lock(&self.names);
        names.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }

    /// The id of the record that the scenario calls so.
    pub(super) fn id(&self, name: &str) -> String {
        let names = lock(&self.names);
        let id = names.iter().find(|(_, own)| *own == name);
        id.map_or_else(|| name.to_owned(), |(id, _)| id.clone())
    }
}

impl UnderWay {
    /// Whether this message is the one before which the process is killed.
    fn is_due(&self, message: Option<Cut>) -> bool {
        let sum = self.pages + self.notifications;
        message.is_some() && self.kill_before == Some(sum)
    }
}

fn with<T>(world: &Weak<World>, act: impl FnOnce(&World) -> T) -> Option<T> {
    world.upgrade().map(|world| act(&world))
}

/// A lock that a test which failed with it held does not keep.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn fields(object: &Value) -> Map<String, Value> {
    object.as_object().cloned().unwrap_or_default()
}

/// Sets a field; the fields of an object are set one by one.
fn merge(object: &mut Map<String, Value>, field: &str, value: &Value) {
    match value {
        Value::Null => _ = object.remove(field),
        Value::Object(inner) => {
            let own = object.entry(field).or_insert_with(|| json!({}));
            if let Some(own) = own.as_object_mut() {
                inner
                    .iter()
                    .for_each(|(field, value)| merge(own, field, value));
            }
        }
        _ => _ = object.insert(field.to_owned(), value.clone()),
    }
}
