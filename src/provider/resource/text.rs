//! Text with instants in it that each request prints anew.

use chrono::{DateTime, Utc};

use crate::template::{DatePattern, Instants, Moment, Placeholder, Unit, Zone};

/// Text of a request, in its parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Text(pub(super) Vec<Piece>);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Literal(String),
    Stamp(Stamp),
}

/// An instant as it is printed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stamp {
    pub(super) moment: Moment,
    pub(super) form: Form,
    /// The provider's comparison may leave out records dated exactly then: one unit is taken off.
    pub(super) lower: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    /// As the poller's url says.
    Placeholder(Placeholder),
    /// As the provider wants it.
    Literal { pattern: DatePattern, zone: Zone },
}

/// What stamps stand for in one request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moments {
    pub(super) bound: DateTime<Utc>,
    pub(super) now: DateTime<Utc>,
}

impl Moments {
    /// Open Connectors' "server's zone", in which `${date:FORMAT}` prints, was GMT.
    const fn instants(self) -> Instants {
        Instants {
            bound: self.bound,
            now: self.now,
            default_zone: Zone::Utc,
        }
    }
}

impl Stamp {
    pub(super) fn unit(&self) -> Unit {
        match &self.form {
            Form::Placeholder(placeholder) => placeholder.unit(),
            Form::Literal { pattern, .. } => pattern.unit(),
        }
    }

    pub(super) fn zone(&self) -> Zone {
        match &self.form {
            Form::Placeholder(placeholder) => placeholder.zone(
                &Moments {
                    bound: DateTime::UNIX_EPOCH,
                    now: DateTime::UNIX_EPOCH,
                }
                .instants(),
            ),
            Form::Literal { zone, .. } => *zone,
        }
    }

    pub(super) fn print(&self, mut moments: Moments) -> String {
        if self.lower {
            moments.bound = moments
                .bound
                .checked_sub_signed(self.unit().duration())
                .unwrap_or(moments.bound);
        }
        match (&self.form, self.moment) {
            (Form::Placeholder(placeholder), _) => placeholder.render(&moments.instants()),
            (Form::Literal { pattern, zone }, Moment::Bound) => pattern.print(moments.bound, *zone),
            (Form::Literal { pattern, zone }, Moment::Now) => pattern.print(moments.now, *zone),
            (Form::Literal { pattern, zone }, Moment::Beginning) => {
                pattern.print(DateTime::UNIX_EPOCH, *zone)
            }
        }
    }
}

impl Text {
    pub(super) fn literal(text: impl Into<String>) -> Self {
        Self(vec![Piece::Literal(text.into())])
    }

    pub(super) fn stamp(stamp: Stamp) -> Self {
        Self(vec![Piece::Stamp(stamp)])
    }

    pub(super) fn print(&self, moments: Moments) -> String {
        self.0.iter().fold(String::new(), |mut text, piece| {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Stamp(stamp) => text.push_str(&stamp.print(moments)),
            }
            text
        })
    }

    /// The stamps that print the bound.
    pub(super) fn bounds(&self) -> impl Iterator<Item = &Stamp> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Stamp(stamp) if stamp.moment == Moment::Bound => Some(stamp),
            _ => None,
        })
    }
}
