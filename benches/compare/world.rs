//! A ServiceNow with thirty records, a callback, and one peer that polls.

use std::{
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use simulator::{
    RetryAfter, Served,
    receiver::{Event, Receiver},
    servicenow::{Fault, Instance},
};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::{Result, peer::Peer};

/// A second lies between each record and the next.
const RECORDS: i64 = 30;
pub(crate) const OLDEST: &str = "r000";
const NEWEST: &str = "r029";
pub(crate) const DELETED: &str = "r010";
const INCIDENTS: &str = "/api/now/table/incident";
/// As every peer is told.
const PAGE_SIZE: &str = "10";
/// Far more than any poll here takes, with its waits.
const PATIENCE: Duration = Duration::from_secs(120);
/// More requests than any poll here makes.
const REQUESTS: usize = 40;

/// A state of a record that an event tells of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Change {
    /// A record's id and the version that it got.
    Version(String, u64),
    Deletion(String),
}

/// One poll of the peer.
pub(crate) struct Poll {
    /// What an emitter of events would have got.
    pub(crate) emitted: Vec<Change>,
    /// Whether the peer said that all went well.
    pub(crate) succeeded: bool,
}

pub(crate) struct World<'p> {
    peer: &'p Peer,
    pub(crate) instance: Instance,
    pub(crate) provider: Served,
    receiver: Receiver,
    pub(crate) callback: Served,
    pub(crate) folder: TempDir,
    pub(crate) lookback: Option<Duration>,
    newest: DateTime<Utc>,
    pub(crate) polls: Vec<Poll>,
    /// The number of the request that was told to wait, and until when.
    throttled: Option<(usize, RetryAfter)>,
}

impl<'p> World<'p> {
    pub(crate) async fn new(peer: &'p Peer, lookback: Option<Duration>) -> Result<Self> {
        let (instance, receiver) = (Instance::new(), Receiver::new());
        let newest = instance.now().trunc_subsecs(0) - TimeDelta::minutes(10);
        let world = Self {
            peer,
            provider: instance.listen("127.0.0.1:0").await?,
            callback: receiver.listen("127.0.0.1:0").await?,
            folder: tempfile::tempdir()?,
            instance,
            receiver,
            lookback,
            newest,
            polls: Vec::new(),
            throttled: None,
        };
        (0..RECORDS).for_each(|number| world.create(number, RECORDS - 1 - number));
        Ok(world)
    }

    /// A record that is dated so many seconds before the newest.
    fn create(&self, number: i64, seconds: i64) {
        let (id, date) = (format!("r{number:03}"), self.date(seconds));
        let fields = [("sys_id", id.as_str()), ("sys_created_on", date.as_str())];
        self.instance.create("incident", &fields);
    }

    pub(crate) fn create_before_newest(&self, seconds: i64) {
        self.create(RECORDS, seconds);
    }

    pub(crate) fn touch_newest(&self) {
        let date = self.date(0);
        self.instance.update(NEWEST, &[("sys_updated_on", &date)]);
    }

    fn date(&self, seconds: i64) -> String {
        let date = self.newest - TimeDelta::seconds(seconds);
        date.format("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// Does something just before the second page is read: before the first request that asks for
    /// another page than the first did.
    pub(crate) fn before_second_page(&self, action: fn(&Instance)) {
        let done = Arc::new(AtomicBool::new(false));
        for request in 1..=REQUESTS {
            let done = Arc::clone(&done);
            self.instance
                .before_table_request(request, move |instance| {
                    if asks_for_second_page(instance) && !done.swap(true, Ordering::Relaxed) {
                        action(instance);
                    }
                });
        }
    }

    /// Lets the next request be told to wait.
    pub(crate) fn throttle(&mut self, retry_after: RetryAfter) {
        self.instance.fail_next(Fault::Throttle(retry_after));
        self.throttled = Some((self.instance.table_requests().len(), retry_after));
    }

    /// How long the request that was told to wait was waited after, and whether that was long enough.
    pub(crate) fn waited(&self) -> Option<(TimeDelta, bool)> {
        let (number, retry_after) = self.throttled?;
        let requests = self.instance.table_requests();
        let (told, next) = (requests.get(number)?.at, requests.get(number + 1)?.at);
        let due = match retry_after {
            RetryAfter::Seconds(seconds) => told + Duration::from_secs(seconds),
            // A date has no parts of a second.
            RetryAfter::HttpDate(seconds) => told.trunc_subsecs(0) + Duration::from_secs(seconds),
            RetryAfter::Absent => told,
        };
        Some((next - told, next >= due))
    }

    /// Lets the peer poll once, and keeps what came of it.
    pub(crate) async fn poll(&mut self) -> Result<()> {
        let before = self.receiver.acknowledged().len();
        let mut command = self.peer.command(self)?;
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = timeout(PATIENCE, command.output())
            .await
            .map_err(|_| format!("{} did not end within {PATIENCE:?}", self.peer.name))??;
        let told = self.receiver.acknowledged().split_off(before);
        let text = String::from_utf8_lossy(&output.stdout);
        let emitted = text.lines().filter_map(read);
        self.polls.push(Poll {
            emitted: emitted.chain(told.iter().map(change)).collect(),
            succeeded: output.status.success(),
        });
        Ok(())
    }
}

fn asks_for_second_page(instance: &Instance) -> bool {
    let mut pages = instance.table_requests();
    // Neither questions about a single record nor the list of deletions.
    pages.retain(|request| {
        request.path == INCIDENTS && request.parameter("sysparm_limit") == Some(PAGE_SIZE)
    });
    match (pages.first(), pages.last()) {
        (Some(first), Some(last)) => first.query != last.query,
        _ => false,
    }
}

/// A line `event ID VERSION` of a peer.
fn read(line: &str) -> Option<Change> {
    let mut words = line.strip_prefix("event ")?.split_whitespace();
    let id = words.next()?.to_owned();
    Some(Change::Version(id, words.next()?.parse().ok()?))
}

fn change(event: &Event) -> Change {
    let id = event.object_id.clone();
    if event.kind == "DELETED" {
        return Change::Deletion(id);
    }
    let version = event.record.get("sys_mod_count");
    let version = version.and_then(|version| version.as_str()?.parse().ok());
    Change::Version(id, version.unwrap_or(u64::MAX))
}
