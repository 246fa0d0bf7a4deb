//! Pollen's own stack: its connection, its source of pages, its engine.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use chrono::TimeDelta;
use pollen::{
    api::{Checkpoint, CreatedCheck, PollerResourceSpec},
    callback::{Callback, CallbackSettings, HttpCallback, RetryPolicy},
    catalog::Catalog,
    clock::Clock,
    event::{Identity, Origin},
    network::{AddressPolicy, ClientOptions, GuardedClient},
    poll::{Edges, End, Plan, Start, poll, start},
    provider::{Connection, ResourceSettings, ResourceSource},
    secrets::Secrets,
};
use reqwest::Url;
use serde_json::json;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::{
    Result,
    edges::{Memory, Token},
    table::Table,
    unchanged::Read,
};

const CONNECTOR: &str = "servicenowoauth";
const NAMESPACE: &str = "bench";

/// What is asked of a poller.
pub(crate) struct PollerSettings {
    pub(crate) page_size: u32,
    /// Notifications in flight, with an event in each.
    pub(crate) in_flight: usize,
}

impl PollerSettings {
    pub(crate) const fn of_pages(page_size: u32) -> Self {
        Self {
            page_size,
            in_flight: 1,
        }
    }
}

/// A poller of all incidents, by the built-in connector; each poll reads all of them again.
pub(crate) struct Poller {
    source: ResourceSource,
    plan: Plan,
    store: Mutex<Memory>,
}

impl Poller {
    /// A poller of the provider at `address`.
    pub(crate) fn new(address: SocketAddr, settings: &PollerSettings) -> Result<Self> {
        let source = source(address, settings.page_size)?;
        let plan = plan(&source, settings.in_flight);
        Ok(Self {
            source,
            plan,
            store: Mutex::default(),
        })
    }

    /// The checkpoint from which every record is new.
    pub(crate) async fn start(&self) -> Result<Checkpoint> {
        let stop = CancellationToken::new();
        start(
            &self.plan,
            &self.source,
            &mut *self.store.lock().await,
            &Clock::system(),
            &stop,
        )
        .await
        .map_err(|end| format!("no start: {end:?}").into())
    }

    /// One poll that must read everything; what it read, and the checkpoint it leaves.
    pub(crate) async fn poll(
        &self,
        checkpoint: &Checkpoint,
        callback: &impl Callback,
    ) -> Result<(Read, Checkpoint)> {
        let mut store = self.store.lock().await;
        let edges = Edges {
            source: &self.source,
            callback,
            store: &mut *store,
        };
        let stop = CancellationToken::new();
        let checkpoint = checkpoint.clone();
        let outcome = poll(
            &self.plan,
            checkpoint.into(),
            edges,
            &Clock::system(),
            &stop,
        )
        .await;
        let read = Read {
            records: usize::try_from(outcome.progress.read)?,
            changes: usize::try_from(outcome.progress.events())?,
        };
        match (outcome.end, outcome.checkpoint) {
            (End::Complete, Some(held)) => Ok((read, held.checkpoint)),
            (end, _) => Err(format!("the poll ended with {end:?}").into()),
        }
    }
}

/// The callback at `address`, over HTTP.
pub(crate) fn callback(address: SocketAddr) -> Result<HttpCallback> {
    let policy = policy(address)?;
    let client = GuardedClient::new(policy, NAMESPACE, &ClientOptions::default())?;
    let settings = CallbackSettings {
        spec: &serde_json::from_value(json!({"url": format!("http://{address}/")}))?,
        secrets: &Secrets::default(),
        client: client.clone(),
        dead_letter_client: client,
        clock: Clock::system(),
        retry: RetryPolicy {
            first: Duration::from_secs(1),
            max: Duration::from_secs(1),
            give_up_after: Duration::ZERO,
        },
    };
    Ok(HttpCallback::new(settings)?)
}

fn source(address: SocketAddr, page_size: u32) -> Result<ResourceSource> {
    let connector = Catalog::builtin()?
        .get(CONNECTOR)
        .ok_or("no such connector")?;
    let connection = Connection::new(
        connector,
        Url::parse(&format!("http://{address}"))?,
        GuardedClient::new(policy(address)?, NAMESPACE, &ClientOptions::default())?,
        Arc::new(Token),
        Arc::new(str::to_owned),
        Clock::system(),
    )?;
    let spec: PollerResourceSpec = serde_json::from_value(json!({
        "instanceRef": {"name": "servicenow"},
        "pageSize": page_size,
    }))?;
    let settings = ResourceSettings {
        resource: "incidents".to_owned(),
        spec: &spec,
    };
    Ok(ResourceSource::new(Arc::new(connection), &settings)?)
}

fn policy(address: SocketAddr) -> Result<Arc<AddressPolicy>> {
    let rule = address.ip().to_string().parse()?;
    Ok(Arc::new(AddressPolicy::new(vec![rule], Vec::new())))
}

fn plan(source: &ResourceSource, in_flight: usize) -> Plan {
    Plan {
        uid: "of-the-bench".to_owned(),
        origin: origin(),
        query_fingerprint: source.fingerprint().to_owned(),
        start: Start::At(Table::begin()),
        start_from: Default::default(),
        unit: source.unit().duration(),
        // Behind the first record.
        reach: TimeDelta::days(1),
        content: None,
        created_check: CreatedCheck::default(),
        created_tolerance: TimeDelta::zero(),
        drop_before_bound: true,
        drop_after_clock: false,
        excluded_classes: Default::default(),
        children: Vec::new(),
        gone: Default::default(),
        replay: None,
        deletions: None,
        reconcile: None,
        max_events: 1,
        in_flight,
        on_rejected: Default::default(),
    }
}

fn origin() -> Origin {
    Origin {
        namespace: NAMESPACE.to_owned(),
        instance: "servicenow".to_owned(),
        resource: "incidents".to_owned(),
        connector: CONNECTOR.to_owned(),
        hub: "helpdesk".to_owned(),
        tags: Vec::new(),
        identity: Identity::new(NAMESPACE, "servicenow", None),
    }
}
