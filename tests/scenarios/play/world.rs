//! A provider, a callback and the manifests between them, as a scenario wants them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use serde_json::{Map, Value, json};
use simulator::{Clock, receiver::Receiver, servicenow::Instance};

use super::{letters::DEAD_LETTERS, manifests::Manifests, traffic::UnderWay};
use crate::format::{Annotate, CallbackChange, DeadLettersChange, Fields, Scenario};

/// The signing key, which both schemes can use.
const KEY: &str = "whsec_c2lnbmluZy1rZXktb2YtdGhlLXNjZW5hcmlvcyE=";

/// The name of the ConnectorInstance.
const INSTANCE: &str = "servicenow";

/// Everything around Pollen.
pub(super) struct World {
    pub(super) scenario: Arc<Scenario>,
    pub(super) instance: Instance,
    pub(super) receiver: Receiver,
    pub(super) manifests: Manifests,
    pub(super) under_way: Mutex<UnderWay>,
    /// How the callback answers where the poll says nothing of it.
    pub(super) callback: Mutex<Option<CallbackChange>>,
    /// How dead letters are answered.
    pub(super) dead_letters: Mutex<Option<DeadLettersChange>>,
    /// All that Pollen said so far to the person who watches.
    pub(super) said: Mutex<String>,
    /// The names of records by their ids, where these are others.
    pub(super) names: Mutex<BTreeMap<String, String>>,
}

/// Where the two ends are reached.
pub(super) struct Addresses {
    pub(super) provider: String,
    pub(super) callback: String,
}

impl World {
    pub(super) fn new(scenario: Arc<Scenario>, clock: Clock) -> Arc<Self> {
        let world = Arc::new(Self {
            instance: Instance::by_clock(clock),
            receiver: Receiver::by_clock(clock, &[KEY]),
            manifests: Manifests::new(),
            under_way: Mutex::default(),
            callback: Mutex::default(),
            dead_letters: Mutex::default(),
            said: Mutex::default(),
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
        if callback.get("onRejected") == Some(&json!("DeadLetter")) {
            let url = format!("{}{DEAD_LETTERS}", addresses.callback);
            callback.insert("deadLetter".to_owned(), json!({"url": url}));
        }
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

    /// Annotates a manifest.
    ///
    /// # Errors
    ///
    /// The value is to be one that Pollen told, and it told none.
    pub(super) fn annotate(&self, annotate: &Annotate) -> Result<(), String> {
        for (name, value) in &annotate.annotations {
            let value = match value.as_str() {
                "as told" => self.told(name)?,
                value => value.to_owned(),
            };
            let object = annotate.poller.as_deref().unwrap_or(INSTANCE);
            self.manifests.edit(object, |manifest| {
                manifest["metadata"]["annotations"][name] = value.into();
            });
        }
        Ok(())
    }

    /// The value that Pollen asked for last.
    fn told(&self, annotation: &str) -> Result<String, String> {
        let said = lock(&self.said);
        let told = said.rsplit_once(&format!("{annotation}: \""));
        let value = told.and_then(|(_, rest)| rest.split_once('"'));
        match value {
            Some((value, _)) => Ok(value.to_owned()),
            None => Err(format!("Pollen asked for no annotation {annotation}")),
        }
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
pub(super) fn merge(object: &mut Map<String, Value>, field: &str, value: &Value) {
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
