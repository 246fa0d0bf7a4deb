//! The answer of `pollen explain`, in words.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::{
    event::Kind,
    fleet::Answer,
    local::{Explained, Question},
    poll::{Explanation, Fate},
};

/// The answer first, then what it follows from.
pub(super) fn of(question: &Question, explained: &Explained) -> String {
    let mut text = format!("record {} of {}\n", question.record, explained.poller);
    let mut line = |name: &str, value: &str| {
        // Writing to a String cannot fail.
        _ = write!(text, "\n{name:<11} {value}");
    };
    match &explained.answer {
        Answer::Unaskable => line("answer", UNASKABLE),
        Answer::Nowhere => line("answer", NOWHERE),
        Answer::OutsideQuery(known) => {
            line("answer", OUTSIDE_QUERY);
            facts(known, &mut line);
        }
        Answer::Known(known, taker) => {
            line("answer", &fate(known, taker.as_deref(), question));
            facts(known, &mut line);
        }
    }
    if let Some(idle) = explained.idle {
        line("poller", &format!("does not poll: {idle}"));
    }
    if let Some(condition) = &explained.condition {
        line("poller", condition);
    }
    text
}

const UNASKABLE: &str = "the connector cannot ask for one record: state the version with --updated and --version, as \
                         the provider shows them";
const NOWHERE: &str = "the provider shows no such record to this account: it was deleted, access rules hide it, or it \
                       is in another table than the poller's";
const OUTSIDE_QUERY: &str =
    "no event: the provider has the record, but the query of spec.url leaves it out";

fn fate(known: &Explanation, taker: Option<&str>, question: &Question) -> String {
    match &known.fate {
        Fate::Settled => {
            "delivered: this version was acknowledged under the event id below, or refused and set aside, as \
             onRejected says"
                .to_owned()
        }
        Fate::Due(_) if question.version.is_some() => {
            "not delivered yet: the next poll reads it. Its class and whether it counts as created \
             are not known from what was stated: it is delivered unless its class is excluded or \
             another poller's, or the record has changed since"
                .to_owned()
        }
        Fate::Due(kind) => format!(
            "not delivered yet: the next poll delivers it as {} under the event id below",
            word(*kind)
        ),
        Fate::Passed => PASSED.to_owned(),
        Fate::BeforeStart => {
            "no event: it is dated before the poller started, and such records are not delivered"
                .to_owned()
        }
        Fate::AfterClock => {
            "not delivered yet: it is dated after the provider's clock, and filterByCurrentDate \
             leaves it for a later poll"
                .to_owned()
        }
        Fate::Excluded(class) => excluded(class, taker),
        Fate::Bad(why) => format!("no event can be made of it: {why}"),
    }
}

const PASSED: &str = "out of sight: it is dated before where the next poll begins, and what is remembered of earlier \
                      polls reaches back no further. If the provider showed it before the watermark passed its date, \
                      it was delivered under the event id below: look there. If it appeared later than spec.overlap \
                      behind its date, no poll read it: widen spec.overlap";

fn excluded(class: &str, taker: Option<&str>) -> String {
    match taker {
        Some(poller) => format!(
            "no event of this poller: records of class {class} are left to the poller {poller}; ask about that one"
        ),
        None => format!("no event: spec.excludeClasses names its class, {class}"),
    }
}

fn facts(known: &Explanation, line: &mut impl FnMut(&str, &str)) {
    let mut optional = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            line(name, &value);
        }
    };
    optional("updated", known.updated.map(written));
    optional("created", known.created.map(written));
    optional("version", known.version.clone());
    optional("event id", known.event.clone());
    let created = "as created, inside what is remembered: later versions are updates";
    optional("delivered", known.was_created.then(|| created.to_owned()));
    let begun = "has stored no checkpoint yet: all this is as if it began now";
    optional("poller", (!known.begun).then(|| begun.to_owned()));
    optional("started", Some(written(known.started_at)));
    optional("watermark", Some(written(known.watermark)));
    optional(
        "next poll",
        Some(format!("reads from {} on", written(known.bound))),
    );
}

const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Created => "created",
        Kind::Updated => "updated",
        Kind::Deleted => "deleted",
    }
}

fn written(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
