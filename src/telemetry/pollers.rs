//! A series for each poller, from the totals on the board, collected when somebody asks.

use std::{fmt, sync::Arc};

use prometheus_client::{collector::Collector, encoding::DescriptorEncoder, metrics::MetricType};

use super::board::{Board, Row};

/// The metrics of the pollers on the board: a poll costs no more than its line there.
#[derive(Debug)]
pub(super) struct Pollers(pub(super) Board);

/// One metric: its name behind `pollen_`, what it means, and its values for a poller.
struct Metric {
    name: &'static str,
    help: &'static str,
    kind: MetricType,
    /// The label beside `namespace` and `poller`.
    label: Option<&'static str>,
    /// Each with the value of the label.
    values: Values,
}

type Values = fn(&Row) -> Vec<(&'static str, u64)>;

/// What stands for the label's value where there is no label.
const ALONE: &str = "";

const METRICS: &[Metric] = &[
    Metric::counter("poller_requests", "Requests for pages", |row| {
        vec![(ALONE, row.counts.requests)]
    }),
    Metric::counter("poller_records_read", "Records read", |row| {
        vec![(ALONE, row.counts.read())]
    }),
    Metric::labelled(
        "poller_records",
        "Records read, by what became of them: unchanged (settled before), changed (not settled before), excluded (by \
         class, or another poller's), out_of_range (dated before the start or the bound, or after the provider's \
         clock), bad (no event can be made of it)",
        "outcome",
        |row| {
            let counts = &row.counts;
            vec![
                ("unchanged", counts.unchanged),
                ("changed", counts.changed),
                ("excluded", counts.excluded),
                ("out_of_range", counts.out_of_range),
                ("bad", counts.bad()),
            ]
        },
    ),
    Metric::labelled(
        "poller_bad_records",
        "Records read of which no event can be made, by the reason: no_id, no_date, unreadable_date, not_utf8, no_class",
        "reason",
        |row| {
            let counts = &row.counts;
            vec![
                ("no_id", counts.no_id),
                ("no_date", counts.no_date),
                ("unreadable_date", counts.unreadable_date),
                ("not_utf8", counts.not_utf8),
                ("no_class", counts.no_class),
            ]
        },
    ),
    Metric::labelled(
        "poller_events",
        "Events acknowledged by the callback, by kind: created, updated, deleted",
        "kind",
        |row| {
            let counts = &row.counts;
            vec![
                ("created", counts.created),
                ("updated", counts.updated),
                ("deleted", counts.deleted),
            ]
        },
    ),
    Metric::labelled(
        "poller_refused_events",
        "Events that the callback refused, by what became of them, as in pollen_refused_events_total",
        "outcome",
        |row| {
            let counts = &row.counts;
            vec![
                ("dead_lettered", counts.dead_lettered),
                ("skipped", counts.skipped),
            ]
        },
    ),
    Metric::labelled(
        "poller_polls",
        "Polls that ended, by how they ended, as in pollen_polls_total",
        "result",
        |row| row.polls.clone(),
    ),
    Metric::gauge(
        "poller_deletes_held",
        "Deletions that wait for a person to confirm them",
        |row| vec![(ALONE, row.line.deletes_held)],
    ),
    Metric::gauge(
        "poller_last_poll_timestamp_seconds",
        "When the last poll ended",
        |row| vec![(ALONE, seconds(row.line.last_poll.timestamp()))],
    ),
    Metric::gauge(
        "poller_watermark_timestamp_seconds",
        "Up to where everything is settled: time() less this is the watermark's age",
        |row| {
            let watermark = row.line.watermark.iter();
            watermark
                .map(|watermark| (ALONE, seconds(watermark.timestamp())))
                .collect()
        },
    ),
];

impl Collector for Pollers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let rows = self.0.rows();
        METRICS
            .iter()
            .try_for_each(|metric| metric.encode(&rows, &mut encoder))
    }
}

impl Metric {
    const fn counter(name: &'static str, help: &'static str, values: Values) -> Self {
        Self {
            name,
            help,
            kind: MetricType::Counter,
            label: None,
            values,
        }
    }

    const fn labelled(
        name: &'static str,
        help: &'static str,
        label: &'static str,
        values: Values,
    ) -> Self {
        Self {
            label: Some(label),
            ..Self::counter(name, help, values)
        }
    }

    const fn gauge(name: &'static str, help: &'static str, values: Values) -> Self {
        Self {
            kind: MetricType::Gauge,
            ..Self::counter(name, help, values)
        }
    }

    fn encode(&self, rows: &[Arc<Row>], encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        if rows.is_empty() {
            return Ok(());
        }
        let mut metric = encoder.encode_descriptor(self.name, self.help, None, self.kind)?;
        for row in rows {
            for (label, value) in (self.values)(row) {
                let line = &row.line;
                let mut labels = vec![
                    ("namespace", line.namespace.as_str()),
                    ("poller", line.name.as_str()),
                ];
                labels.extend(self.label.map(|name| (name, label)));
                let mut series = metric.encode_family(&labels)?;
                match self.kind {
                    MetricType::Gauge => series.encode_gauge(&value)?,
                    _ => series.encode_counter::<[(&str, &str); 0], _, u64>(&value, None)?,
                }
            }
        }
        Ok(())
    }
}

/// A date before 1970 is no second of Unix time that a gauge should show.
fn seconds(timestamp: i64) -> u64 {
    u64::try_from(timestamp).unwrap_or_default()
}
