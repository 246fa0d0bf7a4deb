//! The await points: everywhere the engine waits for the world, and what may go wrong there.

use std::collections::HashMap;

use super::Process;
use crate::{process, steps::Fault};

/// What goes wrong in the poll under way.
#[derive(Default)]
pub(crate) struct Faults {
    at: HashMap<u32, Fault>,
    /// Await points passed in this poll.
    passed: u32,
    pub(crate) crashed: bool,
    /// Whether any of them happened.
    pub(crate) struck: bool,
}

/// What was awaited failed.
pub(crate) struct Failed;

impl Faults {
    pub(crate) fn of_poll(faults: &[(u32, Fault)]) -> Self {
        Self {
            at: faults.iter().copied().collect(),
            ..Self::default()
        }
    }

    fn next(&mut self) -> Option<Fault> {
        let fault = self.at.remove(&self.passed);
        self.passed += 1;
        self.struck |= fault.is_some();
        self.crashed |= fault == Some(Fault::Crash);
        fault
    }
}

impl Process {
    /// An await point of the engine.
    pub(crate) async fn point(&self) -> Result<(), Failed> {
        if !self.is_main {
            tokio::task::yield_now().await;
            return Ok(());
        }
        // A process that is gone does nothing more.
        if self.world.inner().faults.crashed {
            std::future::pending::<()>().await;
        }
        let fault = self.world.inner().faults.next();
        self.wait(self.world.settings.latency / 2).await;
        match fault {
            None => {}
            Some(Fault::Crash) => std::future::pending().await,
            Some(Fault::Fail) => return Err(Failed),
            Some(Fault::Hang) => {
                self.wait(30_000).await;
                return Err(Failed);
            }
            Some(Fault::Slow) => self.wait(3_000).await,
            Some(Fault::Stop) => self.world.inner().stop.cancel(),
            Some(Fault::Conflict) => process::poll_by_another(self.world.clone()).await,
            Some(Fault::Kin) => process::poll_by_kin(&self.world).await,
            Some(Fault::Touch(record)) => self.world.touch_in_sweep(record, self.number),
        }
        Ok(())
    }

    async fn wait(&self, milliseconds: i64) {
        if milliseconds == 0 {
            tokio::task::yield_now().await;
        } else {
            let time = std::time::Duration::from_millis(milliseconds.cast_unsigned());
            tokio::time::sleep(time).await;
        }
    }
}
