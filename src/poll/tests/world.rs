//! A provider, a callback and a store in memory, under a paused clock.

mod deletions;
mod endless;
mod ids;
mod provider;
mod receiver;
mod store;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

pub(super) use self::{
    endless::Endless,
    provider::{Provider, provider_error},
    receiver::{Got, NEVER, Receiver, rejected, unavailable},
    store::Store,
};
use crate::{
    api::CreatedCheck,
    clock::Clock,
    event::{Identity, Origin},
    poll::{self, CheckpointStore as _, Deletions, Edges, End, Held, Outcome, Plan, Start},
    provider::Paging,
};

/// The second at which every world begins.
pub(super) const BEGIN: i64 = 1_700_000_000;

pub(super) fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(BEGIN + second, 0).unwrap()
}

#[derive(Clone)]
pub(super) struct World {
    pub(super) clock: Clock,
    provider: Arc<Mutex<Provider>>,
    pub(super) receiver: Receiver,
    pub(super) store: Store,
    pub(super) plan: Plan,
    /// The provider's list of deletions, where it has one: the same provider, asked for that.
    list: Option<Arc<Self>>,
    is_list: bool,
}

impl World {
    pub(super) fn new() -> Self {
        let clock = Clock::starting_at(at(0));
        let provider = Provider {
            records: BTreeMap::new(),
            paging: Paging {
                anchored: true,
                by_key: true,
                by_offset: true,
                bisectable: true,
                page_size: 10,
            },
            ignores_order: false,
            ignores_filter: false,
            reverses_ties: false,
            ignores_steps: false,
            cap: usize::MAX,
            gives_links: false,
            tells_no_total: false,
            promises_more: false,
            varies: false,
            before: BTreeMap::new(),
            failing: BTreeMap::new(),
            deletions: Default::default(),
            requests: Vec::new(),
            listing: ids::BY_KEY,
            listed: Vec::new(),
            before_list: BTreeMap::new(),
            failing_list: BTreeMap::new(),
            list_takes: Duration::ZERO,
            skew: TimeDelta::zero(),
            tells_no_time: false,
            page_takes: Duration::ZERO,
            clock,
        };
        Self {
            clock,
            provider: Arc::new(Mutex::new(provider)),
            receiver: Receiver::default(),
            store: Store::default(),
            plan: plan(),
            list: None,
            is_list: false,
        }
    }

    /// A poller that has started and goes by the provider's list of deletions.
    pub(super) async fn started_with_deletions() -> Self {
        let mut world = Self::new();
        world.listen_for_deletions();
        assert_eq!(world.poll_well().await, []);
        world
    }

    /// From now on the poller goes by the provider's list of deletions.
    pub(super) fn listen_for_deletions(&mut self) {
        self.plan.deletions = Some(Deletions {
            classes: ["account".to_owned()].into(),
            from_start: true,
            unit: self.plan.unit,
            reach: self.plan.reach,
        });
        self.list = Some(Arc::new(Self {
            is_list: true,
            ..self.clone()
        }));
    }

    /// Deletes the record `id` now.
    pub(super) fn delete_now(&self, id: &str) {
        let now = self.now();
        self.provider().delete_at(id, now);
    }

    pub(super) fn provider(&self) -> MutexGuard<'_, Provider> {
        self.provider.lock().unwrap()
    }

    pub(super) fn now(&self) -> i64 {
        self.clock.now().timestamp() - BEGIN
    }

    /// Lets `seconds` pass.
    pub(super) async fn pass(&self, seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    /// One poll from what is stored, or the first.
    pub(super) async fn poll(&self) -> Outcome {
        self.poll_until(&CancellationToken::new()).await
    }

    pub(super) async fn poll_until(&self, stop: &CancellationToken) -> Outcome {
        let mut store = self.store.clone();
        let checkpoint = match store.load().await.unwrap() {
            Some(checkpoint) => checkpoint,
            None => match poll::start(&self.plan, self, &mut store, &self.clock, stop).await {
                Ok(checkpoint) => checkpoint,
                Err(end) => return Outcome::of(end),
            },
        };
        self.poll_from(checkpoint.into(), stop).await
    }

    /// One poll as a process goes on that has polled before.
    pub(super) async fn poll_from(&self, held: Held, stop: &CancellationToken) -> Outcome {
        let mut store = self.store.clone();
        let edges = Edges {
            source: self,
            callback: &self.receiver,
            store: &mut store,
        };
        poll::poll(&self.plan, held, edges, &self.clock, stop).await
    }

    /// The next poll of the same process.
    pub(super) async fn poll_on(&self, last: Outcome) -> Outcome {
        let held = last.checkpoint.unwrap();
        self.poll_from(held, &CancellationToken::new()).await
    }

    /// One poll that must end well; the events acknowledged in it.
    pub(super) async fn poll_well(&self) -> Vec<Got> {
        let before = self.receiver.acknowledged().len();
        let outcome = self.poll().await;
        assert_eq!(outcome.end, End::Complete);
        self.receiver.acknowledged().split_off(before)
    }

    /// A poller that has started and has nothing to tell yet.
    pub(super) async fn started() -> Self {
        let world = Self::new();
        assert_eq!(world.poll_well().await, []);
        world
    }

    /// Creates or updates the record `id` now.
    pub(super) fn touch(&self, id: &str) {
        let now = self.now();
        self.provider().touch_at(id, now);
    }
}

fn plan() -> Plan {
    Plan {
        uid: "poller-uid".to_owned(),
        origin: Origin {
            namespace: "helpdesk".to_owned(),
            instance: "servicenow".to_owned(),
            resource: "accounts".to_owned(),
            connector: "servicenowoauth".to_owned(),
            hub: "helpdesk".to_owned(),
            tags: Vec::new(),
            identity: Identity {
                instance_id: 1,
                account_id: 2,
                company_id: 3,
                user_id: 4,
                instance_name: "servicenow".to_owned(),
            },
        },
        query_fingerprint: "what is asked".to_owned(),
        start: Start::Created(at(0)),
        start_from: Default::default(),
        unit: TimeDelta::seconds(1),
        reach: TimeDelta::seconds(30),
        created_check: CreatedCheck::Watermark,
        created_tolerance: TimeDelta::zero(),
        content: None,
        drop_before_bound: true,
        drop_after_clock: false,
        excluded_classes: Default::default(),
        children: Vec::new(),
        gone: Default::default(),
        deletions: None,
        replay: None,
        reconcile: None,
        max_events: 3,
        in_flight: 1,
        on_rejected: Default::default(),
    }
}
