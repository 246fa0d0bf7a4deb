//! The lower bound as requests state it.

use chrono::{DateTime, Utc};

use super::{
    plan::Plan,
    text::{Moments, Stamp},
};
use crate::{
    provider::{Bound, DateReader},
    template::{Unit, Zone},
};

/// How an instant becomes a bound.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    stamps: Vec<Stamp>,
    /// The unit and zone of the date read from records.
    read: Option<(Unit, Zone)>,
    unit: Unit,
}

impl Bounds {
    pub(super) fn new(plan: &Plan, updated: Option<&DateReader>, granularity: Unit) -> Self {
        let stamps = plan.bounds().cloned().collect::<Vec<_>>();
        let read = updated.map(|date| (date.pattern.unit(), date.zone));
        let units = stamps
            .iter()
            .map(Stamp::unit)
            .chain(read.map(|(unit, _)| unit));
        let unit = units.fold(granularity, Unit::max);
        Self { stamps, read, unit }
    }

    pub(super) const fn unit(&self) -> Unit {
        self.unit
    }

    /// Whether text order is the order of time: local clocks repeat an hour.
    pub(super) fn is_monotonic(&self) -> bool {
        self.zones().all(|zone| !matches!(zone, Zone::Named(_)))
    }

    /// Whether a record's date can be stated exactly: it is not read coarser than it is asked for.
    pub(super) fn is_exact(&self) -> bool {
        let finest = self.stamps.iter().map(Stamp::unit).min();
        self.read
            .zip(finest)
            .is_some_and(|((read, _), stated)| read <= stated)
    }

    /// Rounded down as records are read and as requests are rendered.
    pub(super) fn bound(&self, instant: DateTime<Utc>) -> Bound {
        let instant = self.before_repeated_hour(instant);
        let floored = self
            .read
            .map_or(instant, |(unit, zone)| unit.floor(instant, zone));
        let instant = self.stamps.iter().fold(floored, |instant, stamp| {
            stamp.unit().floor(instant, stamp.zone())
        });
        let moments = Moments {
            bound: instant,
            now: instant,
        };
        let texts = self
            .stamps
            .iter()
            .map(|stamp| stamp.print(moments))
            .collect::<Vec<_>>();
        Bound {
            instant,
            text: texts.join(" "),
        }
    }

    /// A local date in an hour that the clocks show twice may be of either pass.
    fn before_repeated_hour(&self, instant: DateTime<Utc>) -> DateTime<Utc> {
        let starts = self
            .zones()
            .filter_map(|zone| zone.repeated_hour_start(instant));
        let before = starts
            .min()
            .and_then(|start| start.checked_sub_signed(self.unit.duration()));
        before.unwrap_or(instant)
    }

    fn zones(&self) -> impl Iterator<Item = Zone> {
        self.stamps
            .iter()
            .map(Stamp::zone)
            .chain(self.read.map(|(_, zone)| zone))
    }
}
