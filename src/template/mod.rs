//! `${gmtDate:…}` placeholders in poller URLs, and the Java date patterns that they and
//! `datesConfiguration` are written in.
//!
//! Everything here is a pure function of its arguments: no clock is read. Patterns, zones and
//! templates are parsed once, when a poller is planned, and used for every record and every poll.

mod pattern;
mod placeholder;
mod text;
mod unit;
mod zone;

pub use pattern::{DatePattern, PatternError, ReadError};
pub use placeholder::{EpochUnit, Instants, Moment, Placeholder};
pub use text::{Segment, Template, TemplateError};
pub use unit::Unit;
pub use zone::{Zone, ZoneError};
