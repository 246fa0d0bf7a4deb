//! A provider's wish to be left alone, kept for the next process.

use std::path::PathBuf;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::state::{self, InstanceRecord, StateError};
use crate::fleet::InstanceState;

/// Keeps the record at `path` as the instance's state says, until `stop` or until the instance is
/// gone.
///
/// # Errors
///
/// The file system refuses.
pub(super) async fn keep(
    path: PathBuf,
    mut record: InstanceRecord,
    mut instance: watch::Receiver<InstanceState>,
    stop: CancellationToken,
) -> Result<(), StateError> {
    let mut last = false;
    while !last {
        last = tokio::select! {
            changed = instance.changed() => changed.is_err(),
            () = stop.cancelled() => true,
        };
        let deferred_until = instance.borrow_and_update().deferred_until;
        if deferred_until != record.deferred_until {
            record.deferred_until = deferred_until;
            // Rare and small: a deferral comes once in minutes.
            state::write(&path, &record)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[tokio::test]
    async fn a_deferral_is_there_for_the_next_process() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("prod.json");
        let (sender, receiver) = watch::channel(InstanceState::default());
        let until = DateTime::from_timestamp(1_800_000_000, 0);
        sender.send_modify(|state| state.deferred_until = until);
        let stop = CancellationToken::new();
        stop.cancel();
        keep(
            path.clone(),
            InstanceRecord::new("servicenowoauth"),
            receiver,
            stop,
        )
        .await
        .unwrap();
        let record = state::read::<InstanceRecord>(&path).unwrap().unwrap();
        assert_eq!(record.deferred_until, until);
    }
}
