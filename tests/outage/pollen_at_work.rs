//! Pollen between the tenants' ends: an instance and a poller for each.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use pollen::{
    callback::RetryPolicy,
    catalog::{Catalog, Connector},
    clock::Clock,
    fleet::{
        self, Begin, Environment, Instance, InstanceSettings, Observer, Poller, PollerSettings,
    },
    network::{AddressPolicy, Clients, Transport},
    poll::Outcome,
    provider::auth::{NoTokens, Renewals},
    secrets::Secrets,
};
use serde_json::json;
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{hosts::Hosts, stores::Checkpoints, tenant::Tenant};

/// The definition that comes with Pollen.
const CONNECTOR: &str = include_str!("../../src/catalog/builtin/servicenowoauth.yaml");

/// As the operator has it.
const RETRY: RetryPolicy = RetryPolicy {
    first: Duration::from_secs(1),
    max: Duration::from_secs(10),
    give_up_after: Duration::from_secs(20),
};

/// The pollers at work.
pub(crate) struct AtWork {
    stores: Vec<Checkpoints>,
    tasks: JoinSet<()>,
    stop: CancellationToken,
    _poke: watch::Sender<u64>,
}

impl AtWork {
    /// The size of the checkpoint of a tenant's poller.
    pub(crate) fn checkpoint(&self, tenant: usize) -> usize {
        self.stores[tenant].bytes()
    }

    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }
}

/// Starts a poller for each tenant.
pub(crate) async fn start(begin: DateTime<Utc>, tenants: &[Tenant]) -> AtWork {
    let environment = environment(begin, tenants);
    let (poke, poked) = watch::channel(0);
    let mut at_work = AtWork {
        stores: Vec::new(),
        tasks: JoinSet::new(),
        stop: CancellationToken::new(),
        _poke: poke,
    };
    for tenant in tenants {
        let instance = Instance::build(instance(tenant), &environment)
            .await
            .unwrap();
        let poller = Poller::build(&instance, poller(tenant, begin), &environment).unwrap();
        let store = Checkpoints::default();
        at_work.stores.push(store.clone());
        let stop = at_work.stop.clone();
        let (poked, begin) = (poked.clone(), Begin::AtOnce);
        at_work
            .tasks
            .spawn(fleet::run(poller, store, Silent, begin, poked, stop));
    }
    at_work
}

fn provider(tenant: usize) -> String {
    format!("http://10.0.0.{}", tenant + 1)
}

fn callback(tenant: usize) -> String {
    format!("http://10.0.1.{}", tenant + 1)
}

fn environment(begin: DateTime<Utc>, tenants: &[Tenant]) -> Environment {
    let mut hosts = Vec::new();
    for tenant in tenants {
        hosts.push((provider(tenant.index), tenant.provider.router()));
        hosts.push((callback(tenant.index), tenant.receiver.router()));
    }
    let hosts = Hosts::new(hosts.iter().map(|(url, host)| (url.as_str(), host.clone())));
    let transport: Arc<dyn Transport> = Arc::new(hosts);
    let allowed = vec!["10.0.0.0/8".parse().unwrap()];
    let policy = Arc::new(AddressPolicy::new(allowed, Vec::new()));
    Environment {
        clock: Clock::starting_at(begin),
        catalog: Arc::new(Catalog::from_iter([connector()])),
        clients: Arc::new(Clients::over(transport, policy)),
        retry: RETRY,
    }
}

fn connector() -> Connector {
    let definition: serde_json::Value = serde_saphyr::from_str(CONNECTOR).unwrap();
    Connector::read(&definition.to_string()).unwrap()
}

fn instance(tenant: &Tenant) -> InstanceSettings {
    let spec = json!({
        "connector": "servicenowoauth",
        "baseUrl": provider(tenant.index),
        "authentication": {"type": "ClientCredentials", "secretRef": {"name": "oauth"}},
        "events": {
            "enabled": true,
            "refreshInterval": "10s",
            "callback": {"url": format!("{}/events", callback(tenant.index))},
        },
    });
    let entry = |name: &str, value: &str| (name.to_owned(), value.to_owned().into());
    let entries = [
        entry("clientId", "demo-client"),
        entry("clientSecret", "demo-secret"),
    ];
    let mut secrets = Secrets::default();
    secrets.insert("oauth".to_owned(), BTreeMap::from(entries));
    InstanceSettings {
        namespace: "default".to_owned(),
        name: format!("tenant-{}", tenant.index),
        spec: serde_json::from_value(spec).unwrap(),
        secrets,
        tokens: Arc::new(NoTokens),
        renewals: Renewals::default(),
        deferred_until: None,
        gone_callback: None,
        held_callback: None,
    }
}

fn poller(tenant: &Tenant, begin: DateTime<Utc>) -> PollerSettings {
    let spec = json!({
        "instanceRef": {"name": format!("tenant-{}", tenant.index)},
        "resource": "incident",
        "deletes": {"mode": "Ignore"},
    });
    PollerSettings {
        namespace: "default".to_owned(),
        name: "incident".to_owned(),
        // Its place on the grid.
        uid: format!("uid-of-tenant-{}", tenant.index),
        created_at: begin,
        spec: serde_json::from_value(spec).unwrap(),
        confirmed_deletes: None,
        siblings: Vec::new(),
        stored: Default::default(),
        gone: Vec::new(),
    }
}

/// What the pollers say is not listened to: what arrives is looked at.
struct Silent;

impl Observer for Silent {
    async fn polled(&mut self, _: &Outcome) {}

    async fn replayed(&mut self, _: &Outcome, _: bool) {}

    async fn waiting(&mut self, _: &str) {}
}
