//! One `${…}` of a URL.

use std::fmt::Write;

use chrono::{DateTime, Utc};

use super::{DatePattern, Unit, Zone};

/// The instants that placeholders stand for.
#[derive(Clone, Copy, Debug)]
pub struct Instants {
    /// From where this poll reads: Open Connectors' last poll date.
    pub bound: DateTime<Utc>,
    /// When this poll began.
    pub now: DateTime<Utc>,
    /// The zone of `${date:FORMAT}`, Open Connectors' "server's zone": GMT unless configured.
    pub default_zone: Zone,
}

/// Which instant a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// [`Instants::bound`]
    Bound,
    /// [`Instants::now`]
    Now,
    /// 1970-01-01T00:00:00Z, whatever was polled.
    Beginning,
}

/// What a number counts since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpochUnit {
    Seconds,
    Milliseconds,
    Microseconds,
}

/// A placeholder as it stands in a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder {
    pub(super) text: Box<str>,
    pub(super) column: usize,
    pub(super) moment: Moment,
    pub(super) form: Form,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// In the default zone without one of its own.
    Date(DatePattern, Option<Zone>),
    Epoch(EpochUnit),
}

impl Placeholder {
    /// As it was written, from `${` to `}`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where it begins in the URL, in characters from 1.
    pub fn column(&self) -> usize {
        self.column
    }

    pub fn moment(&self) -> Moment {
        self.moment
    }

    /// The finest unit that it prints.
    pub fn unit(&self) -> Unit {
        match &self.form {
            Form::Date(pattern, _) => pattern.unit(),
            Form::Epoch(EpochUnit::Seconds) => Unit::Seconds,
            Form::Epoch(EpochUnit::Milliseconds) => Unit::Milliseconds,
            Form::Epoch(EpochUnit::Microseconds) => Unit::Microseconds,
        }
    }

    /// The zone that it prints in.
    pub fn zone(&self, instants: &Instants) -> Zone {
        match self.form {
            Form::Date(_, zone) => zone.unwrap_or(instants.default_zone),
            Form::Epoch(_) => Zone::Utc,
        }
    }

    /// The instant that it stands for, unrounded, for those who print it in a format of their own.
    pub fn instant(&self, instants: &Instants) -> DateTime<Utc> {
        match self.moment {
            Moment::Bound => instants.bound,
            Moment::Now => instants.now,
            Moment::Beginning => DateTime::UNIX_EPOCH,
        }
    }

    pub fn render(&self, instants: &Instants) -> String {
        let mut text = String::new();
        self.render_to(&mut text, instants);
        text
    }

    pub(super) fn render_to(&self, text: &mut String, instants: &Instants) {
        let instant = self.instant(instants);
        let number = match &self.form {
            Form::Date(pattern, _) => return pattern.print_to(text, instant, self.zone(instants)),
            Form::Epoch(EpochUnit::Seconds) => instant.timestamp(),
            Form::Epoch(EpochUnit::Milliseconds) => instant.timestamp_millis(),
            Form::Epoch(EpochUnit::Microseconds) => instant.timestamp_micros(),
        };
        // Writing to a String cannot fail.
        let _ = write!(text, "{number}");
    }
}
