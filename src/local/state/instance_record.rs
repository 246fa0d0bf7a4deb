//! What is remembered of an instance.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::FORMAT;
use crate::api::HeldCallback;

/// What is remembered of an instance.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::local) struct InstanceRecord {
    format: i32,
    /// The connector that it was first seen with, and keeps.
    pub(in crate::local) connector: String,
    /// Until when the provider asked to be left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::local) deferred_until: Option<DateTime<Utc>>,
    /// Digest of the callback that answered 410.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::local) gone_callback: Option<String>,
    /// The callback that failed last, and how long it is left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::local) held_callback: Option<HeldCallback>,
    /// The value of the annotation `pollen.dev/resume-delivery` that was acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::local) last_handled_resume: Option<String>,
}

impl InstanceRecord {
    /// An instance that is seen for the first time.
    pub(in crate::local) fn new(connector: &str) -> Self {
        Self {
            format: FORMAT,
            connector: connector.to_owned(),
            deferred_until: None,
            gone_callback: None,
            held_callback: None,
            last_handled_resume: None,
        }
    }

    /// Takes note of the annotation's value: a new one resumes delivery after a 410.
    pub(in crate::local) fn resume(&mut self, asked: Option<&String>) {
        if asked.is_some() && self.last_handled_resume.as_ref() != asked {
            self.last_handled_resume = asked.cloned();
            self.gone_callback = None;
        }
    }

    /// A person has started this process, who may have mended the callback: of its hold only what
    /// the callback asked for itself stands. Before the others poll, one of the pollers probes; with
    /// `once` each is tried, since none could wait for that.
    pub(in crate::local) fn restart(&mut self, once: bool, now: DateTime<Utc>) {
        let Some(held) = self.held_callback.as_mut().filter(|held| !held.asked) else {
            return;
        };
        held.until = held.until.min(now);
        if once {
            self.held_callback = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_value_of_the_annotation_resumes_delivery_once() {
        let mut record = InstanceRecord::new("servicenowoauth");
        let gone = Some("digest".to_owned());
        for (asked, resumes) in [
            (None, false),
            (Some("1"), true),
            (Some("1"), false),
            (Some("2"), true),
        ] {
            record.gone_callback.clone_from(&gone);
            record.resume(asked.map(str::to_owned).as_ref());
            assert_eq!(record.gone_callback.is_none(), resumes, "{asked:?}");
        }
    }

    #[test]
    fn a_person_who_starts_again_waits_only_as_long_as_the_callback_asked_for() {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let held = |second, asked| {
            Some(HeldCallback {
                callback: "digest".to_owned(),
                until: at(second),
                asked,
            })
        };
        for (asked, once, left) in [
            (false, false, held(60, false)),
            (false, true, None),
            (true, false, held(300, true)),
            (true, true, held(300, true)),
        ] {
            let mut record = InstanceRecord::new("servicenowoauth");
            record.held_callback = held(300, asked);
            record.restart(once, at(60));
            assert_eq!(record.held_callback, left, "asked {asked}, once {once}");
        }
    }
}
