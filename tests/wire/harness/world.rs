//! A ServiceNow and a receiver on free ports, and manifests that tie them together.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use simulator::{
    Served,
    receiver::{Event, Receiver},
    servicenow::{Instance, Request},
};

use tokio::process::Command;

use super::{Ended, Manifests, PATIENCE, Pollen, process};

/// The signing key, which both schemes can use.
const KEY: &str = "whsec_c2lnbmluZy1rZXktb2YtdGhlLXdpcmUtdGVzdHM=";

/// Everything around the binary.
pub(crate) struct World {
    pub(crate) instance: Instance,
    pub(crate) receiver: Receiver,
    pub(crate) manifests: Manifests,
    pub(crate) provider: Served,
    pub(crate) callback: Served,
    /// The authorities that the binary trusts, in place of the system's.
    pub(crate) trusted: Option<PathBuf>,
    /// Further variables of its environment.
    pub(crate) environment: Vec<(&'static str, String)>,
}

impl World {
    /// An instance without records, a receiver that takes everything, and no poller yet.
    pub(crate) async fn new() -> Self {
        let instance = Instance::new();
        let receiver = Receiver::with_keys(&[KEY]);
        let world = Self {
            provider: instance.listen("127.0.0.1:0").await.unwrap(),
            callback: receiver.listen("127.0.0.1:0").await.unwrap(),
            instance,
            receiver,
            manifests: Manifests::new(),
            trusted: None,
            environment: Vec::new(),
        };
        let url = world.provider.url();
        world
            .manifests
            .put("ConnectorInstance", "servicenow", world.spec(&url));
        world.manifests.put_secret(
            "oauth",
            json!({
                "clientId": "demo-client", "clientSecret": "demo-secret", "code": "demo-code",
                "username": "integration", "password": "demo-password",
            }),
        );
        world.manifests.put_secret("signing", json!({"key": KEY}));
        world
    }

    /// The same with one poller of the table `incident`, from the beginning on.
    pub(crate) async fn with_incidents() -> Self {
        let world = Self::new().await;
        world.poller("incident", json!({}));
        world
    }

    fn spec(&self, base_url: &str) -> Value {
        json!({
            "connector": "servicenowoauth",
            "baseUrl": base_url,
            "tags": ["production"],
            "authentication": {"type": "ClientCredentials", "secretRef": {"name": "oauth"}},
            "events": {
                "enabled": true,
                "refreshInterval": "1s",
                "callback": {
                    "url": format!("{}/events", self.callback.url()),
                    "signing": {
                        "secretRef": {"name": "signing"},
                        "schemes": ["OpenConnectors", "StandardWebhooks"],
                    },
                },
            },
        })
    }

    /// A poller of the resource `name` from the beginning on, but for what `spec` says otherwise.
    pub(crate) fn poller(&self, name: &str, spec: Value) {
        let mut whole = json!({"instanceRef": {"name": "servicenow"}, "startFrom": "Beginning"});
        for (field, value) in spec.as_object().unwrap() {
            whole[field] = value.clone();
        }
        self.manifests.put("PollerResource", name, whole);
    }

    /// Sets a field of the instance's `spec.events.callback`.
    pub(crate) fn set_callback(&self, field: &str, value: Value) {
        let pointer = format!("/spec/events/callback/{field}");
        self.manifests.set("servicenow", &pointer, value);
    }

    /// `pollen local --once` without a retry, to its end.
    pub(crate) async fn poll_once(&self) -> Ended {
        self.poll_once_retrying("0s").await
    }

    pub(crate) async fn poll_once_retrying(&self, retry_for: &str) -> Ended {
        self.run(&["--once", "--retry-for", retry_for]).await
    }

    /// `pollen local --once` that must end well; the events that it delivered.
    pub(crate) async fn poll_well(&self) -> Vec<Event> {
        let before = self.receiver.acknowledged().len();
        let ended = self.poll_once().await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        self.receiver.acknowledged().split_off(before)
    }

    /// `pollen local` with `arguments`, to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        process::run(self.pollen("local", arguments)).await
    }

    /// `pollen check`, to its end.
    pub(crate) async fn check(&self) -> Ended {
        process::run(self.pollen("check", &[])).await
    }

    /// `pollen explain`, to its end.
    pub(crate) async fn explain(&self, arguments: &[&str]) -> Ended {
        process::run(self.pollen("explain", arguments)).await
    }

    /// `pollen local`, left running.
    pub(crate) fn start(&self) -> Pollen {
        Pollen::start(self.pollen("local", &[]))
    }

    fn pollen(&self, command: &str, arguments: &[&str]) -> Command {
        let mut pollen = process::pollen(command, self.manifests.path(), arguments);
        pollen.envs(self.trusted.as_ref().map(|file| ("SSL_CERT_FILE", file)));
        pollen.envs(self.environment.iter().map(|(name, value)| (name, value)));
        pollen
    }

    /// The acknowledged events, once there are `count` of them.
    pub(crate) async fn events(&self, count: usize) -> Vec<Event> {
        self.receiver.await_events(count, PATIENCE).await.unwrap()
    }

    /// Waits until an event of the record `id` was acknowledged.
    pub(crate) async fn arrived(&self, id: &str) {
        let is_its = |event: Event| event.object_id == id;
        self.until(|world| world.receiver.acknowledged().into_iter().any(is_its))
            .await;
    }

    /// Does something just before the `n`th page of `size` records from now is answered: other
    /// questions, such as those that probe the query, ask for one record, and pages of deletions are
    /// not counted.
    pub(crate) fn before_page(
        &self,
        n: usize,
        size: usize,
        action: impl FnOnce(&Instance) + Send + 'static,
    ) {
        let action = Arc::new(Mutex::new((0, Some(action))));
        for request in 1..=FURTHER_REQUESTS {
            let action = Arc::clone(&action);
            self.instance
                .before_table_request(request, move |instance| {
                    let asked = instance.table_requests();
                    if !is_page(asked.last().unwrap(), size) {
                        return;
                    }
                    let mut action = action.lock().unwrap();
                    action.0 += 1;
                    if action.0 == n {
                        (action.1.take().unwrap())(instance);
                    }
                });
        }
    }

    /// Another instance of the same provider, and a poller of its `problem`s: it shows that time
    /// passes, and that one instance's trouble is not another's.
    pub(crate) fn add_another_instance(&self) {
        self.manifests.edit_copy("servicenow", "other", |_| {});
        self.poller("problem", json!({"instanceRef": {"name": "other"}}));
    }

    /// Waits until the other instance was polled so often from now on.
    pub(crate) async fn has_polled_elsewhere(&self, times: usize) {
        let before = self.asked("problem");
        self.until(|world| world.asked("problem") >= before + times)
            .await;
    }

    /// The requests so far for records of `table`.
    pub(crate) fn asked(&self, table: &str) -> usize {
        let path = format!("/api/now/table/{table}");
        let asked = self.instance.table_requests();
        asked.iter().filter(|request| request.path == path).count()
    }

    /// Waits until `holds` does.
    pub(crate) async fn until(&self, holds: impl Fn(&Self) -> bool) {
        let mut glances = tokio::time::interval(GLANCE);
        let waiting = async {
            while !holds(self) {
                glances.tick().await;
            }
        };
        let patience = tokio::time::timeout(PATIENCE, waiting).await;
        patience.expect("it did not come to pass");
    }

    /// The requests so far for pages of `size` records.
    pub(crate) fn pages(&self, size: usize) -> usize {
        let asked = self.instance.table_requests();
        asked
            .iter()
            .filter(|request| is_page(request, size))
            .count()
    }
}

fn is_page(request: &Request, size: usize) -> bool {
    let limit = request.parameter("sysparm_limit");
    limit == Some(size.to_string().as_str()) && !request.path.ends_with("/sys_audit_delete")
}

/// Between two looks at what tells nobody of its change.
const GLANCE: Duration = Duration::from_millis(10);

/// More than a test makes before the page that it waits for.
const FURTHER_REQUESTS: usize = 50;
