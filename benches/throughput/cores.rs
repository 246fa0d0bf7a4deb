//! A core each for server and client, and the processor's time of a thread.

use std::time::Duration;

/// Which side a thread works for.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    Client = 0,
    Server = 1,
}

/// Keeps the calling thread, and those that it starts, on its side's core. False where the system
/// has fewer than two cores for us, or no such call.
pub(crate) fn keep_to(side: Side) -> bool {
    imp::keep_to(side as usize).is_some()
}

/// Processor time that the calling thread has used so far; zero where the system doesn't say.
pub(crate) fn thread_time() -> Duration {
    imp::thread_time()
}

#[cfg(target_os = "linux")]
mod imp {
    use std::{sync::OnceLock, time::Duration};

    use rustix::{
        thread::{CpuSet, sched_getaffinity, sched_setaffinity},
        time::{ClockId, clock_gettime},
    };

    /// The cores that the process may use, as they were before any thread was kept to one.
    static CORES: OnceLock<Vec<usize>> = OnceLock::new();

    pub(super) fn keep_to(index: usize) -> Option<()> {
        let cores = CORES.get_or_init(allowed);
        let core = *cores.get(index).filter(|_| cores.len() > 1)?;
        let mut set = CpuSet::new();
        set.set(core);
        sched_setaffinity(None, &set).ok()
    }

    fn allowed() -> Vec<usize> {
        let set = sched_getaffinity(None).unwrap_or_default();
        (0..CpuSet::MAX_CPU)
            .filter(|core| set.is_set(*core))
            .collect()
    }

    pub(super) fn thread_time() -> Duration {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        let (seconds, nanoseconds) = (time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs());
        Duration::from_secs(seconds) + Duration::from_nanos(nanoseconds)
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::time::Duration;

    pub(super) fn keep_to(_: usize) -> Option<()> {
        None
    }

    pub(super) fn thread_time() -> Duration {
        Duration::ZERO
    }
}
