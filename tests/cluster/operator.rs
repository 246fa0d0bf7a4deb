//! The operator on a real API server: a process with the rights that the chart grants, between a
//! simulated provider and a callback.

mod authorize;
mod crash;
mod deletes;
mod delivery;
mod edits;
mod endless;
mod faults;
mod handover;
mod held;
mod idle;
mod kills;
mod memory;
mod process;
mod release;
mod secrets;
mod siblings;
mod specs;
mod stage;
mod status;
mod stored;
mod telling;
mod tokens;
mod upgrade;
mod windows;

use std::time::Duration;

/// How long anything may take that is not measured: this machine does many things at once.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `look` finds something.
async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, found).await {
        Ok(found) => found,
        Err(_) => panic!("not within {PATIENCE:?}: {what}"),
    }
}
