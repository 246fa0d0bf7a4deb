//! The process's metrics: the sums over all pollers, and a few series for each of them.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info},
    registry::Registry,
};

use super::{Board, pollers::Pollers};

/// What is counted and measured over all pollers; clones share the same numbers. Labels are bounded:
/// none holds a name that a user chose.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Polls that ended, by how they ended.
    pub polls: Family<PollLabels, Counter>,
    /// Records read from providers.
    pub records: Counter,
    /// Requests for pages.
    pub requests: Counter,
    /// Records without an id or with an unreadable date.
    pub bad_records: Counter,
    /// Events acknowledged, by kind.
    pub events: Family<EventLabels, Counter>,
    /// Events that callbacks refused and that are settled all the same, by what became of them.
    pub refused_events: Family<RefusedLabels, Counter>,
    /// When a poll last ended, in Unix seconds.
    pub last_poll: Gauge,
    /// Pollers at work in this process.
    pub pollers: Gauge,
    /// Writes to the API server, by what was written.
    pub api_writes: Family<WriteLabels, Counter>,
    /// 1 while this process holds the Lease.
    pub leader: Gauge,
}

/// How a poll ended: `complete`, `unfinished`, `stopped`, `blocked`, `callback_unavailable`,
/// `callback_gone`, `store_failed`, `unusable`, `window_too_large`, or the category of the provider's
/// failure.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct PollLabels {
    pub result: &'static str,
}

/// `created`, `updated` or `deleted`.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct EventLabels {
    pub kind: &'static str,
}

/// `dead_lettered` or `skipped`.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct RefusedLabels {
    pub outcome: &'static str,
}

/// `token`, `checkpoint`, `segment`, `removal`, `condition` or `event`.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct WriteLabels {
    pub what: &'static str,
}

impl Metrics {
    /// All metrics, those of the pollers on `board` and the build's version, to be served.
    #[must_use]
    pub fn registry(&self, board: &Board) -> Registry {
        let mut registry = Registry::with_prefix("pollen");
        self.register(&mut registry);
        registry.register_collector(Box::new(Pollers(board.clone())));
        registry.register(
            "build",
            "Version of this build",
            Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]),
        );
        registry
    }

    fn register(&self, registry: &mut Registry) {
        registry.register(
            "polls",
            "Polls that ended, by how they ended",
            self.polls.clone(),
        );
        registry.register(
            "records_read",
            "Records read from providers",
            self.records.clone(),
        );
        registry.register("requests", "Requests for pages", self.requests.clone());
        registry.register(
            "bad_records",
            "Records without an id or with an unreadable date",
            self.bad_records.clone(),
        );
        registry.register(
            "events",
            "Events acknowledged by callbacks, by kind",
            self.events.clone(),
        );
        registry.register(
            "refused_events",
            "Events that callbacks refused, by what became of them: dead_lettered (posted to deadLetter.url), skipped \
             (dropped)",
            self.refused_events.clone(),
        );
        registry.register(
            "last_poll_timestamp_seconds",
            "When a poll last ended",
            self.last_poll.clone(),
        );
        registry.register(
            "pollers",
            "Pollers at work in this process",
            self.pollers.clone(),
        );
        registry.register(
            "api_writes",
            "Writes to the API server, by what was written",
            self.api_writes.clone(),
        );
        registry.register(
            "is_leader",
            "1 while this process holds the Lease",
            self.leader.clone(),
        );
    }
}
