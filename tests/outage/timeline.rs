//! The half hour, a minute at a time.

use std::{fmt::Write as _, fs, sync::atomic::Ordering};

use crate::{pollen_at_work::AtWork, tenant::Tenant};

/// One minute of the instance whose callback dies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Minute {
    /// Changes that were not acknowledged at its end.
    pub(crate) backlog: usize,
    /// Posts to the callback, answered or not.
    pub(crate) posts: usize,
    /// Pages that were asked for.
    pub(crate) pages: usize,
    /// Bytes of the checkpoint stored at its end.
    pub(crate) checkpoint: usize,
    /// By how many bytes the process has grown since the run began, both ends included: 0 where the
    /// system doesn't tell.
    pub(crate) grown: u64,
}

/// The minutes so far.
pub(crate) struct Timeline {
    pub(crate) minutes: Vec<Minute>,
    posts: usize,
    pages: usize,
    resident: u64,
}

impl Timeline {
    pub(crate) fn begin() -> Self {
        Self {
            minutes: Vec::new(),
            posts: 0,
            pages: 0,
            resident: resident(),
        }
    }

    /// A minute is over.
    pub(crate) fn note(&mut self, tenant: &Tenant, pollen: &AtWork) {
        let (posts, pages) = (tenant.posts(), tenant.pages.load(Ordering::SeqCst));
        let acknowledged = tenant.receiver.acknowledged().len();
        self.minutes.push(Minute {
            backlog: tenant.written().len() - acknowledged,
            posts: posts - self.posts,
            pages: pages - self.pages,
            checkpoint: pollen.checkpoint(tenant.index),
            grown: resident().saturating_sub(self.resident),
        });
        (self.posts, self.pages) = (posts, pages);
    }

    /// The minutes beside those of a run in which nothing dies.
    pub(crate) fn table(outage: &[Minute], quiet: &[Minute]) -> String {
        let mut table = String::from(
            "minute  backlog  posts  pages  checkpoint  grown by KiB (where nothing dies)\n",
        );
        for (index, (minute, quiet)) in outage.iter().zip(quiet).enumerate() {
            let kib = |minute: &Minute| minute.grown >> 10;
            writeln!(
                table,
                "{:6}{:9}{:7}{:7}{:12}{:10} ({})",
                index + 1,
                minute.backlog,
                minute.posts,
                minute.pages,
                minute.checkpoint,
                kib(minute),
                kib(quiet)
            )
            .unwrap();
        }
        table
    }
}

/// Resident memory of this process; 0 where the system doesn't tell.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or_default() << 10
}
