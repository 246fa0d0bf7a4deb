//! The events as they arrive.

use std::{collections::HashSet, convert::Infallible, time::Duration};

use serde_json::Value;
use simulator::receiver::{Event, Notification, Receiver, Signature};

use super::{
    screen::{Happening, Screen, Source, Tone},
    timeline::Timeline,
};

/// How often it is looked whether what arrived has been answered.
const LOOK: Duration = Duration::from_millis(5);
/// Longer than a person would watch nothing.
const PATIENCE: Duration = Duration::from_hours(24);

/// Prints what the receiver's ledger gains.
pub(super) struct Arrivals {
    receiver: Receiver,
    timeline: Timeline,
    screen: Screen,
    /// How many notifications have been shown.
    shown: usize,
    /// The versions that were acknowledged.
    settled: HashSet<(String, u64)>,
}

impl Arrivals {
    pub(super) fn new(receiver: Receiver, timeline: Timeline, screen: Screen) -> Self {
        Self {
            receiver,
            timeline,
            screen,
            shown: 0,
            settled: HashSet::new(),
        }
    }

    /// Goes on until it is dropped.
    pub(super) async fn watch(mut self) -> Infallible {
        loop {
            let arrived = self.receiver.await_notifications(self.shown + 1, PATIENCE);
            if arrived.await.is_ok() {
                self.show_new();
                tokio::time::sleep(LOOK).await;
            }
        }
    }

    fn show_new(&mut self) {
        let notifications = self.receiver.notifications();
        let events = self.receiver.events();
        // In order: an answer that is still under way holds up the lines behind it.
        let new = notifications.iter().enumerate().skip(self.shown);
        for (position, notification) in new.take_while(|(_, each)| each.status.is_some()) {
            self.shown = position + 1;
            let enclosed = events.iter().filter(|event| event.position == position);
            enclosed.for_each(|event| self.show(notification, event));
        }
    }

    fn show(&mut self, notification: &Notification, event: &Event) {
        let (remark, tone) = self.remark(notification, event);
        self.screen.happened(&Happening {
            at: notification.at,
            source: Source::Callback,
            what: &event.kind,
            table: &event.object_type,
            record: name(&event.record),
            remark: &remark,
            tone,
        });
    }

    fn remark(&mut self, notification: &Notification, event: &Event) -> (String, Tone) {
        let version = event.mod_count();
        let sys_id = event.object_id.as_str();
        let age = self.timeline.age(sys_id, version, notification.at);
        let status = notification.status.unwrap_or_default();
        if notification.signature == Signature::Wrong {
            ("the signature is wrong".to_owned(), Tone::Bad)
        } else if !event.acknowledged {
            (format!("refused with {status}"), Tone::Strong)
        } else if !self.settled.insert((sys_id.to_owned(), version)) {
            ("once more".to_owned(), Tone::Strong)
        } else if let Some(age) = age {
            (format!("{} later", readable(age)), Tone::Good)
        } else {
            ("this version never was".to_owned(), Tone::Bad)
        }
    }
}

/// Milliseconds or seconds, whichever a person would say.
pub(super) fn readable(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

fn name(record: &Value) -> &str {
    let names = ["number", "name"].iter();
    let mut names = names.filter_map(|name| record.get(name)?.as_str());
    names.find(|name| !name.is_empty()).unwrap_or_default()
}
