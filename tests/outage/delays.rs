//! How long events took from change to arrival.

use std::{collections::HashMap, fmt, time::Duration};

use crate::tenant::Tenant;

/// Delays of all events of some tenants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delays {
    pub(crate) events: usize,
    pub(crate) median: Duration,
    pub(crate) p99: Duration,
    pub(crate) longest: Duration,
}

impl Delays {
    pub(crate) fn of(tenants: &[Tenant]) -> Self {
        let mut all: Vec<Duration> = tenants.iter().flat_map(delays).collect();
        all.sort_unstable();
        let at = |share: usize| all[(all.len() - 1) * share / 100];
        Self {
            events: all.len(),
            median: at(50),
            p99: at(99),
            longest: at(100),
        }
    }
}

fn delays(tenant: &Tenant) -> Vec<Duration> {
    let written: HashMap<_, _> = tenant.written().into_iter().collect();
    let notifications = tenant.receiver.notifications();
    let arrived = tenant.receiver.acknowledged().into_iter();
    arrived
        .map(|event| {
            let delay = notifications[event.position].at - written[&event.object_id];
            delay.to_std().unwrap()
        })
        .collect()
}

impl fmt::Display for Delays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |delay: Duration| delay.as_secs_f64();
        write!(
            f,
            "{} events, median {:.3} s, p99 {:.3} s, longest {:.3} s",
            self.events,
            seconds(self.median),
            seconds(self.p99),
            seconds(self.longest)
        )
    }
}
