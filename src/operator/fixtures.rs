//! Objects for tests, and what workers share.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta};
use serde_json::json;

use super::{
    budget::WriteBudget,
    cache::{Cache, InstanceItem, PollerItem},
    fake_api::FakeApi,
    item::{Item, Key},
    notices::Notices,
    renewals::KeptRenewals,
    shared::Shared,
    tokens::TokenSecrets,
};
use crate::{
    api::{Checkpoint, Stream, WHOLE_CHECKPOINT_VERSION},
    callback::RetryPolicy,
    catalog::Catalog,
    clock::Clock,
    fleet::Environment,
    network::{AddressPolicy, ClientOptions, Clients},
    telemetry::{Board, Metrics},
};

/// What workers share, on an API server in memory, a thousand seconds after the epoch.
pub(super) fn shared(api: &FakeApi) -> Arc<Shared> {
    let policy = Arc::new(AddressPolicy::default());
    shared_with(api, Clients::new(policy, ClientOptions::default()))
}

/// The same with these clients for providers and callbacks.
pub(super) fn shared_with(api: &FakeApi, clients: Clients) -> Arc<Shared> {
    let (client, metrics) = (api.client(), Metrics::default());
    let clock = Clock::starting_at(DateTime::UNIX_EPOCH + TimeDelta::seconds(1_000));
    let budget = WriteBudget::new(NonZeroU32::new(1_000).unwrap(), metrics.clone());
    Arc::new(Shared {
        owner: "pollen/pollen".to_owned(),
        cache: Cache::default(),
        clock,
        environment: environment(clock, clients),
        board: Board::default(),
        notices: Notices::new(client.clone(), "pollen", "pollen-0", budget.clone()).0,
        tokens: TokenSecrets {
            client: client.clone(),
            namespace: "pollen".to_owned(),
            release: "pollen".to_owned(),
            watched: Vec::new(),
            identity: "pollen-0".to_owned(),
            clock,
            budget: budget.clone(),
        },
        renewals: KeptRenewals::default(),
        reads: Shared::reads(),
        client,
        budget,
        metrics,
    })
}

fn environment(clock: Clock, clients: Clients) -> Environment {
    Environment {
        clock,
        catalog: Arc::new(Catalog::builtin().unwrap()),
        clients: Arc::new(clients),
        retry: RetryPolicy {
            first: Duration::from_secs(1),
            max: Duration::from_secs(1),
            give_up_after: Duration::from_secs(1),
        },
    }
}

pub(super) fn instance(name: &str) -> InstanceItem {
    item(
        name,
        serde_json::from_value(json!({
            "connector": "servicenowoauth",
            "authentication": {"secretRef": {"name": "oauth"}, "type": "ClientCredentials"},
            "configuration": {"servicenow.subdomain": "acme"},
            "events": {"enabled": true, "callback": {"url": "https://receiver.example/events"}},
        }))
        .unwrap(),
    )
}

pub(super) fn poller(name: &str, instance: &str) -> PollerItem {
    item(
        name,
        serde_json::from_value(json!({"instanceRef": {"name": instance}})).unwrap(),
    )
}

fn item<S>(name: &str, spec: S) -> Item<S> {
    Item {
        key: Key::new("helpdesk", name),
        uid: format!("uid-of-{name}"),
        generation: 1,
        created_at: DateTime::UNIX_EPOCH,
        poll_requested_at: None,
        resume_delivery: None,
        confirm_deletes: None,
        spec,
    }
}

/// A checkpoint that has settled everything up to `seconds` after the epoch.
pub(super) fn checkpoint(seconds: i64) -> Checkpoint {
    let at = DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
    Checkpoint {
        version: WHOLE_CHECKPOINT_VERSION,
        uid: "uid-of-accounts".into(),
        query_fingerprint: String::new(),
        started_at: at,
        start_from: None,
        asked_since: None,
        swept_at: None,
        records: Stream {
            watermark: at,
            settled_at_start: None,
            swept_at: None,
            window_since: at,
            window: None,
            content_ignored: None,
            position: None,
        },
        deletes: None,
        reconcile: None,
        replay: None,
        children: Vec::new(),
    }
}
