//! A provider, a callback and a store in memory, under a paused clock.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{
    api::{Checkpoint, CreatedCheck},
    callback::{Callback, Delivery, Rejection, Unavailable},
    category::Category,
    clock::Clock,
    event::{Identity, Kind, Notification, Origin},
    poll::{self, CheckpointStore, Edges, End, Held, Outcome, Plan, Progress, Start, StoreError},
    provider::{
        Ask, Bound, DateReader, FetchError, Page, PageSource, Paging, RecordShape, ShapeSettings,
        Step,
    },
    template::{DatePattern, Zone},
};

/// The second at which every world begins.
pub(super) const BEGIN: i64 = 1_700_000_000;

/// As a number of turns: no answer at all.
pub(super) const NEVER: usize = usize::MAX;

pub(super) fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(BEGIN + second, 0).unwrap()
}

#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) updated: i64,
    pub(super) created: i64,
    pub(super) version: u32,
    pub(super) class: &'static str,
    /// From when on a listing shows it.
    pub(super) visible_from: i64,
    /// Access rules hide it, after the limit.
    pub(super) hidden: bool,
    /// What its JSON says instead.
    pub(super) odd: Option<serde_json::Value>,
}

type Action = Box<dyn FnOnce(&mut Provider) + Send>;

pub(super) struct Provider {
    pub(super) records: BTreeMap<String, Record>,
    pub(super) paging: Paging,
    pub(super) ignores_order: bool,
    pub(super) ignores_filter: bool,
    /// Records of one date come in the reverse order of their ids.
    pub(super) reverses_ties: bool,
    /// Every step is answered with the first page.
    pub(super) ignores_steps: bool,
    /// Records have no version field, and a field that is another in every answer.
    pub(super) varies: bool,
    /// Actions before the request with this number, counted from 1 over all polls.
    pub(super) before: BTreeMap<usize, Action>,
    pub(super) failing: BTreeMap<usize, FetchError>,
    pub(super) requests: Vec<Ask>,
    /// How far the provider's clock is off.
    pub(super) skew: TimeDelta,
    clock: Clock,
}

#[derive(Clone)]
pub(super) struct World {
    pub(super) clock: Clock,
    provider: Arc<Mutex<Provider>>,
    pub(super) receiver: Receiver,
    pub(super) store: Store,
    pub(super) plan: Plan,
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
            varies: false,
            before: BTreeMap::new(),
            failing: BTreeMap::new(),
            requests: Vec::new(),
            skew: TimeDelta::zero(),
            clock,
        };
        Self {
            clock,
            provider: Arc::new(Mutex::new(provider)),
            receiver: Receiver::default(),
            store: Store::default(),
            plan: plan(),
        }
    }

    pub(super) fn provider(&self) -> MutexGuard<'_, Provider> {
        self.provider.lock().unwrap()
    }

    pub(super) fn now(&self) -> i64 {
        self.clock.now().timestamp() - BEGIN
    }

    /// Lets `seconds` pass.
    pub(super) async fn pass(&self, seconds: u64) {
        tokio::time::advance(std::time::Duration::from_secs(seconds)).await;
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

impl Provider {
    pub(super) fn touch_at(&mut self, id: &str, second: i64) -> &mut Record {
        let record = self.records.entry(id.to_owned()).or_insert_with(|| Record {
            id: id.to_owned(),
            updated: second,
            created: second,
            version: 0,
            class: "account",
            visible_from: i64::MIN,
            hidden: false,
            odd: None,
        });
        record.updated = second;
        record.version += 1;
        record
    }

    fn listed(&self, ask: &Ask) -> Vec<&Record> {
        let now = self.clock.now().timestamp() - BEGIN;
        let from = ask.bound.instant.timestamp() - BEGIN;
        let until = ask
            .until
            .map_or(i64::MAX, |until| until.timestamp() - BEGIN);
        let mut listed: Vec<_> = self
            .records
            .values()
            .filter(|record| record.visible_from <= now)
            .filter(|record| self.ignores_filter || (from..=until).contains(&record.updated))
            .collect();
        if let Step::AfterKey(after) = &ask.step
            && !self.ignores_steps
        {
            listed.retain(|record| record.updated == from && record.id > *after);
        }
        if !self.ignores_order {
            listed.sort_by_key(|record| record.id.clone());
            if self.reverses_ties {
                listed.reverse();
            }
            listed.sort_by_key(|record| record.updated);
        }
        listed
    }

    fn answer(&mut self, ask: &Ask) -> Result<Page, FetchError> {
        self.requests.push(ask.clone());
        let number = self.requests.len();
        if let Some(action) = self.before.remove(&number) {
            action(self);
        }
        if let Some(error) = self.failing.remove(&number) {
            return Err(error);
        }
        let listed = self.listed(ask);
        let offset = match &ask.step {
            Step::Offset(offset) if !self.ignores_steps => usize::try_from(*offset).unwrap(),
            _ => 0,
        };
        let page = listed
            .iter()
            .skip(offset)
            .take(self.paging.page_size as usize);
        let result: Vec<_> = page
            .filter(|record| !record.hidden)
            .map(|record| {
                let mut json = record.json();
                if self.varies {
                    json["number_of_answer"] = number.into();
                }
                json
            })
            .collect();
        let mut body = serde_json::to_vec(&json!({ "result": result })).unwrap();
        // Without its first byte U+FFFD is no UTF-8.
        body.retain(|byte| *byte != 0xEF);
        let mut page = Page::new(shape(!self.varies), body.into());
        page.server_time = Some(self.clock.now() + self.skew);
        page.total = Some(listed.len() as u64);
        page.limit = self.paging.page_size;
        Ok(page)
    }
}

impl Record {
    fn json(&self) -> serde_json::Value {
        self.odd.clone().unwrap_or_else(|| {
            json!({
                "sys_id": self.id,
                "sys_updated_on": (BEGIN + self.updated) * 1_000,
                "sys_created_on": (BEGIN + self.created) * 1_000,
                "sys_mod_count": self.version,
                "sys_class_name": self.class,
            })
        })
    }
}

fn shape(versioned: bool) -> Arc<RecordShape> {
    let date = |field: &str| DateReader {
        field: field.to_owned(),
        pattern: DatePattern::parse("milliseconds").unwrap(),
        zone: Zone::Utc,
    };
    let settings = ShapeSettings {
        records: "result".to_owned(),
        id: "sys_id".to_owned(),
        updated: Some(date("sys_updated_on")),
        created: Some(date("sys_created_on")),
        version: versioned.then(|| "sys_mod_count".to_owned()),
        class: Some("sys_class_name".to_owned()),
        ..ShapeSettings::default()
    };
    Arc::new(RecordShape::new(settings).unwrap())
}

impl PageSource for World {
    fn paging(&self) -> Paging {
        self.provider().paging
    }

    fn bound(&self, instant: DateTime<Utc>) -> Bound {
        let second = instant.timestamp();
        Bound {
            instant: DateTime::from_timestamp(second, 0).unwrap(),
            text: second.to_string(),
        }
    }

    async fn fetch(&self, ask: &Ask) -> Result<Page, FetchError> {
        tokio::task::yield_now().await;
        let answer = self.provider().answer(ask);
        tokio::task::yield_now().await;
        answer
    }
}

/// One event as the receiver got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Got {
    pub(super) event: String,
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) version: u64,
}

type Script = Box<dyn FnMut(&[Got]) -> Option<Delivery> + Send>;

/// A callback that acknowledges everything unless its script says otherwise.
#[derive(Clone, Default)]
pub(super) struct Receiver {
    posted: Arc<Mutex<Vec<Vec<Got>>>>,
    acknowledged: Arc<Mutex<Vec<Got>>>,
    script: Arc<Mutex<Option<Script>>>,
    /// Turns of the runtime that each answer takes, used up from the front; [`NEVER`] answers never.
    pub(super) turns: Arc<Mutex<VecDeque<usize>>>,
}

impl Receiver {
    pub(super) fn acknowledged(&self) -> Vec<Got> {
        self.acknowledged.lock().unwrap().clone()
    }

    pub(super) fn posted(&self) -> Vec<Vec<Got>> {
        self.posted.lock().unwrap().clone()
    }

    pub(super) fn script(&self, script: impl FnMut(&[Got]) -> Option<Delivery> + Send + 'static) {
        *self.script.lock().unwrap() = Some(Box::new(script));
    }

    pub(super) fn accept_all(&self) {
        *self.script.lock().unwrap() = None;
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
        let got = notification.events.iter().map(|event| {
            let record: serde_json::Value = serde_json::from_slice(&event.record).unwrap();
            Got {
                event: event.id.as_str().to_owned(),
                id: event.object_id.clone(),
                kind: event.kind,
                version: record["sys_mod_count"].as_u64().unwrap_or_default(),
            }
        });
        let delivery = self.answer(got.collect());
        tokio::task::yield_now().await;
        delivery
    }
}

pub(super) fn rejected() -> Delivery {
    Delivery::Rejected(Rejection {
        status: 400,
        message: "the callback answered 400".to_owned(),
    })
}

pub(super) fn unavailable() -> Delivery {
    let message = "the callback answered 503".to_owned();
    Delivery::Unavailable(Unavailable {
        message,
        retry_after: None,
    })
}

pub(super) fn provider_error() -> FetchError {
    FetchError {
        category: Category::Provider,
        message: "the provider answered 500".to_owned(),
        retry_after: None,
    }
}

/// A store that survives what happens to the poll, as JSON.
#[derive(Clone, Default)]
pub(super) struct Store {
    stored: Arc<Mutex<Option<String>>>,
    pub(super) writes: Arc<Mutex<Vec<Progress>>>,
    /// What the next writes fail of.
    pub(super) failing: Arc<Mutex<Vec<StoreError>>>,
    pub(super) capacity: Option<usize>,
}

impl Store {
    pub(super) fn written(&self) -> usize {
        self.writes.lock().unwrap().len()
    }

    pub(super) fn checkpoint(&self) -> Checkpoint {
        serde_json::from_str(self.stored.lock().unwrap().as_ref().unwrap()).unwrap()
    }

    pub(super) fn edit(&self, edit: impl FnOnce(&mut Checkpoint)) {
        let mut checkpoint = self.checkpoint();
        edit(&mut checkpoint);
        *self.stored.lock().unwrap() = Some(serde_json::to_string(&checkpoint).unwrap());
    }
}

impl CheckpointStore for Store {
    fn window_capacity(&self) -> usize {
        self.capacity.unwrap_or(100_000)
    }

    async fn load(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        Ok(self
            .stored
            .lock()
            .unwrap()
            .as_ref()
            .map(|stored| serde_json::from_str(stored).unwrap()))
    }

    async fn save(
        &mut self,
        checkpoint: &Checkpoint,
        progress: &Progress,
    ) -> Result<(), StoreError> {
        tokio::task::yield_now().await;
        if let Some(error) = self.failing.lock().unwrap().pop() {
            return Err(error);
        }
        *self.stored.lock().unwrap() = Some(serde_json::to_string(checkpoint).unwrap());
        self.writes.lock().unwrap().push(progress.clone());
        tokio::task::yield_now().await;
        Ok(())
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
        unit: TimeDelta::seconds(1),
        reach: TimeDelta::seconds(30),
        created_check: CreatedCheck::Watermark,
        created_tolerance: TimeDelta::zero(),
        content: None,
        drop_before_bound: true,
        drop_after_clock: false,
        excluded_classes: Default::default(),
        children: Vec::new(),
        max_events: 3,
        in_flight: 1,
    }
}
