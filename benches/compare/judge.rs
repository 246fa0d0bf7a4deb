//! What the instance has shown against what was emitted: one rule for all.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use simulator::servicenow::Version;

use crate::world::{Change, World};

/// Right where nothing is lost, repeated or invented, and no wait was cut short.
pub(crate) struct Verdict {
    /// How many events each poll emitted, and whether it succeeded.
    polls: Vec<(usize, bool)>,
    /// Records whose latest state was never told.
    lost: usize,
    /// Events of what was told before.
    repeated: usize,
    /// Events of what never was.
    invented: usize,
    /// The seconds waited, and whether that was as long as was asked.
    waited: Option<(f64, bool)>,
}

impl Verdict {
    pub(crate) fn of(world: &World<'_>) -> Self {
        let history = world.instance.history();
        let made: HashSet<Change> = history.iter().map(change).collect();
        let latest: HashMap<&str, Change> = history
            .iter()
            .map(|version| (version.sys_id.as_str(), change(version)))
            .collect();
        let emitted: Vec<&Change> = world.polls.iter().flat_map(|poll| &poll.emitted).collect();
        let told: HashSet<&Change> = emitted.iter().copied().collect();
        Self {
            polls: world
                .polls
                .iter()
                .map(|poll| (poll.emitted.len(), poll.succeeded))
                .collect(),
            lost: latest
                .values()
                .filter(|latest| !told.contains(latest))
                .count(),
            repeated: emitted.len() - told.len(),
            invented: told.iter().filter(|change| !made.contains(change)).count(),
            waited: world
                .waited()
                .map(|(waited, long)| (waited.as_seconds_f64(), long)),
        }
    }

    pub(crate) fn is_right(&self) -> bool {
        let waited = self.waited.is_none_or(|(_, long)| long);
        waited && self.lost + self.repeated + self.invented == 0
    }
}

fn change(version: &Version) -> Change {
    if version.deleted {
        Change::Deletion(version.sys_id.clone())
    } else {
        Change::Version(version.sys_id.clone(), version.mod_count)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let poll = |(count, succeeded): &(usize, bool)| {
            format!("{count}{}", if *succeeded { "" } else { " (failed)" })
        };
        let polls: Vec<_> = self.polls.iter().map(poll).collect();
        let mark = if self.is_right() { '✔' } else { '✘' };
        write!(f, "{mark} {}", polls.join(" + "))?;
        let faults = [
            (self.lost, "lost"),
            (self.repeated, "repeated"),
            (self.invented, "invented"),
        ];
        for (count, fault) in faults.iter().filter(|(count, _)| *count > 0) {
            write!(f, ", {count} {fault}")?;
        }
        self.waited
            .map_or(Ok(()), |(seconds, _)| write!(f, ", waited {seconds:.1} s"))
    }
}
