//! The pollers of one instance as they must know each other.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    fleet::{Sibling, Stored},
    operator::cache::{Group, PollerItem},
};

/// How long the set of pollers must be still before those at work are started anew: manifests are
/// applied many at once.
const STILL: Duration = Duration::from_secs(2);

/// Who polls what, and since when that has been unchanged.
pub(super) struct Roster {
    entries: Vec<Entry>,
    changed_at: Instant,
}

/// What others must know of a poller: whose classes it takes, and with which query.
#[derive(Debug, PartialEq)]
struct Entry {
    name: String,
    uid: String,
    resource: Option<String>,
    url: Option<String>,
}

impl Roster {
    pub(super) fn new() -> Self {
        Self {
            entries: Vec::new(),
            changed_at: Instant::now(),
        }
    }

    /// Takes note of the pollers there are.
    pub(super) fn observe(&mut self, group: &Group) {
        let entries: Vec<_> = group.pollers.values().map(Entry::of).collect();
        if entries != self.entries {
            self.entries = entries;
            self.changed_at = Instant::now();
        }
    }

    /// Which state of the roster this is.
    pub(super) const fn edition(&self) -> Instant {
        self.changed_at
    }

    /// How long to wait before a poller that was started with an earlier edition starts anew;
    /// `None` where it knows the present one.
    pub(super) fn stale_in(&self, edition: Instant) -> Option<Duration> {
        (edition != self.changed_at).then(|| STILL.saturating_sub(self.changed_at.elapsed()))
    }
}

impl Entry {
    fn of(item: &Arc<PollerItem>) -> Self {
        Self {
            name: item.key.name.clone(),
            uid: item.uid.clone(),
            resource: item.spec.resource.clone(),
            url: item.spec.url.clone(),
        }
    }
}

/// All pollers of the group but the one called `name`; `stored` says what is stored of them.
pub(super) fn siblings(
    group: &Group,
    name: &str,
    stored: &BTreeMap<String, Stored>,
) -> Vec<Sibling> {
    group
        .pollers
        .values()
        .filter(|item| item.key.name != name)
        .map(|item| Sibling {
            name: item.key.name.clone(),
            uid: item.uid.clone(),
            spec: item.spec.clone(),
            stored: stored.get(&item.key.name).cloned().unwrap_or_default(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::fixtures::poller;

    fn group(names: &[&str]) -> Group {
        let pollers = names
            .iter()
            .map(|name| ((*name).to_owned(), Arc::new(poller(name, "prod"))))
            .collect();
        Group {
            instance: None,
            pollers,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn pollers_start_anew_once_after_a_burst_of_new_siblings() {
        let mut roster = Roster::new();
        roster.observe(&group(&["a"]));
        let known = roster.edition();
        assert_eq!(roster.stale_in(known), None);
        for names in [&["a", "b"][..], &["a", "b", "c"]] {
            tokio::time::advance(Duration::from_secs(1)).await;
            roster.observe(&group(names));
            assert_eq!(roster.stale_in(known), Some(STILL));
        }
        tokio::time::advance(STILL).await;
        assert_eq!(roster.stale_in(known), Some(Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sibling_that_is_made_again_under_its_name_is_another_one() {
        let mut roster = Roster::new();
        let mut group = group(&["a", "b"]);
        roster.observe(&group);
        let known = roster.edition();
        tokio::time::advance(STILL).await;
        let mut again = poller("b", "prod");
        again.uid = "another".to_owned();
        group.pollers.insert("b".into(), Arc::new(again));
        roster.observe(&group);
        assert_eq!(roster.stale_in(known), Some(STILL));
        assert_eq!(siblings(&group, "a", &BTreeMap::new())[0].uid, "another");
    }

    #[tokio::test(start_paused = true)]
    async fn an_edit_that_concerns_nobody_else_starts_nobody_anew() {
        let mut roster = Roster::new();
        let mut before = group(&["a", "b"]);
        roster.observe(&before);
        let known = roster.edition();
        let mut edited = poller("b", "prod");
        edited.spec.page_size = Some(10);
        before.pollers.insert("b".into(), Arc::new(edited));
        tokio::time::advance(STILL).await;
        roster.observe(&before);
        assert_eq!(roster.stale_in(known), None);
    }
}
